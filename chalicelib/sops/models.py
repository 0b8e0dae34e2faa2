"""What is stored: SOPs, enrolments, pushes.

An enrolment is one item per person and SOP, kept under 1 KB. A push (one WeCom call) is two: a
small one with its state and figures, and one with its people, compressed, written only when they
change; the index over a SOP's pushes holds the small one alone.
"""

import json
import zlib
from typing import Any

import msgspec
from pynamodb.attributes import (
    BinaryAttribute,
    JSONAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection

from chalicelib.platform import settings, storage
from chalicelib.platform.storage import Base, BaseMeta
from chalicelib.platform.stored import read_stored
from chalicelib.sops.types import Plan


class ByTrigger(GlobalSecondaryIndex["SopItem"]):
    class Meta(BaseMeta):
        index_name = "trigger"
        projection = AllProjection()

    trigger = UnicodeAttribute(hash_key=True)
    sop_id = UnicodeAttribute(range_key=True)


class SopListing(GlobalSecondaryIndex["SopItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class SopItem(Base):
    """`status`: active, paused, stopped. `trigger`: the plan's event, there only while active.

    `scope`: of whoever made it; without one it is for all customers.
    """

    class Meta(BaseMeta):
        table_name = settings.table("sops")

    sop_id = UnicodeAttribute(hash_key=True)
    status = UnicodeAttribute()
    trigger = UnicodeAttribute(null=True)
    listing = UnicodeAttribute(default="sop")
    created_at = UnicodeAttribute()
    document = JSONAttribute()
    scope = JSONAttribute(null=True)

    by_trigger = ByTrigger()
    by_listing = SopListing()

    @property
    def plan(self) -> Plan:
        """The plan as the operator wrote it."""
        return read_stored(self.document, Plan)


class BySop(GlobalSecondaryIndex["EnrolmentItem"]):
    class Meta(BaseMeta):
        index_name = "sop"
        projection = KeysOnlyProjection()

    sop_id = UnicodeAttribute(hash_key=True)
    subject = UnicodeAttribute(range_key=True)


class OfStaff(GlobalSecondaryIndex["EnrolmentItem"]):
    class Meta(BaseMeta):
        index_name = "staff"
        projection = KeysOnlyProjection()

    staff_id = UnicodeAttribute(hash_key=True)
    placed = UnicodeAttribute(range_key=True)


class OfSop(GlobalSecondaryIndex["EnrolmentItem"]):
    class Meta(BaseMeta):
        index_name = "placed"
        projection = KeysOnlyProjection()

    sop_id = UnicodeAttribute(hash_key=True)
    placed = UnicodeAttribute(range_key=True)


class EnrolmentItem(Base):
    """`placed`: `<anchor_at>#<subject>#<sop_id>`, by which lists are newest first; not of those from before.

    `status`: active, stopped (`reason` says by what). `next_step`: waits to fall due.

    `steps`: step_id → {"push_id", "at"} of whom a push has claimed, or {"status", "reason"?, "at"}.
    """

    class Meta(BaseMeta):
        table_name = settings.table("enrolments")

    subject = UnicodeAttribute(hash_key=True)
    sop_id = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute()
    reason = UnicodeAttribute(null=True)
    anchor_at = UnicodeAttribute()
    staff_id = UnicodeAttribute()
    next_step = UnicodeAttribute(null=True)
    steps = MapAttribute[str, Any](default=dict)  # type: ignore[no-untyped-call]
    placed = UnicodeAttribute(null=True)

    by_sop = BySop()
    of_staff = OfStaff()
    of_sop = OfSop()

    @property
    def place(self) -> str:
        """`placed`, also of an enrolment that was stored without it."""
        return f"{self.anchor_at}#{self.subject}#{self.sop_id}"

    def step(self, step_id: str) -> dict[str, Any] | None:
        """What became of a step; None while nothing has."""
        return self.all_steps().get(step_id)

    def all_steps(self) -> dict[str, dict[str, Any]]:
        """What became of each step that anything became of."""
        steps: dict[str, dict[str, Any]] = self.steps.as_dict()
        return steps


class PushesOfSop(GlobalSecondaryIndex["PushItem"]):
    class Meta(BaseMeta):
        index_name = "sop"
        projection = AllProjection()

    sop_id = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class PushItem(Base):
    """A push, its people (`<push_id>#people`) or the mark of whose a WeCom task is (`msgid#<msgid>`).

    `status`: intended → calling → handed_over or failed; or skipped when nobody was left to send
    to. `begun_at`: of the first call, moved on by as long as the push has been held since.
    `claimed`, `skipped` (of them `halted`: those who go no further), `sent`, `failed`: people.
    """

    class Meta(BaseMeta):
        table_name = settings.table("pushes")

    push_id = UnicodeAttribute(hash_key=True)
    sop_id = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    step_id = UnicodeAttribute(null=True)
    staff_id = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    reason = UnicodeAttribute(null=True)
    lease_until = UnicodeAttribute(null=True)
    called_at = UnicodeAttribute(null=True)
    begun_at = UnicodeAttribute(null=True)
    msgid = UnicodeAttribute(null=True)
    claimed = NumberAttribute(null=True)
    skipped = NumberAttribute(null=True)
    halted = NumberAttribute(null=True)
    sent = NumberAttribute(null=True)
    failed = NumberAttribute(null=True)
    polls = NumberAttribute(null=True)
    people = BinaryAttribute(null=True, legacy_encoding=False)
    owner = UnicodeAttribute(null=True)

    by_sop = PushesOfSop()


class People(msgspec.Struct, kw_only=True):
    """Whom a push is for. `results`: one character for each in `to`: see PENDING and its fellows."""

    to: list[str]
    skip: dict[str, str] = {}  # subject → reason
    results: str = ""

    def pack(self) -> bytes:
        return zlib.compress(json.dumps(msgspec.to_builtins(self), separators=(",", ":")).encode(), 6)


def enter_in_lists(enrolment: EnrolmentItem) -> None:
    """Put an enrolment that was stored before there were lists into them; twice is once."""
    if enrolment.placed is None:
        place = EnrolmentItem.placed.set(enrolment.place)
        storage.update_if(enrolment, [place], EnrolmentItem.subject.exists())


PENDING, SENT, NO_FRIEND, OVER_LIMIT, REFUSED = "0", "1", "2", "3", "x"
REASONS = {NO_FRIEND: "not_a_friend", OVER_LIMIT: "over_limit", REFUSED: "refused"}


def people_key(push_id: str) -> str:
    return f"{push_id}#people"


def unpack(item: PushItem) -> People:
    return msgspec.convert(json.loads(zlib.decompress(item.people)), People)
