"""Doors of print runs: made, closed, their files and figures; cards bound to orders at packing."""

import csv
import io
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from chalicelib.platform import clock, http
from chalicelib.platform.errors import DomainError
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.lists import Paging
from chalicelib.printruns import service
from chalicelib.printruns.types import Binding, Bindings, NewFile, NewPrintRun, Order, Unbinding

door = http.Door(__name__, tag="Print runs")


class RunsQuery(Paging, kw_only=True):
    live_code_id: Annotated[str, Meta(min_length=1)]


class StatsQuery(Struct, kw_only=True):
    by: Literal["total", "day", "thousand"] = "total"
    format: Annotated[Literal["json", "csv"], Meta(description="csv: a file for a spreadsheet")] = "json"


class CardsQuery(Paging, kw_only=True):
    order_id: Annotated[str, Meta(min_length=1, description="The mall's order")]


@door.route(
    "POST",
    "/api/live-codes/{live_code_id}/print-runs",
    body=NewPrintRun,
    status=202,
    permission="print_runs.write",
    summary="Print a run of cards, each with its own code: a job whose result is the file",
)
def create(call: Call, live_code_id: str) -> dict[str, Any]:
    wanted: NewPrintRun = call.body
    service.check_count(wanted.count, wanted.format)
    run = service.create(live_code_id, msgspec.to_builtins(wanted))
    return _job(service.start_file(run, wanted.format))


@door.route(
    "GET",
    "/api/print-runs",
    permission="print_runs.read",
    summary="A live code's print runs, newest first",
    query=RunsQuery,
)
def listing(call: Call) -> dict[str, Any]:
    runs, cursor = service.page(call.query.live_code_id, *call.page())
    return http.listing([_shown(run) for run in runs], cursor)


@door.route("GET", "/api/print-runs/{print_run_id}", permission="print_runs.read", summary="One print run")
def get(call: Call, print_run_id: str) -> dict[str, Any]:
    return _shown(service.get(print_run_id))


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/files",
    body=NewFile,
    status=202,
    permission="print_runs.write",
    summary="The same cards as another file: a job",
)
def another(call: Call, print_run_id: str) -> dict[str, Any]:
    wanted: NewFile = call.body
    sheet = msgspec.to_builtins(wanted.sheet) if wanted.sheet else None
    return _job(service.start_file(service.get(print_run_id), wanted.format, sheet))


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/close",
    permission="print_runs.write",
    summary="Close a run: within seconds its cards answer closed",
)
def close(call: Call, print_run_id: str) -> dict[str, Any]:
    return _shown(service.close(print_run_id))


@door.route(
    "GET",
    "/api/print-runs/{print_run_id}/stats",
    permission="print_runs.read",
    query=StatsQuery,
    summary="Scans, different cards scanned, and adds: of a run, per day, per thousand cards",
)
def stats(call: Call, print_run_id: str) -> Any:
    run, by = service.get(print_run_id), call.query.by
    rows = service.figures(run.print_run_id, by)
    for row in rows:
        if "to" in row:
            row["to"] = min(row["to"], run.count)
    if call.query.format == "csv":
        return _csv(rows, f"{run.prefix}-{by}.csv")
    return http.listing(rows)


@door.route(
    "GET",
    "/api/print-runs/{print_run_id}/cards/{number}",
    permission="print_runs.read",
    summary="One card and its order",
)
def card(call: Call, print_run_id: str, number: str) -> dict[str, Any]:
    return service.shown(service.numbered(print_run_id, number))


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/cards/{number}/bind",
    body=Order,
    permission="print_runs.write",
    summary="Bind a card to the order it is packed with",
)
def bind_numbered(call: Call, print_run_id: str, number: str) -> dict[str, Any]:
    return _bound(service.numbered(print_run_id, number), call.body)


@door.route(
    "POST",
    "/api/print-runs/{print_run_id}/cards/{number}/unbind",
    body=Unbinding,
    permission="print_runs.write",
    summary="Take a card back from an order",
)
def unbind_numbered(call: Call, print_run_id: str, number: str) -> dict[str, Any]:
    found = service.numbered(print_run_id, number)
    return {"status": "unbound" if service.unbind(found, call.body.order_id) else "unchanged"}


@door.route(
    "GET",
    "/api/cards",
    permission="print_runs.read",
    summary="The cards of an order",
    query=CardsQuery,
)
def of_order(call: Call) -> dict[str, Any]:
    cards, cursor = service.of_order(call.query.order_id, *call.page())
    return http.listing([_named(found) for found in cards], cursor)


@door.route(
    "POST",
    "/api/cards/bind",
    body=Binding,
    permission="print_runs.write",
    summary="Bind a card, by its link, token or printed number, to the order it is packed with",
)
def bind(call: Call) -> dict[str, Any]:
    return _bound(service.named(call.body.code), call.body)


@door.route(
    "POST",
    "/api/cards/bind-many",
    body=Bindings,
    permission="print_runs.write",
    summary="Bind up to 1,000 cards; what became of each, in their order",
)
def bind_many(call: Call) -> dict[str, Any]:
    return http.listing([_one_of_many(wanted) for wanted in call.body.items])


def _one_of_many(wanted: Binding) -> dict[str, Any]:
    try:
        return {"code": wanted.code, "error": None, **_bound(service.named(wanted.code), wanted)}
    except DomainError as error:
        if error.retryable:
            raise
        problem = {"status": error.status, "title": error.title, "detail": str(error)}
        return {"code": wanted.code, "status": "refused", "error": problem}


def _bound(found: service.Card, order: Order) -> dict[str, Any]:
    status = service.bind(found, msgspec.to_builtins(order))
    return {"status": status, **_named(found), "order_id": order.order_id}


def _named(found: service.Card) -> dict[str, Any]:
    return {"print_run_id": found.run.print_run_id, "number": found.number, "card": found.label}


def _job(job: Job) -> dict[str, Any]:
    return {**msgspec.structs.asdict(job), "print_run_id": job.result_id}


def _shown(run: service.Run) -> dict[str, Any]:
    return {
        "print_run_id": run.print_run_id,
        "live_code_id": run.live_code_id,
        "name": run.name,
        "prefix": run.prefix,
        "count": run.count,
        "first_card": run.label(1),
        "last_card": run.label(run.count),
        "use": run.use,
        "sheet": run.sheet,
        "status": run.status(clock.now()),
        "created_at": run.created_at,
        "expires_at": run.expires_at,
        "closed_at": run.closed_at,
        "stats_url": f"/api/print-runs/{run.print_run_id}/stats",
    }


def _csv(rows: list[dict[str, Any]], name: str) -> Answer:
    out = io.StringIO()
    out.write("\ufeff")
    if rows:
        writer = csv.DictWriter(out, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    kind = {"Content-Type": "text/csv; charset=utf-8"}
    return Answer(out.getvalue(), headers={**kind, "Content-Disposition": f'attachment; filename="{name}"'})
