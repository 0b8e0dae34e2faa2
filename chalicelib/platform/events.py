"""What can happen: the table of the types of lines in the timeline, each with its subject and its data.

Written, a line's data must be just what its type has here; read, fields that a newer version has added
are left out, so that old and new code can run side by side. Ids and figures only: no phone number, no
name, no text of a message. A field with a default may be missing in a line.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct


class Event(Struct, frozen=True):
    """The data of one type of line."""


class FromLink(Event, frozen=True, kw_only=True):
    """What a live code's link tells beside the code: place, an ad's click, a printed card and its order."""

    via: str | None = None
    ad: str | None = None
    print_run_id: str | None = None
    card: int | None = None
    order_id: str | None = None
    mall: str | None = None
    batch: str | None = None


class Scanned(FromLink, frozen=True, kw_only=True):
    """Subject `scan#<assignment_id>`: a live code was scanned; of a native code nobody knows who is shown."""

    live_code_id: str
    channel: str
    why: str
    staff_id: str | None
    assignment_id: str | None
    chat_id: str | None = None
    store_id: str | None = None


class AssignmentLapsed(Event, frozen=True, kw_only=True):
    """Subject `scan#<assignment_id>`: nobody used what the scan reserved, with a guide or in a group."""

    live_code_id: str
    staff_id: str | None = None
    chat_id: str | None = None


class CustomerAdded(FromLink, frozen=True, kw_only=True):
    """Subject external_userid: a customer and a member of staff have added each other.

    half: added, not yet added back. begins: a bond began with it. ends: its own end was known before it.
    first: never a customer before. assignment_id: the very scan, where it can be told.
    """

    staff_id: str
    state: str | None = None
    tags: tuple[str, ...] = ()
    half: bool = False
    live_code_id: str | None = None
    assignment_id: str | None = None
    channel: str | None = None
    begins: bool = False
    ends: bool = False
    first: bool = False


class CustomerImported(Event, frozen=True, kw_only=True):
    """Subject external_userid: a bond that was there before us, read in by the first import.

    A type of its own, so that no listener meets a brand's million customers as adds of today.
    """

    staff_id: str
    added_at: datetime
    channel: str | None = None
    state: str | None = None
    tags: tuple[str, ...] = ()


class CustomerLost(Event, frozen=True, kw_only=True):
    """Subject external_userid. ends: a bond ended with it. last: no bond is left."""

    staff_id: str
    by: Literal["customer", "staff", "transfer"]
    ends: bool
    last: bool
    channel: str | None = None
    live_code_id: str | None = None


class FollowEdited(Event, frozen=True, kw_only=True):
    """Subject external_userid: staff changed a remark or tags in WeCom, which does not say what."""

    staff_id: str


class RemarkChanged(Event, frozen=True, kw_only=True):
    """Subject external_userid: what a guide calls them was changed here."""

    staff_id: str


class TagsChanged(Event, frozen=True, kw_only=True):
    """Subject external_userid."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    staff_id: str | None = None


class SegmentMembership(Event, frozen=True, kw_only=True):
    """Subject external_userid: they came into a live segment, or went out of it."""

    segment_id: str


class JoinedGroup(Event, frozen=True, kw_only=True):
    """Subject external_userid, of staff the chat_id. by: who invited. first: the first time by this code."""

    chat_id: str
    scene: str | None = None
    by: str | None = None
    live_code_id: str | None = None
    assignment_id: str | None = None
    first: bool | None = None
    channel: str | None = None
    blacklisted: bool = False
    staff_id: str | None = None


class LeftGroup(Event, frozen=True, kw_only=True):
    """Subject external_userid, of staff the chat_id."""

    chat_id: str
    by: Literal["self", "staff", "dismissed"] | None = None
    staff_id: str | None = None


class GroupChanged(Event, frozen=True, kw_only=True):
    """Subject chat_id: it was created, or dismissed."""

    chat_id: str


class WelcomeSent(Event, frozen=True, kw_only=True):
    """Subject external_userid. ms: from the arrival of the event until WeCom had taken the welcome."""

    staff_id: str
    ms: int
    how: Literal["full", "text", "already"]
    live_code_id: str | None = None


class WelcomeMissed(Event, frozen=True, kw_only=True):
    """Subject external_userid."""

    staff_id: str
    reason: str
    live_code_id: str | None = None


class WelcomeUnknown(Event, frozen=True, kw_only=True):
    """Subject external_userid: it may have arrived (killed, or its answer lost, until the 20 s were over)."""

    staff_id: str
    live_code_id: str | None = None


class GuideNotified(Event, frozen=True, kw_only=True):
    """Subject external_userid: what became of a word to their guide about them (notices/types.py)."""

    staff_id: str
    about: Literal["welcome"]
    outcome: Literal["sent", "refused", "expired", "unknown"]


class CouponGiven(Event, frozen=True, kw_only=True):
    """Subject external_userid."""

    pool_id: str


class Touch(Event, frozen=True, kw_only=True):
    """Subject external_userid or chat_id: what an SOP's step came to. reason: why it failed."""

    sop_id: str
    step_id: str
    push_id: str
    staff_id: str
    reason: str | None = None


