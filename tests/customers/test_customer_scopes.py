"""Lists of customers: by guide, by store, over all; who sees whom; customers from before there were lists."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import botocore.client
import pytest
from chalice.test import Client

from app import app
from chalicelib.customers import lookup, models, rules
from chalicelib.customers.models import CustomerItem, FollowItem
from chalicelib.customers.rules import Customer
from chalicelib.platform import auth, timeline
from chalicelib.platform.auth import Scope
from chalicelib.platform.timeline import Line
from tests.support.api import Api

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
KEPT = {
    ("GET", "/api/customers"),
    ("GET", "/api/customers/{external_userid}"),
    ("GET", "/api/customers/{external_userid}/timeline"),
    ("PATCH", "/api/customers/{external_userid}"),
    ("POST", "/api/customers/{external_userid}/tags"),
}
STORES = {"s1": ["ann"], "s2": ["bob"], "s3": ["ann", "bob"]}


def add(external_userid: str, staff_id: str, minutes: int = 0, half: bool = False) -> None:
    customer, at = models.load(external_userid), NOW + timedelta(minutes=minutes)
    models.save(rules.added(customer, staff_id, at, half, None).customer)


def lose(external_userid: str, staff_id: str, minutes: int) -> None:
    customer = models.load(external_userid)
    models.save(rules.lost(customer, staff_id, NOW + timedelta(minutes=minutes)).customer)


def ids(api: Api, query: str = "") -> list[str]:
    """Over all pages of two."""
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        status, page = api.get(f"/api/customers?limit=2{query}" + (f"&cursor={cursor}" if cursor else ""))
        assert status == 200 and len(page["items"]) <= 2, page
        found += [row["external_userid"] for row in page["items"]]
        assert page["total"] == len(found)
        cursor = page["next_cursor"]
    return found


@pytest.fixture
def api(tables: None, at: Callable[[datetime], None]) -> Iterator[Api]:
    at(NOW)
    with Client(app) as client:
        api = Api(client)
        for store_id, staff_ids in STORES.items():
            place = {"name": store_id, "latitude": 22, "longitude": 113}
            assert api.post("/api/stores", {"store_id": store_id, **place, "staff_ids": staff_ids})[0] == 201
        yield api


def as_guide(api: Api, staff_id: str, path: str) -> tuple[int, Any]:
    cookie = f"{auth.SESSION_COOKIE}={auth.begin_session('user', staff_id)}"
    answer = api.client.http.get(path, headers={"Cookie": cookie})
    return answer.status_code, answer.json_body


def test_newest_first_by_guide_by_store_and_over_all(api: Api) -> None:
    for minute, (who, staff_id) in enumerate(
        [("wm1", "ann"), ("wm2", "bob"), ("wm3", "ann"), ("wm4", "cid"), ("wm1", "bob"), ("wm5", "ann")]
    ):
        add(who, staff_id, minute, half=who == "wm3")
    assert ids(api) == ["wm5", "wm1", "wm4", "wm3", "wm2"]
    assert ids(api, "&staff_id=ann") == ["wm5", "wm3", "wm1"]
    assert ids(api, "&staff_id=bob") == ids(api, "&store_id=s2") == ["wm1", "wm2"]
    assert ids(api, "&store_id=s3") == ["wm5", "wm1", "wm3", "wm2"]  # wm1 once, at the newer bond
    assert ids(api, "&store_id=s3&staff_id=ann") == ["wm5", "wm3", "wm1"]
    assert ids(api, "&staff_id=nobody") == ids(api, "&store_id=s1&staff_id=bob") == []
    assert api.get("/api/customers?store_id=none")[0] == 404
    _, page = api.get("/api/customers?limit=1")
    assert (page["total"], page["total_is"]) == (1, "at_least")
    assert page["items"][0]["follows"] == [
        {
            "staff_id": "ann",
            "staff_name": "ann",
            "added_at": "2026-11-22T02:05:00.000000+00:00",
            "status": "active",
            "remark": "",
        }
    ]
    assert api.get("/api/customers?cursor=!")[0] == 422


def test_two_bonds_of_one_second_are_one_row(api: Api) -> None:
    add("wm1", "ann")
    add("wm1", "bob")
    assert ids(api) == ids(api, "&store_id=s3") == ["wm1"]


def test_a_bond_that_ends_leaves_the_guides_list_and_one_made_anew_moves_up(api: Api) -> None:
    add("wm1", "ann", 0)
    add("wm2", "ann", 1)
    lose("wm1", "ann", 2)
    assert ids(api, "&staff_id=ann") == ["wm2"]
    assert ids(api) == ["wm2", "wm1"]  # who is lost to everybody is still known
    assert api.get("/api/customers/wm1")[1]["follows"][0]["status"] == "lost"
    add("wm1", "ann", 3)
    assert ids(api, "&staff_id=ann") == ids(api) == ["wm1", "wm2"]
    assert len(list(FollowItem.scan())) == 2


def test_a_scope_sees_the_customers_of_its_guides(api: Api) -> None:
    add("wm1", "ann", 0)
    add("wm2", "bob", 1)
    add("wm3", "cid", 2)
    for who in ("wm1", "wm2", "wm9"):
        timeline.record(Line(who, "follow_edited", NOW, "k", {"staff_id": "x"}))
    s1 = Scope(("s1",))
    manager = api.acting_as("store_manager", s1)
    assert ids(api.acting_as("operator", s1)) == ["wm1"]
    assert (
        ids(api.acting_as("operator", s1), "&staff_id=bob") == ids(api.acting_as("operator", Scope(()))) == []
    )
    assert ids(api.acting_as("operator", Scope(("s1", "s2")))) == ["wm2", "wm1"]
    assert manager.get("/api/customers?store_id=s2")[0] == 404
    for path, status in [("wm1", 200), ("wm2", 404), ("wm9", 404), ("none", 404)]:
        for end in ("", "/timeline"):
            assert manager.get(f"/api/customers/{path}{end}")[0] == status, path
    assert api.get("/api/customers/wm9/timeline")[0] == 200
    assert manager.get("/api/customers/wm2", Accept_Language="zh")[1]["detail"] == "没有这个客户：wm2"
    assert [row["external_userid"] for row in as_guide(api, "ann", "/api/customers")[1]["items"]] == ["wm1"]
    assert as_guide(api, "ann", "/api/customers/wm1")[0] == 200
    assert as_guide(api, "ann", "/api/customers/wm2")[0] == 404
    lose("wm1", "ann", 3)
    assert as_guide(api, "ann", "/api/customers/wm1/timeline")[0] == 404


def test_many_guides_are_read_over_all(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(6):
        add(f"wm{n}", ("ann", "bob", "cid")[n % 3], n)
    monkeypatch.setattr(lookup, "_MERGED", 1)
    assert ids(api.acting_as("operator", Scope(("s3",)))) == ["wm4", "wm3", "wm1", "wm0"]


def test_an_auditor_sees_no_personal_data(api: Api) -> None:
    add("wm1", "ann")
    models.save(rules.with_profile(models.load("wm1"), {"name": "王小明", "unionid": "o1"}))
    auditor = api.acting_as("auditor")
    for row in (auditor.get("/api/customers/wm1")[1], auditor.get("/api/customers")[1]["items"][0]):
        assert (row["name"], row["unionid"]) == ("王***", "***")


def test_an_auditors_cursor_has_no_id_in_it_and_is_good_for_its_list_alone(api: Api, keys: None) -> None:
    for n in range(3):
        add(f"wm{n}", "ann", n)
    auditor = api.acting_as("auditor")
    page = auditor.get("/api/customers?limit=2")[1]
    sealed = page["next_cursor"]
    assert b"wm" not in base64.urlsafe_b64decode(sealed)
    last = auditor.get(f"/api/customers?limit=2&cursor={sealed}")[1]
    assert (len(last["items"]), last["total"], last["next_cursor"]) == (1, 3, None)
    plain = api.get("/api/customers?limit=2")[1]["next_cursor"]
    for cursor, path in (
        (plain, "/api/customers"),
        (sealed, "/api/touches?sop_id=x"),
        ("x", "/api/customers"),
    ):
        status, problem = auditor.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}")
        assert status == 422 and problem["errors"][0]["field"] == "cursor"


def strip(external_userid: str) -> None:
    """As a version without lists wrote it."""
    CustomerItem(external_userid).update([CustomerItem.place.remove(), CustomerItem.listing.remove()])


def test_a_customer_from_before_the_lists_is_entered_by_the_migration_or_its_next_write(api: Api) -> None:
    for who in ("wm1", "wm2"):
        add(who, "ann", 0)
        add(who, "bob", 1)
        strip(who)
    for row in FollowItem.scan():
        row.delete()
    before = models.load("wm1").version
    assert ids(api) == []
    for _ in range(2):
        models.enter_in_lists(CustomerItem.get("wm1"))
    assert ids(api) == ids(api, "&staff_id=ann") == ["wm1"]
    assert models.load("wm1").version == before
    add("wm2", "cid", 2)
    assert ids(api, "&staff_id=bob") == ["wm2", "wm1"]


def test_a_write_between_the_migrations_read_and_its_own_wins(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The migration reads: ann's. ann is lost. The migration's transaction fails, and it reads anew."""
    add("wm1", "ann")
    strip("wm1")
    for row in FollowItem.scan():
        row.delete()
    load, raced = models.load, []

    def overtaken(external_userid: str) -> Customer:
        found = load(external_userid)
        if not raced:
            raced.append(True)
            lose(external_userid, "ann", 1)
        return found

    monkeypatch.setattr(models, "load", overtaken)
    models.enter_in_lists(CustomerItem.get("wm1"))
    assert not list(FollowItem.scan()) and ids(api) == ["wm1"]


def test_a_page_costs_the_partitions_and_one_batch(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        add(f"wm{n}", "ann", n)
    made: list[str] = []
    through = botocore.client.BaseClient._make_api_call

    def call(client: Any, operation: str, arguments: Any) -> Any:
        made.append(operation)
        return through(client, operation, arguments)

    principal = auth.Principal("key", "k", "k", "operator")
    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    for query, queries in [(lookup.CustomersQuery(staff_id="ann"), 1), (lookup.CustomersQuery(), 8)]:
        made.clear()
        assert len(lookup.page(query, principal).items) == 5
        assert made == ["Query"] * queries + ["BatchGetItem"]
