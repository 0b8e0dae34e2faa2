"""Print runs themselves: one row each, whatever the number of cards."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct

from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, ids, keys, settings, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.printruns import rules, sheets
from chalicelib.printruns.models import PREFIX, RUN, PrintRunItem

KEPT_FOR = timedelta(seconds=5)  # how long a closed run's cards may still be answered
_KEPT = 1000
_ATTEMPTS = 5  # at a code that no run has; there are a million of them
_kept: dict[str, tuple[datetime, "Run"]] = {}
_prefixes: dict[str, str] = {}


class Run(Struct, frozen=True):
    print_run_id: str
    live_code_id: str
    created_at: str
    name: str
    prefix: str
    count: int
    use: str
    sheet: Mapping[str, Any]
    expires_at: str | None
    closed_at: str | None
    binds: bool

    @property
    def code(self) -> str:
        return self.print_run_id.removeprefix("pr_")

    @property
    def single(self) -> bool:
        return self.use == "single"

    def status(self, now: datetime) -> str:
        """open, closed (by an operator), or expired."""
        if self.closed_at is not None:
            return "closed"
        return "expired" if self.expires_at and clock.parse(self.expires_at) <= now else "open"

    def label(self, number: int) -> str:
        return rules.label(self.prefix, number)

    def find(self, number: int) -> int:
        """The number, if there is such a card. NotFound."""
        if not 1 <= number <= self.count:
            raise NotFound(f"the run has no card {number}")
        return number


def create(live_code_id: str, wanted: Mapping[str, Any]) -> Run:
    """A new run of a live code's cards. `wanted`: the API's `NewPrintRun`. Invalid, NotFound, Conflict."""
    now = clock.now()
    check_sheet(wanted["sheet"])
    expires_at = _time(wanted["expires_at"], now)
    live_code = livecodes.get(live_code_id)
    if not live_code.active:
        raise Conflict("the live code is archived")
    if wanted["use"] == "single" and live_code.native:
        raise Invalid(("use", "a native code reserves nobody: WeCom's own code serves whoever scans it"))
    for _ in range(_ATTEMPTS):
        code = _random_code()
        item = PrintRunItem(
            f"pr_{code}",
            RUN,
            live_code_id=live_code_id,
            created_at=clock.iso(now),
            name=wanted["name"],
            prefix=wanted["prefix"] or code,
            cards=wanted["count"],
            use=wanted["use"],
            sheet=wanted["sheet"],
            expires_at=expires_at,
        )
        tx = Transaction()
        tx.put("run", item, PrintRunItem.print_run_id.does_not_exist())
        named = PrintRunItem(f"prefix#{item.prefix}", PREFIX, run_id=item.print_run_id)
        tx.put("prefix", named, PrintRunItem.print_run_id.does_not_exist())
        try:
            tx.commit()
            return _run(item)
        except ConditionFailed as error:
            if wanted["prefix"] and "prefix" in error.names:
                known = PrintRunItem.find(f"prefix#{item.prefix}", PREFIX)
                whose = f": {known.run_id}" if known else ""
                raise Conflict(f"another run has the prefix {item.prefix}{whose}") from error
    raise Conflict("no free code was found: try again")


def get(print_run_id: str) -> Run:
    """The run as it is now. NotFound."""
    item = PrintRunItem.find(print_run_id, RUN)
    if item is None:
        raise NotFound(f"there is no print run {print_run_id}")
    return _run(item)


def kept(print_run_id: str) -> Run:
    """The run, as it was at most `KEPT_FOR` ago. NotFound."""
    now = clock.now()
    read_at, run = _kept.get(print_run_id, (None, None))
    if read_at is None or run is None or not read_at <= now < read_at + KEPT_FOR:
        if len(_kept) >= _KEPT:
            _kept.clear()
        run = get(print_run_id)
        _kept[print_run_id] = now, run
    return run


def forget() -> None:
    """Read everything anew (a new process)."""
    _kept.clear()
    _prefixes.clear()


def page(live_code_id: str, limit: int, cursor: str | None) -> tuple[list[Run], str | None]:
    """A live code's runs, newest first, and the next cursor."""
    query = partial(PrintRunItem.by_live_code.query, live_code_id, scan_index_forward=False, limit=limit)
    rows, following = storage.page(query, cursor)
    return [_run(row) for row in rows], following


def close(print_run_id: str) -> Run:
    """Its cards answer closed from now on. Closing it again changes nothing. NotFound."""
    get(print_run_id)
    item, now = PrintRunItem(print_run_id, RUN), clock.iso(clock.now())
    storage.update_if(item, [PrintRunItem.closed_at.set(now)], PrintRunItem.closed_at.does_not_exist())
    _kept.pop(print_run_id, None)
    return get(print_run_id)


def will_bind(run: Run) -> None:
    """Note, before its first card is bound, that its cards must be looked up from now on."""
    if not run.binds:
        PrintRunItem(run.print_run_id, RUN).update([PrintRunItem.binds.set(True)])
        _kept.pop(run.print_run_id, None)


def by_prefix(prefix: str) -> Run:
    """NotFound."""
    run_id = _prefixes.get(prefix)
    if run_id is None:
        row = PrintRunItem.find(f"prefix#{prefix}", PREFIX)
        if row is None:
            raise NotFound(f"no run has the prefix {prefix}")
        run_id = _prefixes[prefix] = str(row.run_id)
    return kept(run_id)


def key() -> bytes:
    """What the links are signed with."""
    return keys.key("print-run")


def base_url() -> str:
    """What stands before a token in a card's link."""
    return f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/s/"


def url(run: Run, number: int) -> str:
    return base_url() + rules.token(key(), run.code, number)


def check_sheet(sheet: Mapping[str, Any]) -> None:
    """Invalid when cards do not fit it."""
    if wrong := sheets.problems(sheet):
        raise Invalid(*((f"sheet.{field}", message) for field, message in wrong))


def _random_code() -> str:
    """Four of the house's characters, of which only digits and capitals are taken."""
    code = "".join(character for character in ids.short(32) if character in rules.RUN_ALPHABET)
    return code[: rules.RUN] if len(code) >= rules.RUN else _random_code()


def _time(text: str | None, now: datetime) -> str | None:
    if text is None:
        return None
    try:
        at = clock.parse(text)
    except ValueError:
        raise Invalid(("expires_at", "an ISO 8601 time with its offset")) from None
    if at <= now:
        raise Invalid(("expires_at", "is past"))
    return clock.iso(at)


def _run(item: PrintRunItem) -> Run:
    return Run(
        print_run_id=item.print_run_id,
        live_code_id=str(item.live_code_id),
        created_at=str(item.created_at),
        name=str(item.name),
        prefix=str(item.prefix),
        count=int(item.cards),
        use=str(item.use),
        sheet=item.sheet,
        expires_at=item.expires_at,
        closed_at=item.closed_at,
        binds=bool(item.binds),
    )
