"""`make run DEMO=1`: a small believable business, played through the product's own doors before `ready`.

A skin-care brand with twelve stores, ten days of it and today: scans of parcel cards, store posters and the
till, groups that fill, the nearest store's guides, an ad, a list of phone numbers, customers who add a guide
(and some who leave again), a 48-hour SOP, orders, four distributors, a settlement, and what goes wrong in
any business: a welcome that WeCom refuses, an empty file, a payout that its receiver refuses, a message that
nobody can read. Nothing is written past the doors, so what the console shows is what the product does.
"""

import sys
import time

from infra.local.demo import outreach, people, shop, trade, troubles, ways_in
from infra.local.demo.business import Business

DAYS = 10
_SOP_FROM = 6  # the day from which newcomers are in the SOP: each of them moves the clock in steps of its own


def play(base: str, key: str) -> None:
    """Play the ten days and today. RuntimeError names the call that was refused."""
    begun = time.monotonic()
    business = Business(base, key)
    codes, ids = shop.open_shop(business)
    people.read_in(business)
    ways_in.brand_kit(business)
    people.channels(business)
    stores = ways_in.open_stores(business)
    ways_in.posters(business, stores["live_code_id"])
    cards = ways_in.print_cards(business, codes[0])
    for day in range(DAYS):
        report(f"demo: day {day + 1} of {DAYS}, {time.monotonic() - begun:.0f} s")
        if day == _SOP_FROM:
            shop.begin_sop(business, ids)
        shop.visitors(business, codes, 4 + day % 3)
        ways_in.near(business, stores["code"], 1)
        business.drain()
        if day == 1:
            trade.recruit(business)
            outreach.hire(business)
            codes.append(ways_in.apply_file(business))
        if day >= 1:
            trade.purchases(business, 4)
        if day == 2:
            ways_in.pack(business, cards)
            outreach.import_phones(business)
        if day == 3:
            outreach.work(business)
        if day == 4:
            ways_in.unpack(business, cards[:4])
        if day == 5:
            trade.farewell(business, slice(6, 8))
        business.advance("P1D")
    report(f"demo: today, {time.monotonic() - begun:.0f} s")
    people.segments(business)
    business.call("POST", "/api/tags/sync", {})
    to_collect = _play_today(business, codes, stores["code"])
    business.catch_up()
    took = time.monotonic() - begun
    report(f"demo: {len(business.customers)} customers, {business.orders} orders, {took:.0f} s")
    if to_collect:
        report(f"demo: money waits to be collected at {to_collect}")


def _play_today(business: Business, codes: list[str], nearest: str) -> str | None:
    """Where the money that waits is collected. Groups and campaigns come late: they are looked after each
    hour, which takes long to play.
    """
    ways_in.join(business, ways_in.open_groups(business), 10)
    outreach.clicks(business, outreach.open_campaign(business))
    troubles.refuse_a_welcome(business)
    shop.visitors(business, codes, 7)
    ways_in.near(business, nearest, 2)
    business.drain()
    trade.purchases(business, 3)
    trade.farewell(business, slice(9, 10))
    to_collect = trade.settle(business)
    troubles.send_an_empty_file(business)
    troubles.post_what_nobody_reads(business)
    people.check_against_wecom(business)
    business.drain()
    return to_collect


def report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
