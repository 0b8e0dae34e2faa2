"""Live codes: created, changed, archived, restored, listed, and read as cheaply as a scan needs.

The ticket item carries the config's version, so a process that keeps the config knows at each scan,
from the one write it does anyway, whether what it keeps is still true.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.livecodes import checks, rules, scope
from chalicelib.livecodes.models import CONFIG, TICKET, LiveCodeItem
from chalicelib.livecodes.scope import CodeScope
from chalicelib.platform import audit, clock, due, ids, log, queues, settings, storage
from chalicelib.platform.due import DueItem
from chalicelib.platform.errors import Conflict, Forbidden, Invalid, NotFound, issue
from chalicelib.platform.patch import merged
from chalicelib.platform.plain_text import tag_names
from chalicelib.platform.principal import SYSTEM, Principal, Scope
from chalicelib.platform.storage import ConditionFailed, Transaction

GRACE = timedelta(days=1)  # beyond its reservations, in which a contact way that is left over stays
NATIVE_GRACE = timedelta(days=30)  # that an archived code's own contact way stays: printed ones die with it
_PREPARE_AFTER = timedelta(minutes=1)  # a change: what it asks for, should its own messages not be sent
ACTIVE, ARCHIVED = "live_code", "archived_live_code"  # partitions of the index `listing`
_KEPT = 1000  # configs that a process keeps
_configs: dict[str, "LiveCode"] = {}


class LiveCode(Struct, frozen=True):
    """A live code. `definition`: the contract's JSON, complete. `staff_ids_ever`: all who were ever in it.

    `ref`: the operator's own name of a code that came from a file. `maker`: the member of staff who made it,
    if it was one. `made_for`: the scope of its maker; null: nobody was kept to one, or it came to lead to
    others as well. `indexed`: it is, or was, of a kind whose assignments stand in the index `listing`.
    """

    live_code_id: str
    version: int
    active: bool
    created_at: str
    updated_at: str
    definition: Mapping[str, Any]
    staff_ids_ever: tuple[str, ...]
    rule: rules.Rule
    ref: str | None = None
    indexed: bool = False
    maker: str | None = None
    made_for: Scope | None = None

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
        return tag_names(self.definition["tags"])

    def welcome_at(self, at: datetime) -> dict[str, Any] | None:
        """`{"text","attachments"}` for an add at that moment, or None for the house's."""
        return rules.welcome_at(self.definition, at)

    @property
    def kind(self) -> str:
        """staff, group or nearest_store."""
        return str(self.definition["kind"])

    @property
    def gives_store_groups(self) -> bool:
        """Whether it leads into groups of stores."""
        stores = self.definition.get("stores") or {}
        return self.kind == "nearest_store" and stores.get("gives") == "group"

    @property
    def native(self) -> bool:
        """Whether posters hold WeCom's own code of several members instead of our link."""
        return bool(self.definition.get("printing") == "native" and self.kind == "staff")

    @property
    def skip_verify(self) -> bool:
        return bool(self.definition["skip_verify"])


def create(definition: Mapping[str, Any], ref: str | None = None, principal: Principal = SYSTEM) -> LiveCode:
    """A new live code from a complete definition. Invalid.

    ref: the operator's own name of it, from which its id follows; Conflict when it is taken.
    """
    definition = rules.with_folded_ids(definition)
    check(definition, principal=principal)
    now = clock.iso(clock.now())
    item = LiveCodeItem(
        f"lc_{ids.short(8)}" if ref is None else id_of(ref),
        CONFIG,
        version=1,
        active=True,
        listing=ACTIVE,
        created_at=now,
        updated_at=now,
        definition=dict(definition),
        staff_ids_ever=rules.rule_of(definition).staff_ids,
        ref=ref,
        maker=principal.person,
        scope=msgspec.to_builtins(principal.scope) if principal.is_scoped else None,
    )
    ticket = LiveCodeItem(item.live_code_id, TICKET, version=1, active=True, ticket=0)
    tx = Transaction()
    tx.put("config", item, LiveCodeItem.live_code_id.does_not_exist())
    tx.put("ticket", ticket, LiveCodeItem.live_code_id.does_not_exist())
    audit.add(tx, "live_codes.create", item.live_code_id, None, definition)
    order = _order_preparing(tx, item.live_code_id, 1)
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(code="live_code_exists", live_code_id=item.live_code_id) from error
    return _prepare_now(_live_code(item), order)


