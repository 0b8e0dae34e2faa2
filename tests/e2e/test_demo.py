"""The demo's ways in, played against the stack: what it shows is what the product says."""

import pytest

from infra.local.client import LocalStack
from infra.local.demo import brand, outreach, shop, ways_in
from infra.local.demo.business import Business


@pytest.mark.slow
def test_the_demo_plays_every_way_in(stack: LocalStack) -> None:
    business = Business(stack.base, stack.key)
    (parcel, _, till), _ = shop.open_shop(business)
    imported = outreach.import_phones(business)
    stores = ways_in.open_stores(business)
    batch = ways_in.posters(business, stores["live_code_id"])
    given = ways_in.near(business, stores["code"], 2)
    group = ways_in.open_groups(business)
    ways_in.join(business, group, 10)
    at_till = business.add(business.scan(till))
    cards = ways_in.print_cards(business, parcel)
    ways_in.pack(business, cards)
    ways_in.unpack(business, cards[:3])
    outreach.hire(business)
    made_by_file = ways_in.apply_file(business)
    campaign = outreach.open_campaign(business)
    outreach.clicks(business, campaign)
    outreach.work(business)
    stack.drain()

    assert set(given) <= {store[0] for store in brand.STORES}
    line = stack.api("GET", f"/api/live-codes/lc_{group}/groups")["line"]
    people = [one["people"] for one in line]
    assert sum(people) == 12 and max(people) <= 8 and min(people) > 1  # two owners, ten in both groups
    welcomes = stack.sandbox("GET", f"messages?receiver={at_till['external_userid']}")["items"]
    assert "新客礼 20 元券：ZL" in str(welcomes)
    bound = stack.api("GET", "/api/cards?order_id=M2026112200001")["items"]
    (run,) = stack.api("GET", f"/api/print-runs?live_code_id=lc_{parcel}")["items"]
    figures = stack.api("GET", run["stats_url"])["items"]
    assert [card["card"] for card in bound] == [run["first_card"]]
    assert figures == [{"scans": 3, "cards": 3, "adds": 2}]
    job = stack.api("GET", f"/api/jobs/{batch['job_id']}")
    assert (job["status"], job["done"], job["error"]) == ("finished", len(brand.STORES), None)
    assert stack.api("GET", f"/api/live-codes/lc_{made_by_file}")["name"] == "朋友圈·秋冬护肤"
    assert stack.api("GET", f"/api/staff/{brand.NEWCOMER}")["cap_today"] == 10
    days = stack.api("GET", f"/api/ad-campaigns/{campaign['ad_campaign_id']}/stats")["items"]
    sums = {name: sum(day[name] for day in days) for name in ("clicks", "adds", "chats", "orders")}
    assert sums == {"clicks": 7, "adds": 4, "chats": 1, "orders": 1}
    told = stack.api("GET", f"/api/prospect-imports/{imported['import_id']}")
    assert (told["rows"], told["new"], told["duplicates"], told["bad"]) == (40, 37, 1, 2)
    statuses = {name: told["statuses"][name] for name in ("added", "asked", "refused", "unreachable")}
    assert statuses == {"added": 2, "asked": 2, "refused": 1, "unreachable": 1}
