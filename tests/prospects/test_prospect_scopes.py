"""Prospects and imports by scope and by role: a prospect is a store's while its guide is."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.customers import models as customer_models
from chalicelib.customers.rules import Customer, Follow
from chalicelib.platform import files
from chalicelib.platform.principal import Scope
from chalicelib.prospects import models
from tests.support.api import Api
from tests.support.prospects_world import CONSENT, World, number, prospects, world

__all__ = ["world"]
PROSPECT, IMPORT = "/api/prospects/{}", "/api/prospect-imports/{}"
KEPT = {
    ("GET", "/api/prospect-imports"),
    ("POST", "/api/prospect-imports"),
    ("POST", "/api/prospect-imports/rows"),
    ("GET", "/api/prospect-imports/{import_id}"),
    ("GET", "/api/prospect-imports/{import_id}/errors"),
    ("POST", "/api/prospect-imports/{import_id}/start"),
    ("GET", "/api/prospects"),
    ("POST", "/api/prospects/erase"),
    ("POST", "/api/prospects/exports"),
    ("POST", "/api/prospects/lists"),
    ("POST", "/api/prospects/match"),
    ("POST", "/api/prospects/respread"),
    ("DELETE", "/api/prospects/{prospect_id}"),
    ("GET", "/api/prospects/{prospect_id}"),
    ("POST", "/api/prospects/{prospect_id}/status"),
    ("GET", "/api/prospects/{prospect_id}/timeline"),
}


class Brand:
    """Store s1 has ann, s2 bob. Imports: ann's (numbers 1, 2), bob's (3), and one of both (4, 5)."""

    def __init__(self, client: Client, world: World) -> None:
        self.client, self.world, self.admin = client, world, Api(client, "admin")
        place = {"latitude": 22.5, "longitude": 113.9}
        for store_id, member in (("s1", "ann"), ("s2", "bob")):
            row = {"store_id": store_id, "name": store_id, **place, "staff_ids": [member]}
            assert self.admin("POST", "/api/stores", row)[0] == 201
        self.ann = self.take([1, 2], "ann", name="双十一")
        self.bob = self.take([3], "bob", name="会员日")
        self.both = self.take([4, 5], "ann", "bob", name="年货节")

    def take(self, numbers: list[int], *staff_ids: str, **more: Any) -> str:
        self.world.now += timedelta(seconds=1)
        status, made = self.admin("POST", "/api/prospect-imports/rows", rows(numbers, *staff_ids, **more))
        assert (status, made["new"]) == (201, len(numbers))
        return str(made["import_id"])

    def manager(self, *store_ids: str) -> Api:
        return Api(self.client, "store_manager", Scope(store_ids), name=f"manager of {store_ids}")

    def of(self, staff_id: str, line: int = 1) -> str:
        return next(p.prospect_id for p in prospects() if p.staff_id == staff_id and p.line == line)


def rows(numbers: list[int], *staff_ids: str, **more: Any) -> dict[str, Any]:
    people = [{"phone": number(n), "name": f"客户{n}"} for n in numbers]
    return {"rows": people, "staff": {"staff_ids": list(staff_ids)}, "consent": CONSENT, **more}


@pytest.fixture
def brand(world: World) -> Iterator[Brand]:
    with Client(app) as client:
        yield Brand(client, world)


def test_lists_have_the_scopes_prospects_and_imports_alone(brand: Brand) -> None:
    def guides(api: Api, query: str = "") -> list[str]:
        return sorted(api.ids(f"/api/prospects{query}", "staff_id"))

    def imports(api: Api) -> set[str]:
        return set(api.ids("/api/prospect-imports", "import_id"))

    assert guides(brand.admin) == ["ann"] * 3 + ["bob"] * 2
    assert guides(brand.manager("s1")) == ["ann"] * 3 and guides(brand.manager("s2")) == ["bob"] * 2
    assert guides(brand.manager()) == [] == guides(brand.manager("s1"), "?staff_id=bob")
    assert guides(brand.manager("s1"), f"?import_id={brand.both}") == ["ann"]
    assert imports(brand.admin) == {brand.ann, brand.bob, brand.both}
    assert imports(brand.manager("s1")) == {brand.ann, brand.both}
    assert imports(brand.manager("s2")) == {brand.bob, brand.both} and imports(brand.manager()) == set()
    # A prospect is the store's while its guide is.
    assert brand.admin("PATCH", "/api/stores/s2", {"staff_ids": ["ann"]})[0] == 200
    assert guides(brand.manager("s2")) == ["ann"] * 3


def test_imports_are_filtered_searched_and_sorted(brand: Brand) -> None:
    def names(query: str) -> list[str]:
        return brand.admin.ids(f"/api/prospect-imports?{query}", "name")

    assert names("") == ["年货节", "会员日", "双十一"] and names("sort=created_at") == names("")[::-1]
    assert names("sort=name") == ["会员日", "年货节", "双十一"] and names("q=hyr") == ["会员日"]
    assert (
        names("source=csv") == [] == names("status=running")
        and len(names("status=finished&source=rows")) == 3
    )
    _, first = brand.admin("GET", "/api/prospect-imports?limit=2")
    assert (first["total"], first["total_is"]) == (3, "exact")
    assert names(f"limit=2&cursor={first['next_cursor']}") == ["双十一"]
    assert brand.admin("GET", "/api/prospect-imports?sort=city")[0] == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", PROSPECT, None),
        ("GET", f"{PROSPECT}/timeline", None),
        ("POST", f"{PROSPECT}/status", {"status": "asked"}),
        ("DELETE", PROSPECT, None),
        ("POST", "/api/prospects/erase", {"phone": number(3)}),
    ],
)
def test_a_prospect_outside_of_the_scope_is_not_there(
    brand: Brand, method: str, path: str, body: Any
) -> None:
    theirs = brand.of("bob")
    for scope in (("s1",), ()):
        status, problem = brand.manager(*scope)(method, path.format(theirs), body)
        assert (status, problem["detail"]) == (404, "there is no such prospect")
    assert models.find(theirs).version == 1
    assert brand.manager("s2")(method, path.format(theirs), body)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", IMPORT, None),
        ("POST", f"{IMPORT}/start", None),
        ("GET", "/api/prospects?import_id={}", None),
        ("POST", "/api/prospects/exports", {"import_id": "{}"}),
    ],
)
def test_an_import_outside_of_the_scope_is_not_there(brand: Brand, method: str, path: str, body: Any) -> None:
    body = body and {"import_id": brand.bob}
    assert brand.manager("s1")(method, path.format(brand.bob), body)[0] == 404
    assert brand.manager("s2")(method, path.format(brand.bob), body)[0] != 404


def test_of_an_import_of_several_stores_each_sees_its_own_figures(brand: Brand) -> None:
    assert brand.admin("POST", f"{PROSPECT.format(brand.of('bob', 2))}/status", {"status": "asked"})[0] == 200
    _, whole = brand.admin("GET", IMPORT.format(brand.both))
    assert (whole["rows"], whole["new"], whole["statuses"]["asked"], len(whole["by_day"])) == (2, 2, 1, 1)
    _, part = brand.manager("s1")("GET", IMPORT.format(brand.both))
    assert [row["staff_id"] for row in part["by_staff"]] == part["staff"]["staff_ids"] == ["ann"]
    assert (part["rows"], part["new"], part["statuses"]["asked"], part["by_day"]) == (None, 1, 0, [])
    _, own = brand.manager("s1")("GET", IMPORT.format(brand.ann))
    assert (own["rows"], own["new"]) == (2, 2)


def test_nobody_imports_for_other_stores_guides(brand: Brand) -> None:
    manager, path = brand.manager("s1"), "/api/prospect-imports"
    for where, body in ((f"{path}/rows", rows([9], "bob")), (path, {**NEW, "staff": {"staff_ids": ["bob"]}})):
        status, problem = manager("POST", where, body)
        assert (status, problem["errors"][0]["code"]) == (422, "guides_outside_scope")
    body = rows([8, 9], staff={"rule": "by_column"})
    body["rows"][0]["staff_id"], body["rows"][1]["staff_id"] = "ann", "bob"
    _, taken = manager("POST", f"{path}/rows", body)
    assert (taken["new"], [error["code"] for error in taken["errors"]]) == (1, ["row_guide_outside_scope"])
    # So does a file, which is read later and by another function.
    _, made = manager("POST", path, {**NEW, "staff": {"rule": "by_column"}})
    files.put(
        f"uploads/prospects/{made['import_id']}.csv",
        f"手机,导购\n{number(6)},ann\n{number(7)},bob\n".encode(),
    )
    assert brand.manager("s2")("POST", f"{path}/{made['import_id']}/start")[0] == 404
    assert manager("POST", f"{path}/{made['import_id']}/start")[0] == 202  # seen by whoever made it
    brand.world.queues.work()
    assert [p.staff_id for p in prospects() if p.import_id == made["import_id"]] == ["ann"]
    report = files.get(f"results/prospect-imports/{made['import_id']}.csv").decode("utf-8-sig")
    assert report.splitlines()[1:] == ["3,staff_id,is a guide outside of your scope,"]


NEW = {"name": "x", "format": "csv", "consent": CONSENT}


def test_exports_hold_the_scope_of_whoever_asked(brand: Brand) -> None:
    def exported(api: Api) -> str:
        status, job = api("POST", "/api/prospects/exports", {})
        assert status == 202
        brand.world.queues.work()
        return files.get(f"results/prospect-exports/{job['job_id']}.csv").decode("utf-8-sig")

    assert (
        exported(brand.manager("s1")).count(",ann,")
        == 3
        == len(exported(brand.manager("s1")).splitlines()) - 1
    )
    assert len(exported(brand.manager()).splitlines()) == 1
    assert len(exported(brand.admin).splitlines()) == 6
    masked = exported(Api(brand.client, "auditor"))
    assert "客户" not in masked and "138****0001" in masked


def test_tasks_are_handed_on_within_the_scope(brand: Brand) -> None:
    def ask(api: Api, from_staff: str, *to: str) -> int:
        body = {"from_staff_id": from_staff, "to_staff_ids": list(to)}
        return api("POST", "/api/prospects/respread", body)[0]

    manager = brand.manager("s1")
    assert ask(manager, "bob", "ann") == ask(manager, "-", "ann") == ask(manager, "zoe", "ann") == 404
    assert ask(manager, "ann", "bob") == ask(manager, "ann") == ask(manager, "ann", "ann") == 422
    assert ask(brand.manager("s1", "s2"), "ann", "bob") == 202 == ask(brand.admin, "bob", "zoe")


def test_lists_are_made_for_the_scopes_guides(brand: Brand) -> None:
    brand.world.queues.sent.clear()
    assert brand.manager("s1")("POST", "/api/prospects/lists")[0] == 202
    assert [m["staff_id"] for _, m in brand.world.queues.sent if m["kind"] == "list"] == ["ann"]


def test_a_match_is_of_the_scopes_prospects_and_customers(brand: Brand) -> None:
    for staff_id in ("ann", "bob"):
        bond = Follow("active", brand.world.now, brand.world.now)
        customer_models.save(Customer(f"wm_{staff_id}", follows={staff_id: bond}))

    def match(who: str, whose: str, **more: str) -> int:
        body = {"external_userid": f"wm_{who}", "prospect_id": brand.of(whose), **more}
        return brand.manager("s1")("POST", "/api/prospects/match", body)[0]

    assert match("bob", "ann") == match("ann", "bob") == 404
    assert match("ann", "ann", staff_id="bob") == 422
    assert match("ann", "ann") == 200


def test_an_auditor_reads_prospects_without_who_they_are(brand: Brand) -> None:
    _, row = Api(brand.client, "auditor")("GET", PROSPECT.format(brand.of("bob")))
    assert (row["phone"], row["name"], row["note"]) == ("138****0003", "***", "")
    assert "客户" not in row["remark"] and row["staff_id"] == "bob"


def test_guides_and_numbers_in_full_are_not_for_everybody(brand: Brand) -> None:
    assert Api(brand.client, "guide")("GET", "/api/prospects")[0] == 403
    assert brand.manager("s1")("GET", f"{PROSPECT.format(brand.of('ann'))}/phone")[0] == 403


def test_bad_rows_are_seen_by_who_sees_the_whole_import(brand: Brand) -> None:
    people = [{"phone": number(7)}, {"phone": "138-000", "name": "短号"}]
    body = {**rows([], "ann"), "rows": people}
    made = brand.admin("POST", "/api/prospect-imports/rows", body)[1]
    path = f"/api/prospect-imports/{made['import_id']}/errors"
    status, page = brand.admin("GET", path)
    assert (status, page["total"]) == (200, 1)
    (wrong,) = page["items"]
    assert (wrong["line"], wrong["field"]) == (2, "phone") and wrong["message"]
    assert "138-000" not in json.dumps(page)
    assert brand.manager("s1")("GET", path)[0] == 200
    assert brand.manager("s2")("GET", path)[0] == 404
    # Of an import of both, one store's manager sees that store's part alone.
    assert brand.manager("s1")("GET", f"/api/prospect-imports/{brand.both}/errors")[0] == 404


def test_a_preview_shows_no_number(brand: Brand) -> None:
    text = f"手机号码,姓名,等级\n{number(1)},客户1,VIP {number(2)}\n"
    key = brand.admin.key
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "text/csv"}
    answer = brand.client.http.post("/api/prospect-imports/preview", headers=headers, body=text.encode())
    assert answer.status_code == 200
    seen = answer.json_body
    assert [one["field"] for one in seen["columns"]] == ["phone", "name", None]
    shown = json.dumps(seen)
    assert number(1)[-8:] not in shown and number(2)[-8:] not in shown and len(seen["rows"]) == 1
