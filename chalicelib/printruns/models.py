"""What is stored of print runs: the run, its files, and a card once it is bound or, single use, claimed."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    NumberSetAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

RUN, PREFIX = "run", "prefix"  # parts; a file's is its job's id


class ByLiveCode(GlobalSecondaryIndex["PrintRunItem"]):
    class Meta:
        index_name = "live_code"
        projection = AllProjection()

    live_code_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ByCreation(GlobalSecondaryIndex["PrintRunItem"]):
    """All runs: of the items that have a `created_at`, the part is always `run`."""

    class Meta:
        index_name = "listing"
        projection = AllProjection()

    part = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class PrintRunItem(Base):
    """Part `run`: the run, `pr_<its code>`. Part `prefix` of `prefix#<W26>`: which run has that prefix.

    Part `job_…`: one file of the run: its format, sheet, the design of the sheet's template, the live code's
    name, and which of its pieces are `finished`
    (a set: the same piece twice counts once). binds: whether a card of it may be bound to an order.
    """

    class Meta(BaseMeta):
        table_name = settings.table("print_runs")

    print_run_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    live_code_id = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    prefix = UnicodeAttribute(null=True)
    cards = NumberAttribute(null=True)
    use = UnicodeAttribute(null=True)
    sheet = JSONAttribute(null=True)
    design = JSONAttribute(null=True)
    expires_at = UnicodeAttribute(null=True)
    closed_at = UnicodeAttribute(null=True)
    binds = BooleanAttribute(null=True)
    run_id = UnicodeAttribute(null=True)
    format = UnicodeAttribute(null=True)
    finished = NumberSetAttribute(null=True)
    by_live_code = ByLiveCode()
    by_creation = ByCreation()


class ByOrder(GlobalSecondaryIndex["CardItem"]):
    class Meta:
        index_name = "order"
        projection = KeysOnlyProjection()

    order_id = UnicodeAttribute(hash_key=True)
    card = UnicodeAttribute(range_key=True)


class CardItem(Base):
    """A card that something became of. card: `<run's code>#<number>`.

    uses: who holds a single-use card: the assignments of one person, `{"assignment_id","member"}` each.
    """

    class Meta(BaseMeta):
        table_name = settings.table("print_cards")

    card = UnicodeAttribute(hash_key=True)
    order_id = UnicodeAttribute(null=True)
    mall = UnicodeAttribute(null=True)
    batch = UnicodeAttribute(null=True)
    bound_at = UnicodeAttribute(null=True)
    uses = JSONAttribute(null=True)
    version = NumberAttribute(null=True)
    by_order = ByOrder()