def change(
    live_code_id: str,
    patch: Mapping[str, Any],
    complete: Any,
    principal: Principal = SYSTEM,
    check_seen: Callable[[LiveCode], None] = lambda code: None,
) -> LiveCode:
    """Apply a JSON merge patch (RFC 7396). Invalid, NotFound, Conflict, Forbidden.

    complete: makes a whole definition, with its defaults, of a merged one (the API's types do). check_seen:
    refuses a change of another version than this one.
    """
    item = _changeable(live_code_id, principal)
    check_seen(_live_code(item))
    if not item.active:
        raise Conflict(code="live_code_archived")
    return _change(item, complete(merged(item.definition, patch)), principal)


def replace(code: LiveCode, definition: Mapping[str, Any], principal: Principal = SYSTEM) -> LiveCode:
    """Give `code` another definition. Invalid, NotFound, Forbidden; Conflict if it was changed meanwhile."""
    item = _changeable(code.live_code_id, principal)
    if item.version != code.version:
        raise Conflict(code="live_code_changed")
    return _change(item, definition, principal)


def _change(item: LiveCodeItem, definition: Mapping[str, Any], principal: Principal) -> LiveCode:
    kinds = {definition["kind"], item.definition["kind"]}
    if len(kinds) > 1 and "native" in (definition["printing"], item.definition.get("printing")):
        raise Invalid(issue("kind", "native_keeps_kind"))
    definition = rules.with_folded_ids(definition)
    check(definition, item.definition, principal)
    was, now = rules.rule_of(item.definition), rules.rule_of(definition)
    kept = [] if scope.stays(_made_for(item), definition, item.definition) else [LiveCodeItem.scope.remove()]
    tx = Transaction()
    audit.add(tx, "live_codes.change", item.live_code_id, item.definition, definition)
    indexed = bool(item.indexed) or kinds != {"staff"}
    # Each change, since it makes void the clean-up of the one that left ways over.
    if indexed or definition["printing"] == "native" or not set(item.staff_ids_ever) <= set(now.staff_ids):
        _order_clean_up(tx, item, max(was.reserve_for, now.reserve_for) + GRACE)
    return _rewrite(
        tx,
        item,
        LiveCodeItem.definition.set(definition),
        LiveCodeItem.staff_ids_ever.set(list(dict.fromkeys([*item.staff_ids_ever, *now.staff_ids]))),
        LiveCodeItem.indexed.set(indexed),
        *kept,
    )


def rename_member(live_code_id: str, renamed: Callable[[Mapping[str, Any]], dict[str, Any]]) -> None:
    """Put another userid in a code's definition, archived or not. Conflict."""
    item = _config(live_code_id, SYSTEM)
    definition = renamed(item.definition)
    tx = Transaction()
    audit.add(tx, "live_codes.change", live_code_id, item.definition, definition)
    now = rules.rule_of(definition)
    _order_clean_up(tx, item, now.reserve_for + GRACE)
    ever = list(dict.fromkeys([*item.staff_ids_ever, *now.staff_ids]))
    changed = [LiveCodeItem.definition.set(definition), LiveCodeItem.staff_ids_ever.set(ever)]
    _rewrite(tx, item, *changed, active=bool(item.active))


def archive(live_code_id: str, version: int | None = None, principal: Principal = SYSTEM) -> LiveCode:
    """Close it: its scans are told so. Twice is once. NotFound, Conflict, Forbidden.

    version: only if it is still at that one.
    """
    item = _changeable(live_code_id, principal)
    if version not in (None, item.version):
        raise Conflict(code="live_code_changed")
    if not item.active:
        return _live_code(item)
    tx = Transaction()
    audit.add(tx, "live_codes.archive", live_code_id, {"archived": False}, {"archived": True})
    _order_clean_up(tx, item, rules.rule_of(item.definition).reserve_for + GRACE)
    _order_clean_up(tx, item, NATIVE_GRACE)
    return _rewrite(
        tx, item, LiveCodeItem.active.set(False), LiveCodeItem.listing.set(ARCHIVED), active=False
    )


def restore(live_code_id: str, principal: Principal = SYSTEM) -> LiveCode:
    """Open an archived code again, as it was: what is printed of it works.

    NotFound, Conflict, Invalid, Forbidden.
    """
    item = _changeable(live_code_id, principal)
    if item.active:
        return _live_code(item)
    check(item.definition)
    tx = Transaction()
    audit.add(tx, "live_codes.restore", live_code_id, {"archived": True}, {"archived": False})
    # This clean-up makes void that of the archiving.
    _order_clean_up(tx, item, rules.rule_of(item.definition).reserve_for + GRACE)
    return _rewrite(tx, item, LiveCodeItem.active.set(True), LiveCodeItem.listing.set(ACTIVE))


