"""Print runs themselves: one row each, whatever the number of cards."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Literal

import msgspec
from msgspec import Struct

from chalicelib.livecodes import service as livecodes
from chalicelib.platform import clock, ids, keys, lists, settings
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.stored import read_stored
from chalicelib.printruns import rules
from chalicelib.printruns.models import PREFIX, RUN, PrintRunItem
from chalicelib.printruns.types import NewPrintRun, Sheet, Use

KEPT_FOR = timedelta(seconds=5)  # how long a closed run's cards may still be answered
_MAX_KEPT = 1000
_kept: dict[str, tuple[datetime, "Run"]] = {}
_prefixes: dict[str, str] = {}


class Run(Struct, frozen=True):
    print_run_id: str
    live_code_id: str
    created_at: str
    name: str
    prefix: str
    count: int
    use: Use
    sheet: Sheet
    expires_at: str | None
    closed_at: str | None = None
    binds: bool = False

    @property
    def code(self) -> str:
        return self.print_run_id.removeprefix("pr_")

    @property
    def single(self) -> bool:
        return self.use == "single"

    def status(self, now: datetime) -> Literal["open", "closed", "expired"]:
        if self.closed_at is not None:
            return "closed"
        return "expired" if self.expires_at and clock.parse(self.expires_at) <= now else "open"

    def label(self, number: int) -> str:
        return rules.make_label(self.prefix, number)

    def check_number(self, number: int) -> int:
        """The number, if there is such a card. NotFound."""
        if not 1 <= number <= self.count:
            raise NotFound(code="no_such_card")
        return number


def new(live_code_id: str, wanted: NewPrintRun, expires_at: str | None) -> Run:
    """A run with a code of its own, which `add` stores."""
    code = _random_code()
    return Run(
        print_run_id=f"pr_{code}",
        live_code_id=live_code_id,
        created_at=clock.iso(clock.now()),
        name=wanted.name,
        prefix=wanted.prefix or code,
        count=wanted.count,
        use=wanted.use,
        sheet=wanted.sheet,
        expires_at=expires_at,
    )


def add(tx: Transaction, run: Run) -> None:
    """Store a new run; the commit fails at `run` or `prefix` when its code or its prefix is another's."""
    item = PrintRunItem(
        run.print_run_id,
        RUN,
        live_code_id=run.live_code_id,
        created_at=run.created_at,
        name=run.name,
        prefix=run.prefix,
        cards=run.count,
        use=run.use,
        sheet=msgspec.to_builtins(run.sheet),
        expires_at=run.expires_at,
    )
    tx.put("run", item, PrintRunItem.print_run_id.does_not_exist())
    owner = PrintRunItem(f"prefix#{run.prefix}", PREFIX, run_id=run.print_run_id)
    tx.put("prefix", owner, PrintRunItem.print_run_id.does_not_exist())


def add_closing(tx: Transaction, run: Run, closed_at: str) -> None:
    """Close the run, at the commit; it fails at `run` when it is closed already."""
    item, is_open = PrintRunItem(run.print_run_id, RUN), PrintRunItem.closed_at.does_not_exist()
    tx.update("run", item, [PrintRunItem.closed_at.set(closed_at)], is_open)


def get(print_run_id: str, principal: Principal = SYSTEM) -> Run:
    """The run as it is now. NotFound, also for a run whose live code is outside of the scope."""
    item = PrintRunItem.find(print_run_id, RUN)
    if item is None:
        raise NotFound(code="no_such_print_run", print_run_id=print_run_id)
    run = _run(item)
    if not select_visible([run], principal):
        raise NotFound(code="no_such_print_run", print_run_id=print_run_id)
    return run


def get_kept(print_run_id: str) -> Run:
    """The run, as it was at most `KEPT_FOR` ago. NotFound."""
    now = clock.now()
    read_at, run = _kept.get(print_run_id, (None, None))
    if read_at is None or run is None or not read_at <= now < read_at + KEPT_FOR:
        if len(_kept) >= _MAX_KEPT:
            _kept.clear()
        run = get(print_run_id)
        _kept[print_run_id] = now, run
    return run


def forget(print_run_id: str | None = None) -> None:
    """Read the run anew, or all of them (a new process)."""
    if print_run_id is not None:
        _kept.pop(print_run_id, None)
    else:
        _kept.clear()
        _prefixes.clear()


def read_all(live_code_id: str | None) -> list[Run]:
    """A live code's runs, or the brand's."""
    if live_code_id is None:
        query = partial(PrintRunItem.by_creation.query, RUN)
    else:
        query = partial(PrintRunItem.by_live_code.query, live_code_id)
    return [_run(item) for item in lists.partition(query)]


def select_visible(runs: Iterable[Run], principal: Principal) -> list[Run]:
    """Those whose live code the scope sees: a run follows its code."""
    if not principal.is_scoped:
        return list(runs)
    runs = list(runs)
    codes = livecodes.get_many((run.live_code_id for run in runs), principal)
    return [run for run in runs if run.live_code_id in codes]


def start_binding(run: Run) -> None:
    """Note, before its first card is bound, that its cards must be looked up from now on."""
    if not run.binds:
        PrintRunItem(run.print_run_id, RUN).update([PrintRunItem.binds.set(True)])
        forget(run.print_run_id)


def find_owner(prefix: str) -> str | None:
    """The id of the run whose prefix it is."""
    if prefix not in _prefixes:
        item = PrintRunItem.find(f"prefix#{prefix}", PREFIX)
        if item is None:
            return None
        _prefixes[prefix] = str(item.run_id)
    return _prefixes[prefix]


def signing_key() -> bytes:
    """What the links are signed with."""
    return keys.key("print-run")


def base_url() -> str:
    """What stands before a token in a card's link."""
    return f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/s/"


def make_url(run: Run, number: int) -> str:
    return base_url() + rules.make_token(signing_key(), run.code, number)


def _random_code() -> str:
    """Four of the house's characters, of which only digits and capitals are taken."""
    code = "".join(character for character in ids.short(32) if character in rules.RUN_ALPHABET)
    return code[: rules.RUN] if len(code) >= rules.RUN else _random_code()


def _run(item: PrintRunItem) -> Run:
    return Run(
        print_run_id=item.print_run_id,
        live_code_id=str(item.live_code_id),
        created_at=str(item.created_at),
        name=str(item.name),
        prefix=str(item.prefix),
        count=int(item.cards),
        use=item.use,  # type: ignore[arg-type]
        sheet=read_stored(item.sheet, Sheet),
        expires_at=item.expires_at,
        closed_at=item.closed_at,
        binds=bool(item.binds),
    )
