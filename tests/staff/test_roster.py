"""Staff as a list: by name, status and store."""

from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.staff.models import LISTED, StaffItem
from tests.support.api import Api
from tests.support.scan_support import new_process, requests
from tests.support.stores_world import create_store
from tests.support.wecom import FakeWeCom

AT = "2026-11-23T02:00:00.000000+00:00"
STORE: dict[str, Any] = {"name": "One", "latitude": 22.5, "longitude": 113.9}


@pytest.fixture
def api(tables: None) -> Iterator[Api]:
    new_process()
    for staff_id, name, status in (("a", "王重", 1), ("b", "李花", 1), ("c", "张三", 5)):
        StaffItem(staff_id, name=name, status=status, seen_at=AT, listing=LISTED).save()
    StaffItem("gone", status=5, seen_at=AT).save()  # whom WeCom was never asked for
    create_store({**STORE, "store_id": "s1", "staff_ids": ["b", "c", "gone", "stranger"]})
    with Client(app) as client:
        yield Api(client)
    new_process()


def test_staff_by_name_status_and_store(api: Api) -> None:
    def ids(query: str) -> list[str]:
        found = api.get(f"/api/staff?{query}")[1]
        assert found["total"] == len(found["items"])
        return [row["staff_id"] for row in found["items"]]

    assert ids("") == ["b", "a", "c"] and ids("sort=-name") == ["c", "a", "b"]  # 李, 王, 张
    assert ids("q=wz") == ids("q=wc") == ids("q=王") == ["a"] and ids("q=c") == ["a", "c"]
    assert ids("status=5") == ["c"] and ids("store_id=s1") == ["b", "c"]
    assert ids("store_id=s1&status=1") == ["b"] and ids("store_id=none") == []
    assert api.get("/api/staff?status=9")[0] == api.get("/api/staff?sort=status")[0] == 422


def test_a_page_of_staff_is_the_listing_and_the_table_of_ageing(api: Api) -> None:
    asked = requests()
    api.get("/api/staff")
    assert asked == [
        "GetItem",
        "GetItem",
        "Query",
        "Query",
        "BatchGetItem",
    ]  # whose key, the table, the listing, the stores, spellings
    asked.clear()
    api.get("/api/staff?store_id=s1")
    assert asked == ["GetItem", "GetItem", "GetItem", "BatchGetItem", "Query"]


def test_whom_wecom_was_never_asked_for_is_not_there(api: Api) -> None:
    status, problem = api.get("/api/staff/gone", Accept_Language="en")
    assert (status, problem["detail"]) == (404, "there is no member of staff gone")
    assert api.put("/api/staff/a", {"started_at": "2026-02-30"})[1]["errors"][0]["code"] == "date"
    ramp = {"steps": [{"until_day": 3, "daily_cap": 1}, {"until_day": 3, "daily_cap": 2}]}
    (error,) = api.put("/api/staff/ramp", ramp)[1]["errors"]
    assert (error["field"], error["code"]) == ("steps[1].until_day", "not_after")


def test_who_serves_customers_is_read_in_from_wecom(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    wecom = FakeWeCom()
    wecom.seen |= {"a", "dora", "ed"}  # a is known, ed has left since
    wecom.gone.add("eve")
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: wecom)
    assert api.post("/api/staff/sync") == (200, {"serving": 3, "left": 0})
    assert wecom.calls["user_get"] == 2
    names = [row["name"] for row in api.get("/api/staff")[1]["items"]]
    assert {"Dora女士", "Ed女士", "王重"} <= {*names}
    monkeypatch.setattr("chalicelib.roster.service._SYNC_SECONDS", -1)
    wecom.seen.add("flo")
    assert api.post("/api/staff/sync") == (200, {"serving": 4, "left": 1})
