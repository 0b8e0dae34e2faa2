"""Doors of prospects: imports, their people, settings, reports. A phone number is never in a URL."""

from msgspec import UnsetType
from msgspec.structs import replace

from chalicelib.platform import http, messages
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.lists import Page, Paging
from chalicelib.platform.messages import Language
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.prospects import (
    brand_settings,
    daily_tasks,
    erasure,
    exports,
    handover,
    import_figures,
    imports,
    matching,
    prospect_list,
    status_changes,
)
from chalicelib.prospects.types import (
    Accepted,
    BrandSettings,
    ByPhone,
    Change,
    Erased,
    ExportFilter,
    Import,
    ImportFigures,
    ImportMade,
    ImportRowError,
    ImportsQuery,
    Match,
    NewImport,
    NewRows,
    Prospect,
    ProspectEvent,
    ProspectsQuery,
    Respread,
    RevealedPhone,
    RowsTaken,
    Settings,
    Spread,
)
from chalicelib.staff import problems
from chalicelib.staff.types import StaffWarning
from chalicelib.tables import reading
from chalicelib.tables.types import TablePreview

door = http.Door(__name__, tag="Prospects")


@door.route(
    "POST",
    "/api/prospect-imports",
    body=NewImport,
    answer=ImportMade,
    status=201,
    permission="prospects.write",
    summary="A new import: PUT the file to `upload_url` with `upload_headers`, then start it",
)
def create_import(call: Call) -> ImportMade:
    made = imports.create(call.body, call.principal, _language(call))
    return replace(made, warnings=_warnings(call, _named(call.body.staff)))


@door.route(
    "GET",
    "/api/prospect-imports",
    permission="prospects.read",
    summary="Imports, the newest first",
    query=ImportsQuery,
    answer=Page[Import],
)
def list_imports(call: Call) -> Page[Import]:
    return imports.page(call.query, call.principal)


@door.route(
    "POST",
    "/api/prospect-imports/rows",
    body=NewRows,
    answer=RowsTaken,
    status=201,
    permission="prospects.write",
    summary="Import up to 1,000 rows at once: right ones are taken, the others named by their number",
)
def take_rows(call: Call) -> RowsTaken:
    taken = imports.take(call.body, call.principal, _language(call))
    of_rows = [(f"rows[{n}].staff_id", row.staff_id) for n, row in enumerate(call.body.rows) if row.staff_id]
    return replace(taken, warnings=_warnings(call, [*_named(call.body.staff), *of_rows]))


@door.route(
    "GET",
    "/api/prospect-imports/{import_id}",
    answer=ImportFigures,
    permission="prospects.read",
    summary="An import with its figures by status, guide and day, and its add rate",
)
def report(call: Call, import_id: str) -> ImportFigures:
    figures = import_figures.report(import_id, call.principal)
    named = [(f"by_staff[{number}].staff_id", row.staff_id) for number, row in enumerate(figures.by_staff)]
    found = problems.known(staff_id for _, staff_id in named)
    return replace(figures, warnings=problems.warnings(named, found, _language(call)))


@door.route(
    "GET",
    "/api/prospect-imports/{import_id}/errors",
    permission="prospects.read",
    summary="What is wrong with an import's rows, by line; what stood there is masked",
    query=Paging,
    answer=Page[ImportRowError],
)
def list_row_errors(call: Call, import_id: str) -> Page[ImportRowError]:
    return import_figures.row_errors(import_id, call.query, call.principal)


@door.route(
    "POST",
    "/api/prospect-imports/preview",
    permission="prospects.write",
    summary="The columns of a file (of a large CSV: its beginning) and its first rows, numbers masked",
    takes=reading.CSV,
    max_body=reading.MAX_BYTES,
    answer=TablePreview,
)
def preview_import(call: Call) -> TablePreview:
    with reading.file_errors():
        return imports.preview(call.raw)


@door.route(
    "POST",
    "/api/prospect-imports/{import_id}/start",
    answer=Job,
    status=202,
    permission="prospects.write",
    summary="Read the uploaded file; the finished job's `result_url` is the report of bad rows",
)
def start_import(call: Call, import_id: str) -> Job:
    return imports.start(import_id, call.principal)


@door.route(
    "GET",
    "/api/prospects",
    permission="prospects.read",
    summary="Prospects by status, guide and import, the newest first in each; numbers masked",
    query=ProspectsQuery,
    answer=Page[Prospect],
)
def list_prospects(call: Call) -> Page[Prospect]:
    return prospect_list.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/prospects/settings",
    answer=Settings,
    permission="settings.read",
    summary="The settings of phone import",
)
def get_settings(call: Call) -> Answer:
    return _settings(*brand_settings.read_version())


