"""Customers as people work with them: found, kept as a view, shared, exported, tagged; the sidebar beside a chat."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.browser import Seat


def find(seat: Seat) -> dict[str, Any]:
    """A customer of the demo whom a guide is friends with, and whose name no other has on the first page."""
    rows = seat.context.request.get(f"{seat.base}/api/customers?limit=100").json()["items"]
    friends = [row for row in rows if any(follow["status"] == "active" for follow in row["follows"])]
    assert friends
    return dict(friends[0])


def test_a_customer_is_found_and_their_story_read(seat: Seat) -> None:
    customer = find(seat)
    seat.open("/customers")
    seat.page.get_by_role("searchbox").first.fill(customer["external_userid"])
    seat.until(lambda: f"q={customer['external_userid']}" in seat.page.url, "the address has no search")
    seat.settle().sees("共 1 条")
    seat.page.get_by_role("link", name=customer["name"]).click()
    seat.settle().sees("动态")
    seat.sees(f"添加了{customer['follows'][0]['staff_name']}")
    seat.page.get_by_role("button", name="标签与备注").click()
    seat.until(lambda: "kind=changes" in seat.page.url, "the address has no kind")
    seat.page.go_back()


def test_a_remark_and_a_tag_are_set_and_kept(seat: Seat) -> None:
    customer = find(seat)
    seat.open(f"/customers/{customer['external_userid']}")
    seat.page.get_by_role("button", name="修改备注名").first.click()
    seat.page.get_by_role("dialog").get_by_label("备注名").fill("油皮 <b>老客</b>")
    seat.page.get_by_role("dialog").get_by_role("button", name="保存").click()
    seat.sees("油皮 <b>老客</b>")
    seat.page.reload()
    seat.settle().sees("油皮 <b>老客</b>")


def test_a_spammer_is_kept_out_of_groups_and_let_in_again(seat: Seat) -> None:
    customer = find(seat)
    page = seat.open("/customers").page
    page.get_by_role("link", name="群黑名单").click()
    seat.settle().sees("黑名单")
    page.get_by_role("button", name="加入黑名单").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="加入黑名单").click()
    seat.sees("请先选择客户")
    dialog.get_by_role("combobox", name="客户").fill(customer["external_userid"])
    page.locator(".picker-option", has_text=customer["name"]).first.click()
    dialog.get_by_label("原因").fill("在群里发广告 <b>")
    dialog.get_by_role("button", name="加入黑名单").click()
    row = page.locator(".datalist-row", has_text="在群里发广告 <b>")
    seat.until(lambda: row.filter(has_text=customer["name"]).count(), "they are not in the list")
    page.get_by_role("button", name=f"把{customer['name']}移出黑名单").click()
    page.get_by_role("dialog").get_by_role("button", name="移出黑名单").click()
    seat.until(lambda: not row.count(), "they are in the list still")


def test_a_segment_is_made_while_its_people_are_counted(seat: Seat) -> None:
    page = seat.open("/segments/new").page
    everybody = page.get_by_role("region", name="预览").locator(".figure").first
    seat.until(lambda: re.search(r"[1-9]", everybody.inner_text()), "nobody is counted")
    whole = int(re.sub(r"\D", "", everybody.inner_text()))
    page.get_by_label("名称").fill("买过的 <b>")
    page.get_by_role("button", name="加条件", exact=True).click()
    page.get_by_label("字段").select_option("orders")
    page.get_by_label("数量").fill("1")
    buyers = page.locator(".rulepart-end .num")
    seat.until(
        lambda: buyers.count() and 0 < int(re.sub(r"\D", "", buyers.inner_text())) < whole, "not counted"
    )
    count = int(re.sub(r"\D", "", buyers.inner_text()))
    page.get_by_role("button", name="保存").click()
    seat.until(lambda: "/segments/seg_" in page.url, "it is not made")
    seat.settle().sees(f"共 {count} 条")
    page.reload()
    seat.until(
        lambda: page.get_by_label("数量").count() and page.get_by_label("数量").input_value() == "1", "rule"
    )


def test_a_view_is_saved_and_its_address_shared(seat: Seat) -> None:
    customer = find(seat)
    seat.open(f"/customers?channel={customer['channel']}")
    seat.page.get_by_role("button", name="保存").first.click()
    seat.page.get_by_role("dialog").get_by_role("textbox").fill("渠道复盘")
    seat.page.get_by_role("dialog").get_by_role("button", name="保存").click()
    seat.until(lambda: seat.page.get_by_role("button", name="渠道复盘").count(), "the view is not there")
    address = seat.page.url
    other = seat.tab()
    other.goto(address)
    seat.page = other
    seat.settle()
    seat.until(
        lambda: seat.page.locator("[aria-pressed=true]", has_text="渠道复盘").count(),
        "the address does not open the view",
    )


def test_the_list_is_had_as_a_file(seat: Seat) -> None:
    seat.open("/customers")
    seat.page.get_by_role("button", name="导出").click()
    seat.page.get_by_role("menuitem", name="导出 CSV").click()
    link = seat.page.get_by_role("link", name=re.compile("下载"))
    seat.until(link.count, "the file is not there")
    address = str(link.get_attribute("href"))
    with urllib.request.urlopen(address) as answer:
        text = answer.read().decode("utf-8-sig")
    assert text.startswith("名称,跟进人,") and text.count("\r\n") > 10


@pytest.fixture
def guide(browser: Any, stack: Any) -> Iterator[Seat]:
    """Somebody at a computer, as whoever WeCom signs in."""
    made = Seat(browser, stack.base)
    yield made
    complaints = list(made.complaints)
    made.close()
    assert not complaints


def test_the_sidebar_beside_a_chat(seat: Seat, guide: Seat) -> None:
    customer = find(seat)
    follow = next(row for row in customer["follows"] if row["status"] == "active")
    sandbox = json.load(urllib.request.urlopen(f"{guide.base}/local/sandbox"))["wecom_api_base"]
    page = guide.page
    page.goto(f"{sandbox}/guide/{follow['staff_id']}/{customer['external_userid']}/sidebar")
    bar = page.frame_locator("iframe.sidebar")
    bar.get_by_role("heading", name=customer["name"]).wait_for()
    frame = next(one for one in page.frames if "/sidebar" in one.url and one != page.main_frame)
    assert frame.evaluate("innerWidth") == 360
    assert frame.evaluate("document.documentElement.scrollWidth") <= 360
    bar.get_by_label("新标签").fill("等级/侧边栏")
    bar.get_by_role("button", name="添加", exact=True).click()
    bar.get_by_text("等级/侧边栏").first.wait_for()
    bar.get_by_label("要发的话").fill("明天到货哦")
    page.reload()  # WeCom's client throws the page away with each change of chat
    bar.get_by_role("heading", name=customer["name"]).wait_for()
    assert bar.get_by_label("要发的话").input_value() == "明天到货哦"
    bar.get_by_role("button", name="发送", exact=True).last.click()
    page.frame_locator("iframe.chat").get_by_text("明天到货哦").wait_for()
    tags = seat.context.request.get(f"{seat.base}/api/customers/{customer['external_userid']}").json()["tags"]
    assert "等级/侧边栏" in tags