def get(live_code_id: str, principal: Principal = SYSTEM) -> LiveCode:
    """The live code, archived or not. NotFound, also outside of the scope."""
    return _live_code(_config(live_code_id, principal))


def get_many(live_code_ids: Iterable[str], principal: Principal = SYSTEM) -> dict[str, LiveCode]:
    """Those of the live codes that there are, and are in the scope, by id."""
    keys = [(live_code_id, CONFIG) for live_code_id in dict.fromkeys(live_code_ids)]
    rows = LiveCodeItem.batch_get(keys, consistent_read=True)
    seen = scope.of(principal)
    return {row.live_code_id: _live_code(row) for row in rows if _is_seen(row, seen, principal)}


def names(ids: Collection[str]) -> dict[str, str]:
    """What those of them are called that there are, by id."""
    return {live_code_id: code.name for live_code_id, code in get_many(ids).items()}


def read_all(partition: str = ACTIVE, principal: Principal = SYSTEM) -> Iterator[LiveCode]:
    """All codes of the scope that are not archived, or all that are (ARCHIVED), newest first."""
    seen = scope.of(principal)
    for row in LiveCodeItem.by_creation.query(partition, scan_index_forward=False):
        if _is_seen(row, seen, principal):
            yield _live_code(row)


def find_first_creation() -> str | None:
    """When the first of all codes was made; None without any."""
    oldest = [next(iter(LiveCodeItem.by_creation.query(name, limit=1)), None) for name in (ACTIVE, ARCHIVED)]
    return min((row.created_at for row in oldest if row is not None), default=None)


def id_of(ref: str) -> str:
    """The live_code_id of the code that the operator calls so: always the same."""
    return "lc_" + ids.derived_short("live_code", ref)


def take_ticket(live_code_id: str) -> tuple[int, LiveCode]:
    """The next ticket, and the code as it is now: one write when the process knows this version. NotFound."""
    ticket = LiveCodeItem(live_code_id, TICKET)
    there = LiveCodeItem.live_code_id.exists()
    if not storage.update_if(ticket, [LiveCodeItem.ticket.add(1)], there):
        raise NotFound(code="no_such_live_code")
    return int(ticket.ticket), _at_version(ticket)


def current(live_code_id: str) -> LiveCode:
    """The code as it is now: one small read when the process knows this version. NotFound."""
    ticket = LiveCodeItem.find(live_code_id, TICKET)
    if ticket is None:
        raise NotFound(code="no_such_live_code")
    return _at_version(ticket)


def check_version(tx: Transaction, code: LiveCode) -> None:
    """Let `tx` fail, on its item `ticket`, when the code was changed since it was read."""
    tx.check("ticket", LiveCodeItem(code.live_code_id, TICKET), LiveCodeItem.version == code.version)


def _at_version(ticket: LiveCodeItem) -> LiveCode:
    kept = _configs.get(ticket.live_code_id)
    if kept is None or kept.version != ticket.version:
        if len(_configs) >= _KEPT:
            _configs.clear()
        kept = _configs[ticket.live_code_id] = get(ticket.live_code_id)
    return kept


def _config(live_code_id: str, principal: Principal) -> LiveCodeItem:
    item = LiveCodeItem.find(live_code_id, CONFIG)
    if item is not None and _is_seen(item, scope.of(principal), principal):
        return item  # type: ignore[no-any-return]
    raise NotFound(code="no_such_live_code")


def _is_seen(item: LiveCodeItem, seen: CodeScope | None, principal: Principal) -> bool:
    return seen is None or seen.sees(item.definition) or scope.is_made_for(_made_for(item), principal)


def _made_for(item: LiveCodeItem) -> Scope | None:
    return msgspec.convert(item.scope, Scope) if item.scope else None


def _changeable(live_code_id: str, principal: Principal) -> LiveCodeItem:
    """NotFound; Forbidden for what is others' as well."""
    item = _config(live_code_id, principal)
    if not select_changeable([_live_code(item)], principal):
        raise Forbidden(code="live_code_of_others")
    return item


def require_changeable(live_code_id: str, principal: Principal) -> None:
    """For who changes what hangs on a code. NotFound; Forbidden for what is others' as well."""
    _changeable(live_code_id, principal)


