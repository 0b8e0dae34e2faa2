"""The blacklist as operators see it: who, since when, why, by whom; searched, filtered, paged."""

from collections.abc import Iterator

import pytest
from chalice.test import Client

from app import app
from chalicelib.customers.models import CustomerItem
from chalicelib.groups import blacklist
from chalicelib.groups.models import BlacklistItem
from chalicelib.platform.auth import Scope
from chalicelib.staff.models import StaffItem
from tests.support.api import Api


@pytest.fixture
def api(tables: None) -> Iterator[Api]:
    for who, name in (("wm1", "林晓"), ("wm2", "何静")):
        CustomerItem(who, name=name, follows={}, tags=[], version=1).save()
    with Client(app) as client:
        yield Api(client, name="风控")


def test_who_is_on_it_with_name_reason_and_who_put_them_there(api: Api) -> None:
    other = Api(api.client, name="店铺系统")
    for ask, who, reason in ((api, "wm1", "发广告"), (other, "wm2", "同行"), (api, "wm3", "")):
        assert api.get(f"/api/blacklist/{who}")[0] == 404
        status, row = ask.put(f"/api/blacklist/{who}", {"reason": reason})
        assert (status, row["reason"]) == (200, reason)
    page = api.get("/api/blacklist")[1]
    assert [(row["external_userid"], row["name"], row["by_name"]) for row in page["items"]] == [
        ("wm3", None, "风控"),
        ("wm2", "何静", "店铺系统"),
        ("wm1", "林晓", "风控"),
    ]
    assert (page["total"], page["total_is"], page["next_cursor"]) == (3, "exact", None)
    by = page["items"][1]["by"]
    for query, wanted in {
        f"by={by}": ["wm2"],
        "q=linxiao": ["wm1"],
        "q=同行": ["wm2"],
        "q=wm3": ["wm3"],
        "sort=at": ["wm1", "wm2", "wm3"],
        "q=nobody": [],
    }.items():
        assert api.ids(f"/api/blacklist?{query}", "external_userid") == wanted, query
    first = api.get("/api/blacklist?limit=2")[1]
    assert api.ids(f"/api/blacklist?limit=2&cursor={first['next_cursor']}", "external_userid") == ["wm1"]
    assert api.get("/api/blacklist?sort=reason")[0] == 422
    assert api.delete("/api/blacklist/wm2")[0] == 200
    assert api.ids("/api/blacklist", "external_userid") == ["wm3", "wm1"]


def test_a_member_of_staff_is_named(api: Api) -> None:
    StaffItem("ann", name="安妮", status=1, seen_at="2026", listing="staff").save()
    BlacklistItem("wm1", reason="x", at="2026", by="ann", listing="blacklist").save()
    assert api.get("/api/blacklist/wm1")[1]["by_name"] == "安妮"


def test_it_is_the_whole_corp_s(api: Api) -> None:
    assert api.acting_as("operator", Scope(("s1",), None)).get("/api/blacklist")[0] == 403
    assert api.acting_as("store_manager").get("/api/blacklist")[0] == 403


def test_the_same_reason_again_changes_nothing(api: Api) -> None:
    first = api.put("/api/blacklist/wm1", {"reason": "发广告"})[1]
    assert Api(api.client, name="other").put("/api/blacklist/wm1", {"reason": "发广告"})[1] == first
    assert api.put("/api/blacklist/wm1", {"reason": "同行"})[1]["at"] > first["at"]
    entries = api.acting_as("admin").get("/api/audit?object=wm1")[1]["items"]
    assert [row["action"] for row in entries] == ["blacklist.put"] * 2


def test_who_was_on_it_before_there_was_a_list(api: Api) -> None:
    BlacklistItem("wm1", reason="spam", at="2026-11-22T02:00:00+00:00").save()
    assert api.get("/api/blacklist")[1]["total"] == 0
    for _ in range(2):
        blacklist.enter_in_list(BlacklistItem.get("wm1"))
    (row,) = api.get("/api/blacklist")[1]["items"]
    assert (row["reason"], row["by"], row["by_name"]) == ("spam", None, None)


def test_why_somebody_is_kept_out_is_not_for_an_auditor(api: Api) -> None:
    assert api.put("/api/blacklist/wm1", {"reason": "spam"})[1]["reason"] == "spam"
    assert api.acting_as("auditor").get("/api/blacklist/wm1")[1]["reason"] == "***"
    assert api.delete("/api/blacklist/wm1")[0] == 200 and api.delete("/api/blacklist/wm1")[0] == 404
    entries = api.acting_as("admin").get("/api/audit?object=wm1")[1]["items"]
    assert sorted(row["action"] for row in entries) == ["blacklist.put", "blacklist.remove"]
    assert "spam" not in str(entries)
