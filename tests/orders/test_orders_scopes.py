"""Whoever is kept to a store sees its orders, and the distributors who are its guides' customers."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer, Follow
from chalicelib.orders import service as orders
from chalicelib.platform import auth
from chalicelib.platform.auth import Scope
from chalicelib.stores import guides
from chalicelib.stores.models import StoreItem
from tests.support.money_world import T0, message, paid

KEPT = {
    ("GET", "/api/orders"),
    ("GET", "/api/orders/{order_id}"),
    ("GET", "/api/distributors"),
    ("GET", "/api/distributors/{distributor_id}"),
    ("PATCH", "/api/distributors/{distributor_id}"),
    ("POST", "/api/distributors"),
}
STORE = {"listing": "store", "version": 1, "city": "", "address": "", "latitude": 22, "longitude": 113}
S1, S2 = Scope(("s1",)), Scope(("s2",))
Ask = Callable[..., Any]


def staff_store(store_id: str, *staff_ids: str) -> None:
    row = StoreItem(
        store_id, name=store_id, staff_ids=list(staff_ids), chat_ids=[], created_at="", updated_at="", **STORE
    )
    row.save()


def befriend(person: str, staff_id: str, unionid: str | None = None) -> None:
    customers.save(Customer(person, unionid=unionid, follows={staff_id: Follow("active", T0, T0)}))


@pytest.fixture
def ask(tables: None, keys: None, at: Callable[[datetime], None]) -> Iterator[Ask]:
    """Store s1 with ann, whose customer is wm1; s2 with bob, whose are wm2 and wm4 (unionid u4); wm3 is nobody's.

    Each has ordered; so has somebody with no more than a unionid.
    """
    at(T0)
    guides.forget()
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    for person, staff_id, unionid in (("wm1", "ann", None), ("wm2", "bob", None), ("wm4", "bob", "u4")):
        befriend(person, staff_id, unionid)
    with Client(app) as client:

        def call(
            scope: Scope | None, method: str, path: str, body: Any = None, role: str = "operator"
        ) -> Any:
            headers = {"Authorization": f"Bearer {auth.create_key('k', role, scope)}"}
            raw = b"" if body is None else json.dumps(body).encode()
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        plan = {"name": "p", "levels": [{"rate_bps": 1000}, {"rate_bps": 300}]}
        _, made = call(None, "POST", "/api/distribution/plans", plan, "admin")
        call.plan_id = made["plan_id"]  # type: ignore[attr-defined]
        for n, person in enumerate(("wm1", "wm2", "wm3"), start=1):
            orders.take(paid(f"o{n}", "", external_userid=person).to_queue())
        orders.take(paid("o4", "", external_userid=None, unionid="u4").to_queue())
        orders.take(paid("o5", "", external_userid=None, unionid="u5").to_queue())
        yield call
    guides.forget()


def ids(answer: tuple[int, Any], name: str = "order_id") -> list[str]:
    assert answer[0] == 200
    return sorted(row[name] for row in answer[1]["items"])


def test_a_store_has_the_orders_of_its_guides_customers(ask: Ask) -> None:
    assert ids(ask(None, "GET", "/api/orders")) == ["o1", "o2", "o3", "o4", "o5"]
    assert ids(ask(S1, "GET", "/api/orders")) == ["o1"]
    assert ids(ask(S2, "GET", "/api/orders")) == ["o2", "o4"]
    assert (
        ids(ask(Scope(()), "GET", "/api/orders")) == ids(ask(Scope(None, ("9",)), "GET", "/api/orders")) == []
    )
    for query, seen in (
        ("store_id=s2", ["o2", "o4"]),
        ("external_userid=wm2", ["o2"]),
        ("unionid=u4", ["o4"]),
    ):
        assert ids(ask(S2, "GET", f"/api/orders?{query}")) == seen
        assert ids(ask(S1, "GET", f"/api/orders?{query}")) == []
    for order_id, status in (("o1", 200), ("o2", 404), ("o3", 404), ("o5", 404)):
        assert ask(S1, "GET", f"/api/orders/{order_id}")[0] == status
        assert ask(None, "GET", f"/api/orders/{order_id}")[0] == 200


def test_an_order_stays_with_the_store_of_its_time(ask: Ask) -> None:
    staff_store("s1")
    staff_store("s3", "ann")
    guides.forget()
    orders.take(message("o1", "completed", 1).to_queue())
    orders.take(paid("o6", "", external_userid="wm1").to_queue())
    assert ids(ask(S1, "GET", "/api/orders")) == ["o1"]
    assert ids(ask(Scope(("s3",)), "GET", "/api/orders")) == ["o6"]


def test_distributors_are_of_the_guides_of_the_customer_that_they_were(ask: Ask) -> None:
    def enlist(scope: Scope | None, **person: str) -> tuple[int, Any]:
        openid = "o" + "".join(person.values())
        new = {"name": "王", "openid": openid, "plan_id": ask.plan_id, **person}  # type: ignore[attr-defined]
        return ask(scope, "POST", "/api/distributors", new)

    assert enlist(S1, external_userid="wm2")[0] == enlist(S1, external_userid="wm9")[0] == 404
    assert enlist(S1, unionid="u4")[0] == 404 and ids(ask(None, "GET", "/api/distributors"), "name") == []
    mine, theirs = enlist(S1, external_userid="wm1")[1], enlist(S2, unionid="u4")[1]
    nobodys = enlist(None, unionid="u9")[1]
    status, wrong = enlist(S2, external_userid="wm2", parent_id=mine["distributor_id"])
    assert (status, wrong["errors"][0]["field"], wrong["errors"][0]["code"]) == (
        422,
        "parent_id",
        "not_found",
    )
    for scope, seen in ((S1, [mine]), (S2, [theirs]), (None, [mine, theirs, nobodys])):
        assert ids(ask(scope, "GET", "/api/distributors"), "distributor_id") == sorted(
            who["distributor_id"] for who in seen
        )
        for who in (mine, theirs, nobodys):
            answer = ask(scope, "GET", f"/api/distributors/{who['distributor_id']}")
            assert answer == (200, who) if who in seen else answer[0] == 404
            path = f"/api/distributors/{who['distributor_id']}"
            patched = ask(scope, "PATCH", path, {"name": who["name"]}, "operator")
            assert patched == answer if who in seen else patched[0] == 404
    befriend_again = Customer(
        "wm1", follows={"ann": Follow("lost", T0, T0), "bob": Follow("active", T0, T0)}, version=1
    )
    customers.save(befriend_again)
    assert ids(ask(S1, "GET", "/api/distributors"), "distributor_id") == []
    orders.take(paid("o7", mine["share_code"], external_userid="wm2").to_queue())
    query = f"/api/orders?distributor_id={mine['distributor_id']}"
    assert (ids(ask(S2, "GET", query)), ids(ask(S1, "GET", query))) == (["o7"], [])


def test_an_auditor_reads_no_names_and_no_ids_of_people(ask: Ask) -> None:
    new = {"name": "王小明", "openid": "op", "plan_id": ask.plan_id, "unionid": "u4"}  # type: ignore[attr-defined]
    made = ask(None, "POST", "/api/distributors", new)[1]
    (row,) = ask(None, "GET", "/api/distributors?q=wxm")[1]["items"]
    assert row == {name: value for name, value in made.items() if name != "same_person"}
    hidden = {"name": "***", "openid": "***", "unionid": "***"}
    path = f"/api/distributors/{made['distributor_id']}"
    assert ask(None, "GET", path, role="auditor")[1] == {**made, **hidden}
    assert ask(None, "GET", "/api/distributors?q=wxm", role="auditor")[1]["items"] == []
    assert ask(None, "GET", "/api/distributors", role="auditor")[1]["items"] == [{**row, **hidden}]
    people = [
        ask(None, "GET", f"/api/{path}", role="auditor")[1]
        for path in ("orders", "orders/o1", "customers", "customers/wm1", "customers/wm1/timeline")
    ]
    assert "wm1" not in str(people) and "u4" not in str(people) and "***" in str(people)
