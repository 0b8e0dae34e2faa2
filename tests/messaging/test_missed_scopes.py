"""Who got no welcome: listed until handled or 7 days old, to those who see the guide."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.customers import models as customers
from chalicelib.customers.rules import Customer, Follow
from chalicelib.messaging import rules
from chalicelib.messaging.models import MissedWelcomeItem
from chalicelib.platform import auth, clock
from chalicelib.platform.auth import Scope
from chalicelib.stores import guides
from tests.orders.test_orders_scopes import staff_store

KEPT = {("GET", "/api/welcomes/missed"), ("POST", "/api/welcomes/missed/handled")}
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
LIST, HANDLED = "/api/welcomes/missed", "/api/welcomes/missed/handled"
S1 = Scope(("s1",))
Ask = Callable[..., Any]


@pytest.fixture
def ask(tables: None, at: Callable[[datetime], None]) -> Iterator[Ask]:
    """Ann of s1 missed wm1 and, eight days ago, wm0; bob of s2 missed wm2."""
    at(NOW)
    guides.forget()
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    for number, (guide, days) in enumerate([("ann", 8), ("ann", 0), ("bob", 1)]):
        moment = NOW - timedelta(days=days, minutes=1)
        who = f"wm{number}"
        customers.save(Customer(who, name=f"客户{number}", follows={guide: Follow("active", moment, moment)}))
        its = {"external_userid": who, "staff_id": guide, "reason": "errcode 41050", "expires_at": 4 * 10**9}
        MissedWelcomeItem(f"mw{number}", listing="waiting", at=clock.iso(moment), **its).save()
    with Client(app) as client:

        def call(method: str, path: str, body: Any = None, role: str = "operator", scope: Any = None) -> Any:
            headers = {"Authorization": f"Bearer {auth.create_key('k', role, scope)}"}
            raw = b"" if body is None else json.dumps(body).encode()
            answer = client.http.request(method, path, headers=headers, body=raw)
            return answer.status_code, json.loads(answer.body)

        yield call
    guides.forget()


def listed(ask: Ask, query: str = "", **who: Any) -> list[str]:
    status, page = ask("GET", LIST + query, **who)
    assert status == 200 and page["total"] == len(page["items"])
    return [row["missed_id"] for row in page["items"]]


def test_it_stays_over_midnight_until_it_is_handled_or_a_week_old(ask: Ask, at: Any) -> None:
    assert listed(ask) == ["mw1", "mw2"]
    row = ask("GET", LIST)[1]["items"][0]
    assert (row["customer_name"], row["store_names"], row["cause"]) == ("客户1", ["s1"], "too_late")
    at(NOW + timedelta(days=1))
    assert ask("POST", HANDLED, {"missed_ids": ["mw1", "mw1"]}) == (200, {"handled": 1})
    assert ask("POST", HANDLED, {"missed_ids": ["mw1", "mw2"]}) == (200, {"handled": 1})  # one was handled
    assert listed(ask) == [] and listed(ask, "?status=handled") == ["mw1", "mw2"]
    assert ask("GET", f"{LIST}?status=handled")[1]["items"][0]["handled_by"] == "k"
    at(NOW + timedelta(days=7))
    assert listed(ask, "?status=handled") == []


def test_a_manager_sees_and_handles_their_own_alone(ask: Ask) -> None:
    manager = {"role": "store_manager", "scope": S1}
    assert listed(ask, **manager) == ["mw1"]
    assert listed(ask, "?staff_id=bob", **manager) == []
    assert ask("GET", f"{LIST}?store_id=s2", **manager)[0] == 404
    assert listed(ask, "?store_id=s2") == ["mw2"] and listed(ask, "?staff_id=ann") == ["mw1"]
    assert ask("POST", HANDLED, {"missed_ids": ["mw1", "mw2"]}, **manager)[0] == 404
    assert listed(ask) == ["mw1", "mw2"]  # and nothing was changed
    assert ask("POST", HANDLED, {"missed_ids": ["mw1"]}, **manager) == (200, {"handled": 1})
    assert ask("POST", HANDLED, {"missed_ids": []})[0] == 422


def test_an_auditor_sees_nobodys_name(ask: Ask) -> None:
    page = ask("GET", LIST, role="auditor")[1]
    assert {(row["external_userid"], row["customer_name"]) for row in page["items"]} == {("***", "客***")}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("errcode 41050", "too_late"),
        ("window over", "too_late"),
        ("consent", "consent"),
        ("errcode 60020", "refused"),
    ],
)
def test_each_reason_has_a_kind(reason: str, kind: str) -> None:
    assert rules.kind_of(reason) == kind
