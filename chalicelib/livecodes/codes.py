"""Live codes themselves: made, changed, archived, and read as cheaply as a scan needs.

The ticket item carries the config's version, so a process that keeps the config knows at each scan,
from the one write it does anyway, whether what it keeps is still true.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from chalicelib.livecodes import checks, rules
from chalicelib.livecodes.models import CONFIG, TICKET, LiveCodeItem
from chalicelib.platform import clock, ids, log, queues, settings, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.patch import merged
from chalicelib.platform.storage import ConditionFailed, Transaction

_LISTED = "live_code"
_KEPT = 1000  # configs that a process keeps
_configs: dict[str, "LiveCode"] = {}


@dataclass(frozen=True)
class LiveCode:
    """A live code. `definition`: the contract's JSON, complete. `staff_ids_ever`: all who were ever in it."""

    live_code_id: str
    version: int
    active: bool
    created_at: str
    updated_at: str
    definition: Mapping[str, Any]
    staff_ids_ever: tuple[str, ...]
    rule: rules.Rule

    @property
    def code(self) -> str:
        return self.live_code_id.removeprefix("lc_")

    @property
    def url(self) -> str:
        """What the printed code holds."""
        return f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/s/{self.code}"

    @property
    def name(self) -> str:
        return str(self.definition["name"])

    @property
    def channel(self) -> str:
        return str(self.definition["channel"])

    @property
    def tags(self) -> list[str]:
        """`group/name` each."""
        return list(self.definition["tags"])

    @property
    def welcome(self) -> dict[str, Any] | None:
        """`{"text","attachments"}`, or None for the house's."""
        return self.definition["welcome"]  # type: ignore[no-any-return]

    @property
    def skip_verify(self) -> bool:
        return bool(self.definition["skip_verify"])


def create(definition: Mapping[str, Any]) -> LiveCode:
    """A new live code from a complete definition. Invalid."""
    _check(definition)
    now, code = clock.iso(clock.now()), ids.short(8)
    item = LiveCodeItem(
        f"lc_{code}",
        CONFIG,
        version=1,
        active=True,
        listing=_LISTED,
        created_at=now,
        updated_at=now,
        definition=dict(definition),
        staff_ids_ever=rules.rule_of(definition).staff_ids,
    )
    ticket = LiveCodeItem(item.live_code_id, TICKET, version=1, active=True, ticket=0)
    tx = Transaction()
    tx.put("config", item, LiveCodeItem.live_code_id.does_not_exist())
    tx.put("ticket", ticket, LiveCodeItem.live_code_id.does_not_exist())
    tx.commit()
    made = _live_code(item)
    try:
        _prepare(made)
    except Exception as error:  # noqa: BLE001 (only a head start: the first scan makes what is missing)
        log.failure("contact ways not asked for", error, live_code_id=made.live_code_id)
    return made


def change(live_code_id: str, patch: Mapping[str, Any], complete: Any) -> LiveCode:
    """Apply a JSON merge patch (RFC 7396). Invalid, NotFound, Conflict.

    complete: makes a whole definition, with its defaults, of a merged one (the API's types do).
    """
    item = _config(live_code_id)
    if not item.active:
        raise Conflict("an archived live code can't be changed")
    definition = complete(merged(item.definition, patch))
    if definition["kind"] != item.definition["kind"]:
        raise Invalid(("kind", "can't be changed"))
    _check(definition)
    staff_ids = rules.rule_of(definition).staff_ids
    _rewrite(
        item,
        LiveCodeItem.definition.set(definition),
        LiveCodeItem.staff_ids_ever.set(list(dict.fromkeys([*item.staff_ids_ever, *staff_ids]))),
    )
    changed = get(live_code_id)
    _prepare(changed)
    return changed


def archive(live_code_id: str) -> None:
    """Close it for good: its scans are told so, lists leave it out. NotFound, Conflict."""
    item = _config(live_code_id)
    if item.active:
        _rewrite(item, LiveCodeItem.active.set(False), LiveCodeItem.listing.remove(), active=False)


def get(live_code_id: str) -> LiveCode:
    """The live code, archived or not. NotFound."""
    return _live_code(_config(live_code_id))


def page(limit: int, cursor: str | None) -> tuple[list[LiveCode], str | None]:
    """Live codes that are not archived, newest first, and the next cursor."""
    query = partial(LiveCodeItem.by_creation.query, _LISTED, scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [_live_code(row) for row in rows], following


def take_ticket(live_code_id: str) -> tuple[int, LiveCode]:
    """The next ticket, and the code as it is now: one write when the process knows this version. NotFound."""
    ticket = LiveCodeItem(live_code_id, TICKET)
    there = LiveCodeItem.live_code_id.exists()
    if not storage.update_if(ticket, [LiveCodeItem.ticket.add(1)], there):
        raise NotFound("there is no such live code")
    return int(ticket.ticket), _at_version(ticket)


def current(live_code_id: str) -> LiveCode:
    """The code as it is now: one small read when the process knows this version. NotFound."""
    ticket = LiveCodeItem.find(live_code_id, TICKET)
    if ticket is None:
        raise NotFound("there is no such live code")
    return _at_version(ticket)


def _at_version(ticket: LiveCodeItem) -> LiveCode:
    kept = _configs.get(ticket.live_code_id)
    if kept is None or kept.version != ticket.version:
        if len(_configs) >= _KEPT:
            _configs.clear()
        kept = _configs[ticket.live_code_id] = get(ticket.live_code_id)
    return kept


def _config(live_code_id: str) -> LiveCodeItem:
    item = LiveCodeItem.find(live_code_id, CONFIG)
    if item is None:
        raise NotFound(f"there is no live code {live_code_id}")
    return item  # type: ignore[no-any-return]


def _live_code(item: LiveCodeItem) -> LiveCode:
    return LiveCode(
        live_code_id=item.live_code_id,
        version=int(item.version),
        active=bool(item.active),
        created_at=str(item.created_at),
        updated_at=str(item.updated_at),
        definition=item.definition,
        staff_ids_ever=tuple(item.staff_ids_ever),
        rule=rules.rule_of(item.definition),
    )


def _check(definition: Mapping[str, Any]) -> None:
    if wrong := checks.problems(definition):
        raise Invalid(*wrong)


def _rewrite(item: LiveCodeItem, *actions: Any, active: bool = True) -> None:
    """Change the config and its ticket together. Conflict if somebody else did since `item` was read."""
    seen, version = LiveCodeItem.version == item.version, LiveCodeItem.version.set(item.version + 1)
    tx = Transaction()
    changed = [*actions, version, LiveCodeItem.updated_at.set(clock.iso(clock.now()))]
    tx.update("config", item, changed, seen)
    ticket = LiveCodeItem(item.live_code_id, TICKET)
    tx.update("ticket", ticket, [version, LiveCodeItem.active.set(active)], seen)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict("the live code was changed meanwhile: read it again") from error


def _prepare(code: LiveCode) -> None:
    """Have the contact ways made, or brought up to date, before somebody waits for them."""
    work = {"kind": "contact_way", "live_code_id": code.live_code_id}
    queues.send_all("assign", [({**work, "staff_id": staff_id}, None) for staff_id in code.rule.staff_ids])