class OrderChanged(Event, frozen=True, kw_only=True):
    """Subject external_userid, else `order#<order_id>`. refunded_fen: this refund's. store_id: of then.

    counted_fen: of a correction, what turnover takes in: paid was said anew, or more was refunded than paid.
    """

    order_id: str
    paid_fen: int
    refunded_fen: int | None = None
    counted_fen: int | None = None
    channel: str | None = None
    live_code_id: str | None = None
    store_id: str | None = None
    share_code: str | None = None
    first_order: bool = False
    external_userid: str | None = None


class CommissionChanged(Event, frozen=True, kw_only=True):
    """Subject `distributor#<distributor_id>`."""

    order_id: str
    level: int
    delta_fen: int
    status: str


class PayoutChanged(Event, frozen=True, kw_only=True):
    """Subject `distributor#<distributor_id>`."""

    payout_id: str
    amount_fen: int
    status: str


class AdConverted(Event, frozen=True, kw_only=True):
    """Subject external_userid, else `ad#<conversion_id>`."""

    ad_campaign_id: str
    conversion_id: str
    kind: Literal["added", "chatted", "bought", "refunded"]


class ProspectChanged(Event, frozen=True, kw_only=True):
    """Subject `prospect#<prospect_id>`. Of an arrival: matched_by, external_userid, seconds it took."""

    status: str
    before: str
    staff_id: str
    import_id: str
    by: str
    matched_by: str | None = None
    external_userid: str | None = None
    seconds: int | None = None


class ProspectMatched(Event, frozen=True, kw_only=True):
    """Subject external_userid: the customer is an imported phone number's person."""

    prospect_id: str
    import_id: str
    staff_id: str | None
    channel: str
    matched_by: str
    seconds: int


class ProspectSeen(Event, frozen=True, kw_only=True):
    """Subject `prospect#<prospect_id>`: its number was revealed to, or the whole erased by, whom."""

    by: str


class ProspectsShown(Event, frozen=True, kw_only=True):
    """Subject `guide#<staff_id>`: whose numbers the guide saw."""

    day: str
    prospect_ids: tuple[str, ...]


class EventUnknown(Event, frozen=True, kw_only=True):
    """Subject `unknown#<digest>`: an event of WeCom's that we do not know."""

    kind: str
    change: str


class EventRecorded(EventUnknown, frozen=True, kw_only=True):
    """Subject: what it is about. An event of WeCom's that is only kept so far, with WeCom's own names."""

    UserID: str | None = None
    NewUserID: str | None = None
    FailReason: str | None = None
    UpdateDetail: str | None = None
    JoinScene: str | None = None
    QuitScene: str | None = None
    MemChangeCnt: str | None = None
    Status: str | None = None


TYPES: Mapping[str, type[Event]] = {
    "scanned": Scanned,
    "assignment_lapsed": AssignmentLapsed,
    "customer_added": CustomerAdded,
    "customer_imported": CustomerImported,
    "customer_lost": CustomerLost,
    "follow_edited": FollowEdited,
    "remark_changed": RemarkChanged,
    "tags_changed": TagsChanged,
    "segment_entered": SegmentMembership,
    "segment_left": SegmentMembership,
    "joined_group": JoinedGroup,
    "left_group": LeftGroup,
    "group_created": GroupChanged,
    "group_dismissed": GroupChanged,
    "welcome_sent": WelcomeSent,
    "welcome_missed": WelcomeMissed,
    "welcome_unknown": WelcomeUnknown,
    "guide_notified": GuideNotified,
    "coupon_given": CouponGiven,
    "touch_sent": Touch,
    "touch_failed": Touch,
    "order_created": OrderChanged,
    "order_paid": OrderChanged,
    "order_shipped": OrderChanged,
    "order_completed": OrderChanged,
    "order_refunded": OrderChanged,
    "order_corrected": OrderChanged,
    "order_closed": OrderChanged,
    "commission_changed": CommissionChanged,
    "payout_changed": PayoutChanged,
    "ad_converted": AdConverted,
    "prospect_changed": ProspectChanged,
    "prospect_matched": ProspectMatched,
    "prospect_revealed": ProspectSeen,
    "prospect_erased": ProspectSeen,
    "prospects_shown": ProspectsShown,
    "event_recorded": EventRecorded,
    "event_unknown": EventUnknown,
}
AnyEvent = TypeVar("AnyEvent", bound=Event)
Kind: TypeAlias = type[AnyEvent]  # under a name of its own for Line, which has a field `type`


class NotAnEvent(ValueError):
    """A line that the table does not allow: our own mistake, found before it is written."""


def check(type_: str, data: Mapping[str, Any]) -> None:
    """Refuse a line of an unknown type, or whose data is not its type's. NotAnEvent."""
    kind = TYPES.get(type_)
    if kind is None:
        raise NotAnEvent(f"there is no event {type_}")
    if unknown := set(data).difference(kind.__struct_fields__):
        raise NotAnEvent(f"{type_} has no {', '.join(sorted(unknown))}")
    try:
        msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        raise NotAnEvent(f"{type_}: {error}") from error


def read(type_: str, data: Mapping[str, Any], kind: type[AnyEvent]) -> AnyEvent:
    """A line's data as its type has it. TypeError when `kind` is another type's."""
    if TYPES[type_] is not kind:
        raise TypeError(f"the data of {type_} is no {kind.__name__}")
    return msgspec.convert(data, kind)
