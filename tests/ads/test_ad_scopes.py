"""Ad campaigns in lists, by scope and by role: whoever has none of a campaign's guides does not see it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.ads import models
from chalicelib.ads.models import AdConversionItem
from chalicelib.platform.principal import Scope
from tests.support.api import Api

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
CAMPAIGN, CONVERSION = "/api/ad-campaigns/{}", "/api/ad-conversions/{}"
KEPT = {
    ("GET", "/api/ad-campaigns"),
    ("POST", "/api/ad-campaigns"),
    ("GET", "/api/ad-campaigns/{ad_campaign_id}"),
    ("PATCH", "/api/ad-campaigns/{ad_campaign_id}"),
    ("DELETE", "/api/ad-campaigns/{ad_campaign_id}"),
    ("GET", "/api/ad-campaigns/{ad_campaign_id}/stats"),
    ("GET", "/api/ad-conversions"),
    ("POST", "/api/ad-conversions/{conversion_id}/retry"),
    ("POST", "/api/ad-conversions/{conversion_id}/sent"),
}


def wanted(name: str, *staff_ids: str, **changes: Any) -> dict[str, Any]:
    return {
        "name": name,
        "platform": "baidu",
        "staff_ids": list(staff_ids),
        "page": {"title": "x"},
        **changes,
    }


def conversion(campaign_id: str, number: int, status: str) -> str:
    created_at, conversion_id = f"2026-11-23T04:00:{number:02}.000Z", f"cv{number}"
    AdConversionItem(
        conversion_id,
        ad_campaign_id=campaign_id,
        listed=models.listed(status, created_at, conversion_id),
        status=status,
        kind="added",
        token="ma",
        at=created_at,
        created_at=created_at,
        external_userid="wm1",
        tries=1,
    ).save()
    return conversion_id


class Brand:
    """Store s1 has ann, s2 bob. Campaigns: ann's, bob's, and one of both."""

    def __init__(self, client: Client) -> None:
        self.client, self.admin = client, Api(client, "admin")
        place = {"latitude": 22.5, "longitude": 113.9}
        for store_id, member in (("s1", "ann"), ("s2", "bob")):
            row = {"store_id": store_id, "name": store_id, **place, "staff_ids": [member]}
            assert self.admin("POST", "/api/stores", row)[0] == 201
        self.ann, self.bob, self.both = (
            self.create(wanted("双十一", "ann")),
            self.create(wanted("会员日", "bob", platform="generic")),
            self.create(wanted("年货节", "ann", "bob")),
        )

    def create(self, body: dict[str, Any]) -> str:
        status, made = self.admin("POST", "/api/ad-campaigns", body)
        assert status == 201, made
        return str(made["ad_campaign_id"])

    def manager(self, *store_ids: str) -> Api:
        return Api(self.client, "store_manager", Scope(store_ids))


@pytest.fixture
def brand(tables: None, sent: list[Any], at: Callable[[datetime], None]) -> Iterator[Brand]:
    at(NOW)
    with Client(app) as client:
        yield Brand(client)


def test_lists_have_the_scopes_campaigns_alone(brand: Brand) -> None:
    def ids(api: Api, query: str = "") -> set[str]:
        return set(api.ids(f"/api/ad-campaigns{query}", "ad_campaign_id"))

    assert ids(brand.admin) == {brand.ann, brand.bob, brand.both}
    assert ids(brand.manager("s1")) == {brand.ann, brand.both}
    assert ids(brand.manager("s2")) == {brand.bob, brand.both}
    assert ids(brand.manager()) == set()
    assert ids(brand.manager("s1"), "?q=hyr") == set() and ids(brand.admin, "?q=hyr") == {brand.bob}
    assert brand.manager("s1")("GET", "/api/ad-campaigns?limit=1")[1]["total"] == 2


def test_campaigns_are_filtered_searched_and_sorted(brand: Brand) -> None:
    def names(query: str) -> list[str]:
        return brand.admin.ids(f"/api/ad-campaigns?{query}", "name")

    assert names("platform=generic") == ["会员日"] and set(names("platform=baidu")) == {"双十一", "年货节"}
    assert names("sort=name") == ["会员日", "年货节", "双十一"] == names("sort=-name")[::-1]
    assert names("q=SSY") == ["双十一"] and names("q=年货") == ["年货节"]
    assert brand.admin("DELETE", CAMPAIGN.format(brand.bob))[0] == 200
    assert names("status=archived") == ["会员日"] and "会员日" not in names("status=active")
    status, first = brand.admin("GET", "/api/ad-campaigns?limit=1&sort=name")
    assert (status, first["total"], first["total_is"]) == (200, 2, "exact")
    rest = names(f"limit=1&sort=name&cursor={first['next_cursor']}")
    assert [first["items"][0]["name"], *rest] == names("sort=name")
    assert brand.admin("GET", "/api/ad-campaigns?sort=city")[0] == 422


def test_who_changes_what_another_has_changed_sees_it_first(brand: Brand) -> None:
    path = CAMPAIGN.format(brand.ann)
    first = brand.admin.raw("GET", path)
    assert first.headers["ETag"] == '"1"'
    changed = brand.admin.raw("PATCH", path, {"name": "theirs"}, If_Match='"1"')
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    status, stale = brand.admin.patch(path, {"name": "mine", "channel": "x"}, If_Match='"1"')
    assert (status, stale["present"]["name"], stale["present"]["channel"]) == (409, "theirs", None)
    assert brand.admin.get(path)[1]["name"] == "theirs"
    assert brand.admin.patch(path, {"name": "last"})[1]["version"] == 3  # asked for no version


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", CAMPAIGN, None),
        ("PATCH", CAMPAIGN, {"name": "mine"}),
        ("DELETE", CAMPAIGN, None),
        ("GET", f"{CAMPAIGN}/stats", None),
        ("GET", "/api/ad-conversions?ad_campaign_id={}", None),
    ],
)
def test_a_campaign_outside_of_the_scope_is_not_there(
    brand: Brand, method: str, path: str, body: Any
) -> None:
    before = brand.admin("GET", CAMPAIGN.format(brand.bob))
    for scope in (("s1",), ()):
        status, problem = brand.manager(*scope)(method, path.format(brand.bob), body)
        assert (status, problem["detail"]) == (404, f"there is no ad campaign {brand.bob}")
    assert brand.admin("GET", CAMPAIGN.format(brand.bob)) == before
    changes = method in ("PATCH", "DELETE")  # also ann's: her store's campaign would be another, or gone
    assert brand.manager("s2")(method, path.format(brand.both), body)[0] == (403 if changes else 200)
    assert brand.manager("s1", "s2")(method, path.format(brand.both), body)[0] == 200


@pytest.mark.parametrize("action", ["retry", "sent"])
def test_a_conversion_outside_of_the_scope_is_not_there(brand: Brand, action: str) -> None:
    conversion_id = conversion(brand.bob, 1, "unknown")
    path = f"{CONVERSION.format(conversion_id)}/{action}"
    assert brand.manager("s1")("POST", path)[0] == 404
    assert AdConversionItem.get(conversion_id).status == "unknown"
    assert brand.manager("s2")("POST", path)[0] == 200


def test_nobody_advertises_with_other_stores_guides(brand: Brand) -> None:
    manager = brand.manager("s1")
    for staff_ids in (["ann", "bob"], ["bob"], []):
        status, problem = manager("POST", "/api/ad-campaigns", wanted("x", *staff_ids))
        assert (status, problem["errors"][0]["code"]) == (422, "guides_outside_scope")
    path = CAMPAIGN.format(brand.ann)
    assert manager("PATCH", path, {"staff_ids": ["ann", "bob"]})[0] == 422
    assert manager("POST", "/api/ad-campaigns", wanted("x", "ann"))[0] == 201


def test_conversions_come_newest_first_whatever_their_status(brand: Brand) -> None:
    statuses = ["sent", "waiting", "unknown", "sent", "failed", "refused", "unreported"]
    for number, status in enumerate(statuses):
        conversion(brand.ann, number, status)
    path = f"/api/ad-conversions?ad_campaign_id={brand.ann}"
    assert brand.admin.ids(path, "conversion_id") == [f"cv{n}" for n in range(6, -1, -1)]
    assert brand.admin.ids(f"{path}&status=sent", "conversion_id") == ["cv3", "cv0"]
    walked: list[str] = []
    cursor = ""
    while cursor is not None:
        _, page = brand.admin("GET", f"{path}&limit=2{cursor and f'&cursor={cursor}'}")
        walked += [row["status"] for row in page["items"]]
        assert page["total"] == len(walked) and page["total_is"] == (
            "at_least" if page["next_cursor"] else "exact"
        )
        cursor = page["next_cursor"]
    assert walked == statuses[::-1]


def test_an_auditor_sees_conversions_without_whose_they_are(brand: Brand) -> None:
    conversion(brand.ann, 1, "sent")
    path = f"/api/ad-conversions?ad_campaign_id={brand.ann}"
    assert Api(brand.client, "auditor").ids(path, "external_userid") == ["***"]
    assert brand.admin.ids(path, "external_userid") == ["wm1"]


def test_all_that_is_wrong_is_said_at_once_by_code(brand: Brand) -> None:
    body = wanted("x", "ann", report={"added": "form"}, live_code_id="lc_none", attribution_window="P1Y")
    status, problem = brand.admin("POST", "/api/ad-campaigns", body)
    assert status == 422
    assert {(error["field"], error["code"]) for error in problem["errors"]} == {
        ("report.added", "ad_event_baidu"),
        ("credentials", "ad_credentials"),
        ("attribution_window", "duration"),
        ("live_code_id", "no_active_live_code"),
    }
