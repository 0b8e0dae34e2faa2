"""Customers, by their guides: WeCom's pages of a hundred guides' bonds; then, guide by guide, who is gone.

Who is gone is told by a guide's whole book, which WeCom lists in one answer, and by WeCom's word on each who
is missing in it: pages can skip one while others come and go.
"""

from msgspec.structs import replace

from chalicelib.customers import importing
from chalicelib.customers import service as customers
from chalicelib.customers.importing import Found, Import, Tally
from chalicelib.imports.piece import Context, counted, each, end_part, note, plus
from chalicelib.imports.types import Run
from chalicelib.platform import log
from chalicelib.platform.userids import fold
from chalicelib.wecom.errors import Treatment, WeComError

_GUIDES = 100  # WeCom: in one call
_BOOKS = "#books"  # instead of a page's cursor: the pages are done
_LOST_AT_ONCE = 200
_ALL_UNLICENSED = 701008


def do_piece(run: Run, context: Context) -> Run:
    """A batch of guides, a page of theirs, or the book of one."""
    if not run.batch:
        batch = context.after(run.after, _GUIDES)
        return (
            replace(run, batch=batch, cursor="", base=run.progress("customers")) if batch else end_part(run)
        )
    if run.cursor == _BOOKS:
        return _check_book(run, context)
    return _read_page(run, context)


def _read_page(run: Run, context: Context) -> Run:
    again = run.noted.get("page") == run.cursor or bool(run.noted.get("from_the_start"))
    if not again:
        run = note(run, page=run.cursor)
    try:
        rows, following, unlicensed = context.client.customers_of(run.batch, run.cursor)
    except WeComError as error:
        return _without_page(run, error)
    context.learn_tags({str(tag) for row in rows for tag in row["follow_info"].get("tag_id") or ()})
    taken = _take_in(importing.group(rows, context.as_import(run)), context.as_import(run), again)
    progress = run.progress("customers")
    restarted = bool(run.noted.get("from_the_start"))
    run = counted(
        run,
        **plus(progress, taken.seen, taken.new, taken.changed),
        done=progress.done + len(rows),
        share=_share(progress.done + len(rows), progress.total),
    )
    unread = dict.fromkeys([*run.unread, *map(fold, unlicensed)])
    noted = {"from_the_start": True} if restarted and following else {}
    return replace(run, cursor=following or _BOOKS, unread=tuple(unread), noted=noted)


def _take_in(found: list[Found], run: Import, again: bool) -> Tally:
    stored = customers.several([one.external_userid for one in found], consistent=True)

    def take_in(one: Found) -> Tally:
        return importing.take_in(one, stored.get(one.external_userid), run, again)

    return _sum(each(take_in, found))


def _share(done: int, total: int | None) -> float:
    return min(1.0, done / total) if total else 0


def _without_page(run: Run, error: WeComError) -> Run:
    """The cursor has lapsed: the batch from its start. A guide of the batch can't be asked for: apart."""
    if error.treatment is Treatment.RESTART and run.cursor:
        log.logger.info("an import's cursor has lapsed", extra={"import_id": run.import_id})
        parts = {**run.parts, "customers": run.base or run.progress("customers")}
        return replace(run, cursor="", parts=parts, noted={"from_the_start": True})
    if error.treatment is not Treatment.DATA and error.errcode != _ALL_UNLICENSED:
        raise error
    if len(run.batch) > 1:
        return replace(run, batch=run.batch[: len(run.batch) // 2], noted={})
    log.failure("customers not read", error, staff_id=run.batch[0], errcode=error.errcode)
    unread = tuple(dict.fromkeys([*run.unread, run.batch[0]]))
    return replace(run, after=run.batch[0], batch=(), cursor="", noted={}, unread=unread)


def _check_book(run: Run, context: Context) -> Run:
    """Who of the next guide's customers is not listed any more, some at a time: whom is noted first."""
    done: str = run.noted.get("book", "")
    waiting = [guide for guide in run.batch if guide > done]
    if not waiting:
        return replace(run, after=run.batch[-1], batch=(), cursor="", noted={})
    guide, last, behind = waiting[0], run.batch[-1], str(run.noted.get("behind", ""))
    if "missing" not in run.noted:
        missing = [] if guide in run.unread else sorted(_missing(guide, run, context))
        missing = [who for who in missing if who > behind][:_LOST_AT_ONCE]
        if not missing:
            return replace(run, noted={"book": guide})
        run = note(run, book=done, missing=missing)
    missing = run.noted["missing"]
    lost = _sum(each(lambda who: _lose(who, guide, context.as_import(run), last), missing))
    run = counted(run, **plus(run.progress("customers"), lost.seen, 0, lost.changed))
    return replace(run, noted={"book": done, "behind": missing[-1]})


def _missing(guide: str, run: Run, context: Context) -> list[str]:
    try:
        listed = set(context.client.list_customers(guide))
    except WeComError as error:
        if error.treatment is not Treatment.DATA:
            raise
        return []
    return [who for who in importing.bonds_of_guide(guide, run.started_at) if who not in listed]


def _lose(external_userid: str, guide: str, run: Import, last: str) -> Tally:
    def is_listed() -> bool:
        details = importing.ask(external_userid)
        return details is not None and any(fold(row["userid"]) == guide for row in details["follow_user"])

    return importing.lose(external_userid, guide, run, is_listed, last)


def _sum(tallies: list[Tally]) -> Tally:
    return Tally(sum(t.seen for t in tallies), sum(t.new for t in tallies), sum(t.changed for t in tallies))
