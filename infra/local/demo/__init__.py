"""`make run DEMO=1`: a small believable business, played through the product's own doors.

A skin-care brand with twelve stores, ten days of it: scans of parcel cards, store posters and the till,
groups that fill, the nearest store's guides, an ad, a list of phone numbers, customers who add a guide
(and some who leave again), a 48-hour SOP, orders, four distributors, a settlement. Nothing is written
past the doors, so what the console shows is what the product does.
"""

import sys
import time

from infra.local.demo import outreach, shop, trade, ways_in
from infra.local.demo.business import Business

DAYS = 10


def play(base: str, key: str) -> None:
    """Play the ten days. RuntimeError names the call that was refused."""
    begun = time.monotonic()
    business = Business(base, key)
    codes = shop.open_shop(business)
    stores = ways_in.open_stores(business)
    ways_in.posters(business, stores["live_code_id"])
    cards = ways_in.print_cards(business, codes[0])
    for day in range(DAYS):
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
            trade.farewell(business)
        if day == DAYS - 1:  # late: groups and campaigns are looked after each hour, which takes long to play
            ways_in.join(business, ways_in.open_groups(business), 10)
            outreach.clicks(business, outreach.open_campaign(business, codes[1]))
        business.advance("P1D")
    to_collect = trade.settle(business)
    took = time.monotonic() - begun
    say(f"demo: {len(business.customers)} customers, {business.orders} orders, {took:.0f} s")
    if to_collect:
        say(f"demo: money waits to be collected at {to_collect}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
