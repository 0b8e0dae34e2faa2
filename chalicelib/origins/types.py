"""Where an add came from, and how a channel declares its states."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct

from chalicelib.platform.storage import Transaction


class Origin(Struct, frozen=True):
    """Where an add, or a joining of a group, came from. kind: contact_way, join_way, ad.

    live_code_id, ad_campaign_id: empty where there is none. tags: `group/name` each, for who comes so.
    behind: what the channel needs to confirm an arrival by it.
    """

    kind: str
    state: str
    channel: str
    live_code_id: str = ""
    ad_campaign_id: str = ""
    tags: tuple[str, ...] = ()
    behind: Any = None


class Arrival(Struct, frozen=True):
    """Who came and when: to a member of staff, or into a group."""

    external_userid: str
    at: datetime
    staff_id: str = ""
    chat_id: str = ""


class Confirmation(Struct, frozen=True):
    """Which assignment an arrival confirmed. origin: what the scan's link told. first: time in this code."""

    assignment_id: str | None = None
    origin: Mapping[str, Any] = {}
    first: bool | None = None


class Channel(Struct, frozen=True):
    """One kind of origin: recognised by the state's prefix, found by the state.

    confirm: adds to a transaction what an arrival confirms; called again with a new transaction when the
    commit fails. after: what follows once it is committed, also for a repeat.
    """

    kind: str
    prefix: str
    find: Callable[[str], Origin | None]
    confirm: Callable[[Transaction, Origin, Arrival], Confirmation] | None = None
    after: Callable[[Origin, Arrival], None] | None = None
