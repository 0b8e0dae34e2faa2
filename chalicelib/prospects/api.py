"""Doors of prospects: imports, their people, settings, reports. A phone number is never in a URL."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chalicelib.platform import http, queues
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.http import Call
from chalicelib.platform.jobs import Job
from chalicelib.platform.lists import Paging
from chalicelib.prospects import (
    brand_settings,
    erasure,
    exports,
    imports,
    matching,
    prospect_list,
    rules,
    status_changes,
)
from chalicelib.prospects.types import (
    ByPhone,
    Change,
    ExportFilter,
    ImportMade,
    ImportOut,
    Match,
    NewImport,
    NewRows,
    ProspectOut,
    ProspectStatus,
    Respread,
    Settings,
)

door = http.Door(__name__, tag="Prospects")


class ProspectsQuery(Paging, kw_only=True):
    status: ProspectStatus | UnsetType = UNSET
    staff_id: Annotated[str, Meta(description="Of one guide")] = ""
    import_id: Annotated[str, Meta(description="Of one import")] = ""


@door.route(
    "POST",
    "/api/prospect-imports",
    body=NewImport,
    answer=ImportMade,
    status=201,
    permission="prospects.write",
    summary="A new import: PUT the file to `upload_url` with `upload_headers`, then start it",
)
def create(call: Call) -> dict[str, Any]:
    return imports.create(_builtins(call.body), _who(call))


@door.route(
    "GET",
    "/api/prospect-imports",
    permission="prospects.read",
    summary="Imports, the newest first",
    query=Paging,
)
def listing(call: Call) -> dict[str, Any]:
    return http.listing(*imports.page(*call.page()))


@door.route(
    "POST",
    "/api/prospect-imports/rows",
    body=NewRows,
    status=201,
    permission="prospects.write",
    summary="Import up to 1,000 rows at once: right ones are taken, the others told by their number",
)
def rows(call: Call) -> dict[str, Any]:
    return imports.take(_builtins(call.body), _who(call))


@door.route(
    "GET",
    "/api/prospect-imports/{import_id}",
    answer=ImportOut,
    permission="prospects.read",
    summary="An import with its figures by status, guide and day, and its add rate",
)
def report(call: Call, import_id: str) -> dict[str, Any]:
    return imports.report(import_id)


@door.route(
    "POST",
    "/api/prospect-imports/{import_id}/start",
    status=202,
    permission="prospects.write",
    summary="Read the uploaded file; the finished job's `result_url` is the report of bad rows",
)
def start(call: Call, import_id: str) -> Job:
    return imports.start(import_id)


@door.route(
    "GET",
    "/api/prospects",
    permission="prospects.read",
    summary="Prospects, numbers masked",
    query=ProspectsQuery,
)
def prospects(call: Call) -> dict[str, Any]:
    limit, cursor = call.page()
    wanted = {name: getattr(call.query, name) or None for name in ("status", "staff_id", "import_id")}
    return http.listing(*prospect_list.page(wanted, limit, cursor))


@door.route(
    "GET",
    "/api/prospects/settings",
    answer=Settings,
    permission="settings.read",
    summary="The settings of phone import",
)
def settings(call: Call) -> dict[str, Any]:
    return _settings(brand_settings.read())


@door.route(
    "PUT",
    "/api/prospects/settings",
    body=Settings,
    answer=Settings,
    permission="settings.write",
    summary="Set them: pace, time of the lists, expiry, buyers as prospects",
)
def set_settings(call: Call) -> dict[str, Any]:
    chosen = _builtins(call.body)
    if chosen["from_orders"]:
        wrong = brand_settings.mistakes(chosen["from_orders"]["staff"], "from_orders.staff")
        if chosen["from_orders"]["staff"]["rule"] in ("by_store", "by_column"):
            wrong.append(("from_orders.staff.rule", "an order names no store and no guide"))
        if wrong:
            raise Invalid(*wrong)
    return _settings(brand_settings.save(chosen))


@door.route(
    "POST",
    "/api/prospects/lists",
    status=202,
    permission="prospects.write",
    summary="Make today's lists now: for those who have none, or room on theirs",
)
def lists(call: Call) -> dict[str, str]:
    queues.send("prospect", {"kind": "lists"})
    return {"status": "accepted"}


@door.route(
    "POST",
    "/api/prospects/respread",
    body=Respread,
    status=202,
    permission="prospects.write",
    summary="Hand a guide's open tasks to others",
)
def respread(call: Call) -> dict[str, str]:
    from_staff = call.body.from_staff_id
    if from_staff != rules.NOBODY and not brand_settings.has_prospects(from_staff):
        raise NotFound("this guide has no prospects")
    if from_staff in call.body.to_staff_ids:
        raise Invalid(("to_staff_ids", "holds the guide whose tasks they are"))
    message = {"kind": "respread", "staff_id": from_staff, "to": call.body.to_staff_ids}
    queues.send("prospect", {**message, "after": "", "done": 0})
    return {"status": "accepted"}


@door.route(
    "POST",
    "/api/prospects/match",
    body=Match,
    answer=ProspectOut,
    permission="prospects.write",
    summary="Say which prospect a customer is, by phone, prospect_id or code",
)
def match(call: Call) -> dict[str, Any]:
    return matching.by_hand(_builtins(call.body))


@door.route(
    "POST",
    "/api/prospects/erase",
    body=ByPhone,
    permission="prospects.erase",
    summary="Erase by number: nothing stays but that it must not be contacted",
)
def erase_number(call: Call) -> dict[str, str]:
    prospect_id = erasure.erase_number(call.body.phone, call.body.country, _who(call))
    return {"prospect_id": prospect_id, "status": rules.ERASED}


@door.route(
    "POST",
    "/api/prospects/exports",
    body=ExportFilter,
    status=202,
    permission="prospects.export",
    summary="Export as CSV, numbers masked; the finished job has `result_url`",
)
def export(call: Call) -> Job:
    return exports.start_export(_builtins(call.body))


@door.route(
    "GET",
    "/api/prospects/{prospect_id}",
    answer=ProspectOut,
    permission="prospects.read",
    summary="One prospect, masked",
)
def get(call: Call, prospect_id: str) -> dict[str, Any]:
    return prospect_list.show(status_changes.find(prospect_id))


@door.route(
    "GET",
    "/api/prospects/{prospect_id}/phone",
    permission="phones.reveal",
    summary="The whole number; who asked is written down",
)
def phone(call: Call, prospect_id: str) -> http.Answer:
    body = {"prospect_id": prospect_id, "phone": prospect_list.reveal_number(prospect_id, _who(call))}
    return http.Answer(body, headers={"Cache-Control": "no-store"})


@door.route(
    "GET",
    "/api/prospects/{prospect_id}/timeline",
    permission="prospects.read",
    summary="What became of a prospect, newest first",
    query=Paging,
)
def history(call: Call, prospect_id: str) -> dict[str, Any]:
    return http.listing(*prospect_list.history(prospect_id, *call.page()))


@door.route(
    "POST",
    "/api/prospects/{prospect_id}/status",
    body=Change,
    answer=ProspectOut,
    permission="prospects.write",
    summary="Say what became of a prospect: to_add, asked, refused, unreachable",
)
def change(call: Call, prospect_id: str) -> dict[str, Any]:
    return prospect_list.show(status_changes.change(prospect_id, call.body.status, _who(call)))


@door.route(
    "DELETE",
    "/api/prospects/{prospect_id}",
    permission="prospects.erase",
    summary="Erase: nothing stays but that this number must not be contacted",
)
def erase(call: Call, prospect_id: str) -> dict[str, str]:
    erasure.erase(prospect_id, _who(call))
    return {"prospect_id": prospect_id, "status": rules.ERASED}


def _who(call: Call) -> str:
    return call.principal.name


def _settings(values: dict[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in brand_settings.DEFAULTS}


def _builtins(body: msgspec.Struct) -> dict[str, Any]:
    return msgspec.to_builtins(body)  # type: ignore[no-any-return]