def select_changeable(codes: Iterable[LiveCode], principal: Principal) -> frozenset[str]:
    """The ids of those that the principal's scope holds whole, or that were made for it: a guide who has
    left the store is taken out of its code by its manager.
    """
    held = scope.of(principal)
    return frozenset(
        code.live_code_id
        for code in codes
        if held is None or held.holds(code.definition) or scope.is_made_for(code.made_for, principal)
    )


def _live_code(item: LiveCodeItem) -> LiveCode:
    return LiveCode(
        live_code_id=item.live_code_id,
        version=int(item.version),
        active=bool(item.active),
        created_at=str(item.created_at),
        updated_at=str(item.updated_at),
        definition=rules.with_folded_ids(item.definition),
        staff_ids_ever=tuple(item.staff_ids_ever),
        rule=rules.rule_of(item.definition),
        ref=item.ref,
        indexed=bool(item.indexed) or item.definition["kind"] != "staff",
        maker=item.maker,
        made_for=_made_for(item),
    )


def check(
    definition: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    principal: Principal = SYSTEM,
) -> None:
    """Invalid, with all that is wrong with a complete definition, also what the principal may not add."""
    from chalicelib.coupons import service as coupons  # for who changes codes, not for all who read them

    wrong = checks.problems(definition)
    gift = definition.get("gift")
    if gift and not coupons.exists(gift["pool_id"]):
        wrong.append(issue("gift.pool_id", "not_found"))
    if (seen := scope.of(principal)) is not None:
        wrong += seen.problems(definition, before)
    if wrong:
        raise Invalid(*wrong)


def _order_clean_up(tx: Transaction, item: LiveCodeItem, after: timedelta) -> None:
    """Have the contact ways looked through that this change leaves unused. The next change makes it void."""
    version = int(item.version) + 1
    work = {"live_code_id": item.live_code_id, "version": version, "native": after >= NATIVE_GRACE}
    now, key = clock.now(), f"{item.live_code_id}#{version}"
    tx.put(f"clean up {after}", due.item("way_cleanup", now + after, key, work, now))


def _rewrite(tx: Transaction, item: LiveCodeItem, *actions: Any, active: bool = True) -> LiveCode:
    """Change the config and its ticket together. Conflict if somebody else did since `item` was read."""
    seen, version = LiveCodeItem.version == item.version, LiveCodeItem.version.set(item.version + 1)
    changed = [*actions, version, LiveCodeItem.updated_at.set(clock.iso(clock.now()))]
    tx.update("config", item, changed, seen)
    ticket = LiveCodeItem(item.live_code_id, TICKET)
    tx.update("ticket", ticket, [version, LiveCodeItem.active.set(active)], seen)
    order = _order_preparing(tx, item.live_code_id, int(item.version) + 1) if active else None
    try:
        tx.commit()
    except ConditionFailed as error:
        raise Conflict(code="live_code_changed") from error
    code = get(item.live_code_id)
    return _prepare_now(code, order) if order else code


def _order_preparing(tx: Transaction, live_code_id: str, version: int) -> DueItem:
    """Have the ways of this version prepared a little later, should nobody come to it now."""
    now = clock.now()
    work = {"live_code_id": live_code_id, "version": version}
    order = due.item("prepare", now + _PREPARE_AFTER, f"{live_code_id}#{version}", work, now)
    tx.put("prepare", order)
    return order


def _prepare_now(code: LiveCode, order: DueItem) -> LiveCode:
    """Carry the order out now, and take it back."""
    try:
        _prepare(code)
        storage.delete_if(order)
    except Exception as error:  # noqa: BLE001 (the code is stored, and the order stands)
        log.failure("contact ways not asked for", error, live_code_id=code.live_code_id)
    return code


def prepare(live_code_id: str, version: int) -> None:
    """Do what a change left undone; a later one has an order of its own. Upstream."""
    code = get(live_code_id)
    if code.active and code.version == version:
        _prepare(code)


def _prepare(code: LiveCode) -> None:
    """Have the contact ways made, or brought up to date, before somebody waits for them."""
    work = {"live_code_id": code.live_code_id}
    messages: list[dict[str, Any]] = [
        {**work, "kind": "contact_way", "staff_id": staff_id} for staff_id in code.rule.staff_ids
    ]
    if code.definition["kind"] == "group":
        messages.append({**work, "kind": "group_code"})
    if code.native or code.version > 1:  # which it may have been
        messages.append({**work, "kind": "native", "changed": True})
    queues.send_all("assign", [(message, None) for message in messages])
