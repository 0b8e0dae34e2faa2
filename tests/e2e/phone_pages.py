"""Every page in every state, and a server of the test's that shows them: no stack is needed to look at them."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from chalicelib.brand.rules import Look
from chalicelib.collect import page as collect
from chalicelib.collect.types import Earnings
from chalicelib.payouts.collecting import Collected, Stage
from chalicelib.web import frame, share
from chalicelib.web.frame import Page, Visit
from chalicelib.web.landing import page as landing
from chalicelib.web.scan import choose
from chalicelib.web.scan import page as scan
from chalicelib.web.tasks import page as tasks
from infra.sandbox import qr

LONG = "👩🏻‍💼🌸一位名字特别特别长的资深护肤顾问兼门店店长Bartholomew"
NASTY = "<b>王</b>&\"'><script>alert(1)</script>"
UNBROKEN = "W8" * 32
STATES = ("to_add", "to_add", "asked", "added", "refused", "unreachable", "expired")
ROWS = [
    {
        "prospect_id": f"k7f3qx{n}mabcdefghijklmnopqr",
        "code": f"k7f3qx{n}m",
        "name": LONG if n == 1 else "张三",
        "number": f"1380013800{n}",
        "note": "会员日来过，喜欢面膜" if n < 2 else "",
        "remark": f"张三 k7f3qx{n}m",
        "status": status,
    }
    for n, status in enumerate(STATES)
]
OFFER: dict[str, Any] = {
    "title": "新客专享：19.9 元体验装三件套",
    "subtitle": "加顾问微信，按肤质搭配，包邮到家",
    "image_url": None,
    "button": "添加顾问，领取体验装",
    "bullets": ["玻尿酸面膜 2 片、精华 5 ml、面霜 5 g", "先测肤质再发货，不合适免费换", "仅限新客，每人一份"],
    "legal": "广告主：植里（示例品牌）。活动名额有限，领完即止；您的信息仅用于本次服务。",
}
CITIES = [("深圳", 31), ("广州", 12), ("", 2), (UNBROKEN, 1)]


def _store(number: int, name: str = "") -> dict[str, Any]:
    shown = name or f"上海徐家汇{number}店"
    return {
        "store_id": f"S{number}",
        "name": shown,
        "address": f"人民路 {number} 号",
        "is_open": number % 3 > 0,
    }


def _landing(base: str, **changes: Any) -> Page:
    return landing.campaign(OFFER | changes, f"{base}/ca?customer_channel=ma1")


def _collect(
    name: str, *stages: Stage, fen: int = 77_700, is_wechat: bool = True, asked: bool = False
) -> Page:
    at, until = "2026-12-01T02:00:00.000000+00:00", "2026-12-02T02:00:00.000000+00:00"
    payouts = [Collected(f"p{n}", stage, fen, at, at, until, 'PKG"&') for n, stage in enumerate(stages)]
    tax, debt = (0, 0) if len(stages) < 2 else (4_000, 900)
    shown = Earnings(fen * 3, fen, fen // 2, fen, fen, tax, debt, payouts)
    till = collect.Till("1900000109", "wx1", is_wechat, None)
    return collect.earnings(name, "Ab3dE9xZ", "/h5/d/Ab3dE9xZ", shown, till, "csrf", asked)


STORES = [_store(n) for n in range(24)]
PAGES: Mapping[str, Callable[[str], Page]] = {
    "guide": lambda base: scan.guide("周婷", f"{base}/qr.png"),
    "guide_store": lambda base: scan.guide("周婷", f"{base}/qr.png", "上海徐家汇店", 1240),
    "guide_long": lambda base: scan.guide(LONG, f"{base}/qr.png", LONG, 99_000),
    "guide_nasty": lambda base: scan.guide(NASTY, f"{base}/qr.png", NASTY, 5),
    "guide_unbroken": lambda base: scan.guide(UNBROKEN, f"{base}/qr.png", UNBROKEN),
    "group": lambda base: scan.group("植里护肤打卡 1 群", f"{base}/qr.png"),
    "not_yet": lambda _: scan.closed("not_yet", datetime(2026, 11, 25, 9, 0)),
    "ended": lambda _: scan.closed(),
    "hours": lambda _: scan.closed("hours", datetime(2026, 11, 25, 9, 0)),
    "full": lambda _: scan.closed("full"),
    "used": lambda _: scan.used(),
    "unknown": lambda _: scan.unknown(),
    "busy": lambda _: frame.busy(),
    "stores": lambda _: choose.choose([("上海", 24)], STORES, {"city": "上海"}, 2, 3),
    "stores_nasty": lambda _: choose.choose(
        [("上海", 2)], [_store(1, NASTY), _store(3, UNBROKEN)], {"q": NASTY}, 1, 1
    ),
    "cities": lambda _: choose.choose(CITIES, [], {}, 1, 1),
    "no_store": lambda _: choose.choose([], [], {}, 1, 1),
    "ad": _landing,
    "ad_picture": lambda base: _landing(base, image_url=f"{base}/qr.png"),
    "ad_nasty": lambda base: _landing(base, title=NASTY, subtitle=UNBROKEN, button="W8" * 10, bullets=[UNBROKEN] * 6),
    "ad_closed": lambda _: landing.closed(),
    "no_page": lambda _: frame.unknown(),
    "share": lambda _: share.distributor("Ab3dE9xZ"),
    "share_mine": lambda _: share.distributor("Ab3dE9xZ", "/h5/d/Ab3dE9xZ/login"),
    "share_outside": lambda _: share.distributor("Ab3dE9xZ", ""),
    "collect": lambda _: _collect("林晓", "to_collect", "paid", "on_the_way", "returned"),
    "collect_outside": lambda _: _collect("林晓", "to_collect", "to_collect", is_wechat=False),
    "collect_lapsed": lambda _: _collect("林晓", "lapsed", "paid", asked=True),
    "collect_none": lambda _: _collect("林晓"),
    "collect_nasty": lambda _: _collect(NASTY + UNBROKEN, "to_collect", "lapsed", "paid", fen=9_999_999_999_99),
    "collect_again": lambda _: collect.again("/h5/d/Ab3dE9xZ"),
    "collect_another": lambda _: collect.another_person("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
    "tasks": lambda _: tasks.tasks("李华", "2026-11-23", ROWS, "csrf", ""),
    "tasks_nasty": lambda _: tasks.tasks(
        LONG, "2026-11-23", [{**ROWS[0], "name": NASTY, "note": UNBROKEN, "remark": UNBROKEN}], "csrf", ""
    ),
    "tasks_none": lambda _: tasks.tasks("李华", "2026-11-23", [], "csrf", ""),
    "tasks_again": lambda _: tasks.again("/h5/tasks"),
    "tasks_outsider": lambda _: tasks.outsider(),
    "tasks_refused": lambda _: tasks.refused("状态已变更，请返回查看", "This task has changed. Go back to see it.", "/h5/tasks"),
}  # fmt: skip
# What operators and customers wrote: it stays as it is, whatever the page's language.
WRITTEN = {
    LONG, NASTY, "王", "周", "植", "一", str(OFFER["title"]).replace(" 元", "\u00a0元"), "周婷", "李华", "林晓", "张三", "未留姓名", "植里护肤打卡 1 群", "上海徐家汇店", "上海", "深圳", "广州", "人民路",
    "会员日来过，喜欢面膜", "📍", "店", "徐家汇", "状态已变更，请返回查看",
    *(str(OFFER[field]) for field in ("title", "subtitle", "button", "legal")), *OFFER["bullets"],
    *(str(row[field]) for row in (*ROWS, *STORES) for field in ("name", "note", "remark", "address") if row.get(field)),
}  # fmt: skip
BRAND = ("植里", ("#0b6bcb", "#e8f1fb"))


def made_for(name: str, query: str, base: str) -> Page:
    """A page as a phone of that language and a brand of ours have it. query: of en and brand."""
    look = Look(BRAND[0], f"{base}/brand/logo.png", None, BRAND[1]) if "brand" in query else Look()
    with frame.shown_to(Visit("en" if "en" in query.split("&") else "zh", look)):
        return PAGES[name](base)


@contextmanager
def served() -> Iterator[str]:
    """The pages at `/<state>`, with their own headers, and the pictures of a code and a logo: their address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name, _, query = self.path.strip("/").partition("?")
            if name in ("qr.png", "brand/logo.png"):
                headers, body = {"Content-Type": "image/png"}, qr.png("https://work.weixin.qq.com/u/vc1")
            else:
                made = made_for(name, query, base)
                headers, body = made.headers, made.html.encode()
            self.send_response(200)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        base = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield base
        finally:
            server.shutdown()
