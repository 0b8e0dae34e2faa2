"""Ads from outside: a click, an add by the acquisition link, an order; each told to the platform once."""

import os
from typing import Any

import pytest
from chromium import PROGRAM, Phone

from infra.local.client import LocalStack

PAGE = {
    "title": "新客专享：99 元护肤礼盒",
    "subtitle": "仅限今天",
    "bullets": ["正品保证，七天无理由", "专属顾问一对一"],
    "button": "添加顾问，立即领取",
    "legal": "广告主：示例品牌",
}


def campaign(stack: LocalStack, **changes: Any) -> dict[str, Any]:
    stack.sandbox("POST", "staff", {"userid": "adele", "name": "阿黛"})
    body = {
        "name": "百度·冬",
        "platform": "baidu",
        "channel": "ad_e2e",
        "staff_ids": ["adele"],
        "page": PAGE,
        "report": {"added": "79", "bought": "10"},
        "credentials": "baidu",
    }
    made = stack.api("POST", "/api/ad-campaigns", body | changes, expect=201)
    stack.drain()
    return dict(made)


def path_of(url: str) -> str:
    """Links are made with PUBLIC_BASE_URL, which the tests set to another address than the stack's."""
    return "/h5/a/" + url.split("/h5/a/")[1]


def button(stack: LocalStack, page: str) -> str:
    answer = stack.request("GET", path_of(page))
    assert answer.status == 200 and len(answer.data) < 30_000
    return answer.data.decode().split('class="go" href="')[1].split('"')[0].replace("&amp;", "&")


def test_a_click_becomes_an_add_and_an_order_and_the_platform_hears_of_each_once(stack: LocalStack) -> None:
    made = campaign(stack)
    found = stack.api("GET", f"/api/ad-campaigns/{made['ad_campaign_id']}")
    assert (found["link"]["status"], found["closed"]) == ("ready", None)
    link = button(stack, f"{made['url']}?bd_vid=click-zq7788&utm=x")
    assert link == button(stack, f"{made['url']}?bd_vid=click-zq7788")
    person = stack.sandbox("POST", "acquire", {"url": link, "name": "小宁", "unionid": "o6_ad", "repeat": 3})
    stack.drain()
    who = person["external_userid"]
    assert stack.api("GET", f"/api/customers/{who}")["channel"] == "ad_e2e"
    now = stack.api("GET", "/local/clock")["now"]
    line = {
        "line_id": "1",
        "sku": "BOX",
        "title": "礼盒",
        "quantity": 1,
        "price_fen": 9900,
        "discount_fen": 0,
    }
    order = {
        "order_id": "M-ad-1", "status": "paid", "occurred_at": now, "items": [line], "paid_fen": 9900,
        "buyer": {"unionid": "o6_ad", "external_userid": None, "phone": None}, "freight_fen": 0,
    }  # fmt: skip
    stack.sandbox("POST", "mall/orders", {"message": order, "repeat": 2})
    stack.drain()
    stack.advance("PT2M")  # what fell due beside the queue finds it done

    told = [c["body"]["conversionTypes"][0] for c in stack.sandbox_calls("/ads/baidu/")]
    mine = [row for row in told if row["logidUrl"] == f"{made['url']}?bd_vid=click-zq7788"]
    assert [(row["newType"], row.get("convertValue")) for row in mine] == [(79, None), (10, 9900)]
    rows = stack.api("GET", f"/api/ad-conversions?ad_campaign_id={made['ad_campaign_id']}&status=sent")[
        "items"
    ]
    assert sorted(row["kind"] for row in rows) == ["added", "bought"]
    days = stack.api("GET", f"/api/ad-campaigns/{made['ad_campaign_id']}/stats")["items"]
    sums = {
        name: sum(day[name] for day in days)
        for name in ("views", "clicks", "adds", "gmv_fen", "reports_sent")
    }
    assert sums == {"views": 2, "clicks": 1, "adds": 1, "gmv_fen": 9900, "reports_sent": 2}
    assert not any(
        "zq7788" in text
        for name in ("api", "convert", "credit", "route", "callback")
        for text in stack.logs(name)
    )


@pytest.mark.skipif(
    PROGRAM is None and not os.environ.get("CI"), reason="no Chromium on this machine; CI installs one"
)
@pytest.mark.parametrize(("width", "dark"), [(320, False), (375, True)])
def test_the_page_fits_a_phone_and_needs_no_script(
    stack: LocalStack, tmp_path: Any, width: int, dark: bool
) -> None:
    made = campaign(stack)
    with Phone(width, dark=dark, scripts=False) as phone:
        phone.open(f"{stack.base}{path_of(made['url'])}?bd_vid=1")
        phone.picture(tmp_path / "ad.png")
        assert phone.value("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
        box = phone.value(
            "(b => [b.top, b.bottom, b.width, b.height])(document.querySelector('.go').getBoundingClientRect())"
        )
        assert phone.audit() == [] and len(phone.requested()) == 1
        html = phone.value("document.documentElement.outerHTML")
        text = phone.value("document.body.innerText")
    assert (
        box[0] >= 0 and box[1] <= 780 and box[2] >= 0.7 * width - 60 and box[3] >= 48
    )  # seen without scrolling
    assert "<script" not in html and "添加顾问" in text and "Opens WeChat" not in text
