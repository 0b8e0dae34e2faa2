"""What is stored of posters: templates, and how far batches are."""

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

CONFIG = "config"


class ByCreation(GlobalSecondaryIndex["PosterTemplateItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class PosterTemplateItem(Base):
    """`definition`: the template's JSON. `version` guards a change against another at the same time.

    scope: of whoever made it; without one it is the whole corp's.
    """

    class Meta(BaseMeta):
        table_name = settings.table("poster_templates")

    template_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    version = NumberAttribute()
    created_at = UnicodeAttribute()
    updated_at = UnicodeAttribute()
    definition = JSONAttribute()
    scope = JSONAttribute(null=True)
    by_creation = ByCreation()


class PosterBatchItem(Base):
    """Part `config`: the batch's sum. Part `chunk#0007`: that those posters are made, and which failed.

    A chunk's item is put in the transaction that adds it to the sum and to the job, so each counts once.
    The posters themselves are files, `results/posters/<batch_id>/<number>.<format>`.
    """

    class Meta(BaseMeta):
        table_name = settings.table("poster_batches")

    batch_id = UnicodeAttribute(hash_key=True)  # the job's id
    part = UnicodeAttribute(range_key=True)
    plan = UnicodeAttribute(null=True)  # the file that lists its posters
    total = NumberAttribute(null=True)
    chunks = NumberAttribute(null=True)
    chunks_done = NumberAttribute(null=True)
    failed = NumberAttribute(null=True)
    finished = NumberAttribute(null=True)
    errors = JSONAttribute(null=True)  # [[number, why], …]
    left_out = JSONAttribute(null=True)  # [[number, which emoji], …]
    expires_at = NumberAttribute()