@door.route(
    "PUT",
    "/api/prospects/settings",
    body=Settings,
    answer=Settings,
    permission="settings.write",
    headers=IfMatchHeader,
    summary="Set them: pace, time of the lists, expiry, buyers as prospects",
)
def set_settings(call: Call) -> Answer:
    from_orders = call.body.from_orders
    if from_orders is not None:
        wrong = brand_settings.issues(from_orders.staff, "from_orders.staff")
        if from_orders.staff.rule in ("by_store", "by_column"):
            wrong.append(issue("from_orders.staff.rule", "enum", allowed=["round_robin", "weighted"]))
        if wrong:
            raise Invalid(*wrong)
    return _settings(*brand_settings.save(call.body, call.if_match))


@door.route(
    "POST",
    "/api/prospects/lists",
    answer=Accepted,
    status=202,
    permission="prospects.write",
    summary="Make today's lists now: for those who have none, or room on theirs",
)
def make_lists(call: Call) -> Accepted:
    daily_tasks.ask_for_lists(call.principal)
    return Accepted()


@door.route(
    "POST",
    "/api/prospects/respread",
    body=Respread,
    answer=Accepted,
    status=202,
    permission="prospects.write",
    summary="Hand a guide's open tasks to others",
)
def respread(call: Call) -> Accepted:
    handover.ask_for_handover(call.body, call.principal)
    return Accepted()


@door.route(
    "POST",
    "/api/prospects/match",
    body=Match,
    answer=Prospect,
    permission="prospects.write",
    summary="Say which prospect a customer is, by phone, prospect_id or code",
)
def match(call: Call) -> Prospect:
    return matching.match_by_hand(call.body, call.principal)


@door.route(
    "POST",
    "/api/prospects/erase",
    body=ByPhone,
    answer=Erased,
    permission="prospects.erase",
    summary="Erase by number: nothing stays but that it must not be contacted",
)
def erase_number(call: Call) -> Erased:
    return Erased(prospect_id=erasure.erase_number(call.body.phone, call.body.country, call.principal))


@door.route(
    "POST",
    "/api/prospects/exports",
    body=ExportFilter,
    answer=Job,
    status=202,
    permission="prospects.export",
    summary="Export as CSV, numbers masked; the finished job has `result_url`",
)
def export(call: Call) -> Job:
    return exports.start_export(call.body, call.principal)


@door.route(
    "GET",
    "/api/prospects/{prospect_id}",
    answer=Prospect,
    permission="prospects.read",
    summary="One prospect, masked",
)
def get(call: Call, prospect_id: str) -> Prospect:
    return prospect_list.get(prospect_id, call.principal)


@door.route(
    "GET",
    "/api/prospects/{prospect_id}/phone",
    answer=RevealedPhone,
    permission="phones.reveal",
    summary="The whole number; who asked is written down",
)
def phone(call: Call, prospect_id: str) -> http.Answer:
    number = prospect_list.reveal_number(prospect_id, call.principal)
    body = RevealedPhone(prospect_id=prospect_id, phone=number)
    return http.Answer(body, headers={"Cache-Control": "no-store"})


@door.route(
    "GET",
    "/api/prospects/{prospect_id}/timeline",
    permission="prospects.read",
    summary="What became of a prospect, newest first",
    query=Paging,
    answer=Page[ProspectEvent],
)
def history(call: Call, prospect_id: str) -> Page[ProspectEvent]:
    return prospect_list.history(prospect_id, call.query, call.principal)


@door.route(
    "POST",
    "/api/prospects/{prospect_id}/status",
    body=Change,
    answer=Prospect,
    permission="prospects.write",
    summary="Say what became of a prospect: to_add, asked, refused, unreachable",
)
def change(call: Call, prospect_id: str) -> Prospect:
    by, status = call.principal.name, call.body.status
    item = status_changes.change(prospect_id, status, by, principal=call.principal)
    return prospect_list.show(item, call.principal)


@door.route(
    "DELETE",
    "/api/prospects/{prospect_id}",
    answer=Erased,
    permission="prospects.erase",
    summary="Erase: nothing stays but that this number must not be contacted",
)
def erase(call: Call, prospect_id: str) -> Erased:
    erasure.erase(prospect_id, call.principal)
    return Erased(prospect_id=prospect_id)


def _named(spread: Spread) -> list[tuple[str, str]]:
    """(field, staff_id) of whom the rule names."""
    weighted = [(f"staff.weights.{staff_id}", staff_id) for staff_id in spread.weighted]
    return [*problems.fields("staff.staff_ids", spread.staff_ids), *weighted]


def _warnings(call: Call, named: list[tuple[str, str]]) -> list[StaffWarning] | UnsetType:
    """Of these people, as WeCom tells."""
    return problems.warnings(named, problems.ask(staff_id for _, staff_id in named), _language(call))


def _language(call: Call) -> Language:
    return messages.language(call.headers.get("accept-language"))


def _settings(stored: BrandSettings, version: int) -> Answer:
    shown = Settings(**{name: getattr(stored, name) for name in Settings.__struct_fields__})
    return http.versioned(shown, version)
