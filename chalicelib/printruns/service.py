"""Print runs: ordered, closed, listed, and their files asked for."""

from chalicelib.livecodes import service as livecodes
from chalicelib.platform import audit, clock, lists, storage, validation
from chalicelib.platform.errors import Conflict, Invalid, Issue, issue
from chalicelib.platform.lists import Page
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.posters import service as posters
from chalicelib.posters.types import PosterFile, Sample, Template
from chalicelib.printruns import card_check, card_design, run_files, runs, sheet_layout
from chalicelib.printruns.run_files import PrintJob
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import CardPreview, NewFile, NewPrintRun, PrintRun, RunsQuery


def create(live_code_id: str, wanted: NewPrintRun, principal: Principal) -> PrintJob:
    """A new run of a live code's cards and its first file, whose job it gives.

    Invalid, Conflict; NotFound, also for a live code outside of the scope.
    """
    live_code = livecodes.get(live_code_id, principal)
    wanted.sheet, design = card_check.resolve(wanted.sheet)
    issues = run_files.find_issues(wanted.count, wanted.format) + sheet_layout.find_issues(wanted.sheet)
    if wanted.use == "single" and live_code.native:
        issues.append(issue("use", "native_reserves_nobody"))
    expires_at = _parse_expiry(wanted.expires_at, issues)
    if issues:
        raise Invalid(*issues)
    if not live_code.active:
        raise Conflict(code="archived_prints_nothing")
    if wanted.format == "pdf":
        card_check.check(wanted.sheet, design)
    return run_files.start(store(live_code_id, wanted, expires_at, design, live_code.name))


def preview(wanted: CardPreview) -> PosterFile:
    """One card as it will be printed, with a made-up number. Invalid by field of the sheet."""
    sheet, design = card_check.resolve(wanted.sheet)
    if issues := sheet_layout.find_issues(sheet):
        raise Invalid(*issues)
    card_check.check(sheet, design)
    template = design or card_design.with_words(card_design.design(sheet), sheet)
    words = {"title": sheet.title or "", "subtitle": sheet.subtitle or ""}
    return posters.preview(template, Sample(**words, staff_name="", store_name="", width=wanted.width))


def get(print_run_id: str, principal: Principal) -> PrintRun:
    """NotFound."""
    return describe(runs.get(print_run_id, principal))


def list_runs(query: RunsQuery, principal: Principal) -> Page[PrintRun]:
    """A live code's runs, or all that the scope sees."""
    return lists.whole(
        runs.select_visible(runs.read_all(query.live_code_id), principal),
        query,
        key=lambda run: run.print_run_id,
        sorts={"name": lambda run: run.name, "created_at": lambda run: run.created_at},
        sort=query.sort,
        texts=lambda run: (run.name, run.prefix, run.print_run_id),
    ).map(describe)


def create_file(print_run_id: str, wanted: NewFile, principal: Principal) -> PrintJob:
    """Another file of the same cards: its job. Invalid, NotFound, Conflict."""
    run = runs.get(print_run_id, principal)
    sheet, design = card_check.resolve(wanted.sheet or run.sheet)
    issues = run_files.find_issues(run.count, wanted.format)
    if wanted.format == "pdf":
        issues += sheet_layout.find_issues(sheet)
    if issues:
        raise Invalid(*issues)
    if run.closed_at is not None:
        raise Conflict(code="print_run_closed")
    if wanted.format == "pdf":
        card_check.check(sheet, design)
    code_name = livecodes.get(run.live_code_id).name
    file, tx = run_files.new(run, wanted.format, sheet, design, code_name), Transaction()
    run_files.add(tx, file)
    audit.add(tx, "print_runs.add_file", print_run_id, None, {"job_id": file.job_id, "format": file.format})
    tx.commit()
    return run_files.start(file)


@storage.retrying("the print run is changed by others: try again")
def close(print_run_id: str, principal: Principal) -> PrintRun:
    """Its cards answer closed from now on. Closing it again changes nothing. NotFound, Forbidden."""
    run = runs.get(print_run_id, principal)
    livecodes.require_changeable(run.live_code_id, principal)
    if run.closed_at is None:
        tx, closed_at = Transaction(), clock.iso(clock.now())
        runs.add_closing(tx, run, closed_at)
        audit.add(tx, "print_runs.close", print_run_id, {"closed_at": None}, {"closed_at": closed_at})
        tx.commit()
        runs.forget(print_run_id)
    return describe(runs.get(print_run_id))


def describe(run: Run) -> PrintRun:
    return PrintRun(
        print_run_id=run.print_run_id,
        live_code_id=run.live_code_id,
        name=run.name,
        prefix=run.prefix,
        count=run.count,
        first_card=run.label(1),
        last_card=run.label(run.count),
        use=run.use,
        sheet=run.sheet,
        status=run.status(clock.now()),
        created_at=run.created_at,
        expires_at=run.expires_at,
        closed_at=run.closed_at,
        stats_url=f"/api/print-runs/{run.print_run_id}/stats",
    )


@storage.retrying("no free code was found: try again")
def store(
    live_code_id: str,
    wanted: NewPrintRun,
    expires_at: str | None,
    design: Template | None = None,
    code_name: str = "",
) -> run_files.File:
    """The run with its first file. A code that another run has is drawn anew: there are a million."""
    run, tx = runs.new(live_code_id, wanted, expires_at), Transaction()
    file = run_files.new(run, wanted.format, None, design, code_name)
    runs.add(tx, run)
    run_files.add(tx, file)
    audit.add(tx, "print_runs.create", run.print_run_id, None, describe(run))
    try:
        tx.commit()
    except ConditionFailed as error:
        if wanted.prefix and "prefix" in error.names:
            owner = runs.find_owner(run.prefix)
            raise Conflict(code="prefix_taken", prefix=run.prefix, print_run_id=owner or "") from error
        raise
    return file


def _parse_expiry(text: str | None, issues: list[Issue]) -> str | None:
    try:
        return validation.parse_future("expires_at", text)
    except Invalid as error:
        issues += error.issues
        return None
