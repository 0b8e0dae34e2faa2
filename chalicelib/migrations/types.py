"""What a release changes about stored items."""

from msgspec import Struct


class Migration(Struct, frozen=True, kw_only=True):
    """name: in the path. items: the model, "module:Model". change: "module:function", called with each item.

    `change` may meet an item twice, in several processes at once, and while it is being written: it reads
    the item anew and writes under a condition.
    """

    name: str
    items: str
    change: str


class Migrating(Struct, frozen=True, kw_only=True):
    """The job that tells how far it is: `GET /api/jobs/{job_id}`."""

    job_id: str
