"""Doors of print runs: made, closed, their files and figures; cards bound to orders at packing."""

import csv
import io
from collections.abc import Sequence

import msgspec

from chalicelib.platform import http, messages
from chalicelib.platform.errors import DomainError
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.validation import convert
from chalicelib.printruns import binding_files, cards, figures, order_binding, runs, service
from chalicelib.printruns.run_files import PrintJob
from chalicelib.printruns.types import (
    Binding,
    Bindings,
    BindResult,
    BoundCard,
    CardDetails,
    CardOrder,
    CardPreview,
    CardsQuery,
    FiguresQuery,
    FiguresRow,
    NewFile,
    NewPrintRun,
    Order,
    PrintRun,
    Refusal,
    RunsQuery,
    Unbinding,
    Unbound,
)
from chalicelib.tables import reading

door = http.Door(__name__, tag="Print runs")


@door.route(
    "POST",
    "/api/live-codes/{live_code_id}/print-runs",
    body=NewPrintRun,
    status=202,
    permission="print_runs.write",
    summary="Print a run of cards, each with its own code: a job whose result is the file",
    answer=PrintJob,
)
def create(call: Call, live_code_id: str) -> PrintJob:
    return service.create(live_code_id, call.body, call.principal)


@door.route(
    "GET",
    "/api/print-runs",
    permission="print_runs.read",
    summary="Print runs of all live codes or of one, newest first",
    query=RunsQuery,
    answer=Page[PrintRun],
)
def list_runs(call: Call) -> Page[PrintRun]:
    return service.list_runs(call.query, call.principal)


@door.route(
    "POST",
    "/api/print-runs/preview",
    body=CardPreview,
    permission="print_runs.write",
    summary="A card of a sheet as a PNG, read by a decoder; makes no run",
    gives="image/png",
)
def preview(call: Call) -> Answer:
    poster = service.preview(call.body)
    return Answer(poster.body, headers={"Content-Type": poster.content_type})


@door.route(
    "GET",
    "/api/print-runs/{print_run_id}",
    permission="print_runs.read",
    summary="One print run",
    answer=PrintRun,
)
def get(call: Call, print_run_id: str) -> PrintRun:
    return service.get(print_run_id, call.principal)


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/files",
    body=NewFile,
    status=202,
    permission="print_runs.write",
    summary="The same cards as another file: a job",
    answer=PrintJob,
)
def create_file(call: Call, print_run_id: str) -> PrintJob:
    return service.create_file(print_run_id, call.body, call.principal)


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/close",
    permission="print_runs.write",
    summary="Close a run: within seconds its cards answer closed",
    answer=PrintRun,
)
def close(call: Call, print_run_id: str) -> PrintRun:
    return service.close(print_run_id, call.principal)


@door.route(
    "GET",
    "/api/print-runs/{print_run_id}/stats",
    permission="print_runs.read",
    query=FiguresQuery,
    summary="Scans, different cards scanned, and adds: of a run, per day, per thousand cards",
    answer=Page[FiguresRow],
    gives="text/csv",
)
def read_figures(call: Call, print_run_id: str) -> Page[FiguresRow] | Answer:
    run, by = runs.get(print_run_id, call.principal), call.query.by
    rows = figures.read(run, by)
    if call.query.format == "csv":
        return _csv(rows, f"{run.prefix}-{by}.csv")
    return Page(rows, len(rows))


@door.route(
    "GET",
    "/api/print-runs/{print_run_id}/cards/{number}",
    permission="print_runs.read",
    summary="One card and its order",
    answer=CardDetails,
)
def get_card(call: Call, print_run_id: str, number: str) -> CardDetails:
    return cards.describe(cards.find_numbered(print_run_id, number, call.principal))


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/cards/{number}/bind",
    body=Order,
    permission="print_runs.write",
    summary="Bind a card to the order it is packed with",
    answer=BoundCard,
)
def bind_numbered(call: Call, print_run_id: str, number: str) -> BoundCard:
    return order_binding.bind(cards.find_numbered(print_run_id, number, call.principal), call.body)


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/cards/{number}/unbind",
    body=Unbinding,
    permission="print_runs.write",
    summary="Take a card back from an order",
    answer=Unbound,
)
def unbind_numbered(call: Call, print_run_id: str, number: str) -> Unbound:
    card = cards.find_numbered(print_run_id, number, call.principal)
    return Unbound(status="unbound" if order_binding.unbind(card, call.body.order_id) else "unchanged")


@door.route(
    "GET",
    "/api/cards",
    permission="print_runs.read",
    summary="The cards of an order or of a run",
    query=CardsQuery,
    answer=Page[CardOrder],
)
def list_cards(call: Call) -> Page[CardOrder]:
    return cards.list_cards(call.query, call.principal)


@door.route(
    "POST",
    "/api/cards/bind",
    body=Binding,
    permission="print_runs.write",
    summary="Bind a card, by its link, token or printed number, to the order it is packed with",
    answer=BoundCard,
)
def bind(call: Call) -> BoundCard:
    return order_binding.bind(cards.find_by_code(call.body.code, call.principal), call.body)


@door.route(
    "POST",
    "/api/cards/bind-many",
    body=Bindings,
    takes=reading.CSV,
    max_body=reading.MAX_BYTES,
    permission="print_runs.write",
    summary="Bind up to 1,000 cards, as JSON, CSV or XLSX; what became of each, in their order",
    answer=Page[BindResult],
)
def bind_many(call: Call) -> Page[BindResult]:
    language = messages.language(call.headers.get("accept-language"))
    wanted = _bindings(call)
    outcomes = order_binding.bind_many([binding for _, binding in wanted], call.principal)
    results = [
        _bind_result(line, binding, outcome, language)
        for (line, binding), outcome in zip(wanted, outcomes, strict=True)
    ]
    return Page(results, len(results))


def _bindings(call: Call) -> Sequence[tuple[int | None, Binding | DomainError]]:
    if call.raw.lstrip()[:1] == b"{" or "json" in (call.headers.get("content-type") or ""):
        return [(None, binding) for binding in convert(call.json(), Bindings).items]
    with reading.file_errors():
        return binding_files.read(call.raw)


def _bind_result(
    line: int | None,
    binding: Binding | DomainError,
    outcome: BoundCard | DomainError,
    language: messages.Language,
) -> BindResult:
    code = binding.code if isinstance(binding, Binding) else ""
    if isinstance(outcome, BoundCard):
        return BindResult(code=code, line=line, **msgspec.structs.asdict(outcome))
    refusal = Refusal(
        status=outcome.status,
        title=messages.title(outcome.status, language),
        detail=outcome.detail(language),
    )
    return BindResult(code=code, line=line, status="refused", error=refusal)


def _csv(rows: list[FiguresRow], name: str) -> Answer:
    out = io.StringIO()
    out.write("\ufeff")
    if rows:
        table = msgspec.to_builtins(rows)
        writer = csv.DictWriter(out, table[0])
        writer.writeheader()
        writer.writerows(table)
    kind = {"Content-Type": "text/csv; charset=utf-8"}
    return Answer(out.getvalue(), headers={**kind, "Content-Disposition": f'attachment; filename="{name}"'})
