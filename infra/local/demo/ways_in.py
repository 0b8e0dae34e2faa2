"""Further ways in: a group code, the nearest store, parcel cards, a designed poster, a code from a file."""

import csv
import io
from typing import Any

from infra.local.demo import brand, trade
from infra.local.demo.business import Business

_GROUP_SIZE = 8  # owner included: small, so that one can watch it fill
_CARDS = 60


def open_groups(business: Business) -> str:
    """A group code over two groups; its short code."""
    chats = [
        business.world("group", {"owner": owner, "name": f"植里护肤打卡 {number} 群"})["chat_id"]
        for number, owner in enumerate(("lihua", "chenjie"), 1)
    ]
    made = business.call("POST", "/api/live-codes", {
        "name": "护肤打卡群", "kind": "group", "channel": "group", "tags": ["渠道/社群"],
        "groups": {"chat_ids": chats, "limit": _GROUP_SIZE,
                   "room_base_name": "植里护肤打卡群", "room_base_id": 3},
        "assignment": {"members": [{"staff_id": "lihua"}]},
    })  # fmt: skip
    return str(made["code"])


def join(business: Business, code: str, count: int) -> None:
    """So many scan the group code, and join the group that they are shown."""
    for number in range(count):
        shown = business.scan(code)
        if shown["kind"] == "group":
            business.world("group/join", {"qr_code": shown["qr_url"], **business.person()})
        if number % 2:
            business.drain()  # until it is read, a join counts twice: the group would seem full too soon


def open_stores(business: Business) -> dict[str, Any]:
    """One code for all stores: the nearest one's guide."""
    made = business.call("POST", "/api/live-codes", {
        "name": "附近门店", "kind": "nearest_store", "channel": "store", "tags": ["渠道/附近门店"],
        "stores": {"store_ids": [store[0] for store in brand.STORES], "radius_m": 50_000, "daily_cap": 30},
        "assignment": {"fallback_staff_ids": ["zhouting"]},
        "welcome": {"text": brand.WELCOME},
    })  # fmt: skip
    return dict(made)


def near(business: Business, code: str, count: int) -> list[str]:
    """So many scan it within a kilometre or so of some store, and add; the stores that they were given."""
    given = []
    for _ in range(count):
        _, _, _, _, latitude, longitude, _ = business.dice.choice(brand.STORES)
        place = {
            "latitude": latitude + business.dice.uniform(-0.008, 0.008),
            "longitude": longitude + business.dice.uniform(-0.008, 0.008),
        }
        shown = business.call("POST", f"/s/{code}/location", place, key=False)
        business.add(shown)
        given.append(shown["store_id"])
    return given


def print_cards(business: Business, code: str) -> list[str]:
    """A run of parcel cards of a live code, for the printer as PDF; the tokens in their links."""
    path = f"/api/live-codes/lc_{code}/print-runs"
    sheet = {
        "title": "扫码领新人礼",
        "subtitle": "专属护肤顾问\n一对一为您服务",
        "bleed_mm": 3,
        "gutter_mm": 6,
    }
    run = business.call("POST", path, {
        "name": "冬季包裹卡·第一批", "count": _CARDS, "format": "csv", "prefix": "W26", "sheet": sheet,
    })  # fmt: skip
    business.call("POST", f"/api/print-runs/{run['print_run_id']}/files", {"format": "pdf"})
    business.drain()
    rows = list(csv.DictReader(io.StringIO(business.result(run).decode("utf-8-sig"))))
    return [row["url"].rsplit("/", 1)[1] for row in rows]


def pack(business: Business, cards: list[str]) -> None:
    """The first two cards are packed with the first two orders."""
    for number, card in enumerate(cards[:2], 1):
        wanted = {"code": card, "order_id": trade.order_id(number), "batch": "首批"}
        business.call("POST", "/api/cards/bind", wanted)


def unpack(business: Business, cards: list[str]) -> None:
    """Parcels arrive: who scans a card adds, but for the last."""
    for number, card in enumerate(cards, 1):
        shown = business.scan(card)
        if number < len(cards):
            business.add(shown)


def posters(business: Business, live_code_id: str) -> dict[str, Any]:
    """A designed template with the brand's logo in the code, and a poster of it for each store: the job."""
    asset = business.send("/api/poster-assets", logo_picture(), "image/png")["asset_id"]
    layers = [
        {**layer, "logo": asset} if layer["type"] == "qr" else layer
        for layer in brand.POSTER["layers"]  # type: ignore[attr-defined]
    ]
    made = business.call("POST", "/api/poster-templates", {**brand.POSTER, "layers": layers})
    batch = {"template": made["template_id"], "live_code_id": live_code_id, "store_ids": "all", "width": 720}
    return dict(business.call("POST", "/api/poster-batches", batch))


def brand_kit(business: Business) -> None:
    """Name, logo and colours, for pages, posters and the console."""
    logo = business.send("/api/brand/pictures", logo_picture(), "image/png")["url"]
    kit = {"name": "植里 ZHILI", "colors": ["#7A5A3C", "#F7EEE4"], "logo_url": logo, "avatar_url": logo}
    business.call("PUT", "/api/brand", kit)


def logo_picture() -> bytes:
    """A leaf on a disc."""
    from PIL import Image, ImageDraw

    picture = Image.new("RGB", (256, 256), "#FFFFFF")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((4, 4, 252, 252), fill="#7A5A3C")
    draw.chord((70, 30, 270, 230), 135, 225, fill="#F7EEE4")
    draw.chord((-14, 30, 186, 230), -45, 45, fill="#F7EEE4")
    draw.line((128, 70, 128, 215), fill="#7A5A3C", width=6)
    out = io.BytesIO()
    picture.save(out, "PNG")
    return out.getvalue()


def apply_file(business: Business) -> str:
    """A code made by a YAML file; its short code."""
    applied = business.call("POST", "/api/live-codes/apply", {"yaml": brand.CODE_FILE, "dry_run": False})
    (change,) = applied["changes"]
    return str(change["live_code_id"]).removeprefix("lc_")
