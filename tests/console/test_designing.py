"""What is designed on screens: a poster by keys and by mouse, one that is refused, a brand, a run of cards."""

import re
import time
from pathlib import Path

from playwright.sync_api import Locator

from tests.console.browser import Seat


def layer(seat: Seat, name: str) -> Locator:
    """On the canvas, by the start of its name."""
    return seat.page.locator(f".canvas-layer[aria-label^='{name}']")


def place_of(seat: Seat, name: str) -> tuple[int, int]:
    found = re.search(r"位置 (-?\d+)，(-?\d+)", layer(seat, name).get_attribute("aria-label") or "")
    assert found
    return int(found[1]), int(found[2])


def read(seat: Seat) -> None:
    """Until the server's decoded picture stands in the place of the drawing."""
    seat.until(
        lambda: seat.page.locator(".canvas-page image[href^='data:']").count(), "no picture of the server's"
    )
    seat.sees("已通过扫码检测")


def test_a_poster_is_designed_by_keys_alone(seat: Seat) -> None:
    page = seat.open("/posters/new?kind=phone").page
    read(seat)
    layer(seat, "二维码").focus()
    x, y = place_of(seat, "二维码")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowUp")
    assert place_of(seat, "二维码") == (x + 1, y - 10)
    seat.until(lambda: not page.locator(".canvas-page image[href^='data:']").count(), "the old picture stays")
    read(seat)
    page.keyboard.press("Control+z")
    seat.until(lambda: place_of(seat, "二维码") == (x, y), "not undone")
    page.keyboard.press("Control+Shift+z")
    seat.until(lambda: place_of(seat, "二维码") == (x + 1, y - 10), "not redone")
    page.locator(".designer-layers button", has_text="页面").click()
    page.get_by_label("模板名称").fill(name := f"键盘海报 {time.time():.0f}")
    page.locator(".designer-name", has_text="二维码").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowRight")  # chosen in the list, it hears the keys there
    seat.until(lambda: place_of(seat, "二维码") == (x + 2, y - 10), "not moved from the list")
    page.keyboard.press("Control+z")
    seat.until(lambda: place_of(seat, "二维码") == (x + 1, y - 10), "not undone")
    page.locator(".designer-name", has_text="副标题").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Delete")
    seat.until(lambda: not layer(seat, "副标题").count(), "the layer is still there")
    assert page.get_by_label("模板名称").input_value() == name
    page.keyboard.press("Control+s")
    seat.until(lambda: "/posters/pt_" in page.url, "not saved")
    seat.settle().sees(name)
    read(seat)
    assert place_of(seat, "二维码") == (x + 1, y - 10) and not layer(seat, "副标题").count()


def test_a_poster_is_designed_by_mouse_and_snaps(seat: Seat) -> None:
    page = seat.open("/posters/new?kind=square").page
    read(seat)
    box = layer(seat, "二维码").bounding_box()
    start = place_of(seat, "二维码")
    assert box
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] + 40, middle[1] - 20, steps=4)
    away = place_of(seat, "二维码")
    assert away[0] > start[0] + 20
    page.mouse.move(middle[0] + 3, middle[1] - 20, steps=4)  # near the page's middle: drawn to it
    assert page.locator(".canvas-snap").count()
    page.mouse.up()
    assert abs(place_of(seat, "二维码")[0] - start[0]) <= 1 and place_of(seat, "二维码")[1] < start[1]
    assert not page.locator(".canvas-snap").count()
    read(seat)
    page.get_by_role("button", name="撤销").click()
    seat.until(lambda: place_of(seat, "二维码") == start, "not undone")
    page.locator(".designer-name", has_text="标题").last.click()
    page.locator(".chip", has_text="门店名称").click()
    assert page.get_by_label("文字内容").input_value() == "{title}{store_name}"
    read(seat)


def test_a_design_that_no_phone_reads_says_which_layer_and_why(seat: Seat) -> None:
    page = seat.open("/posters/new?kind=phone").page
    read(seat)
    page.locator(".designer-name", has_text="二维码").click()
    page.get_by_label("大小").fill("120")
    refusal = page.locator(".designer-refusals")
    seat.until(refusal.count, "not refused")
    assert "二维码：" in refusal.inner_text() and "请将二维码放大到" in refusal.inner_text()
    assert page.locator(".canvas-bad").count() == 1
    page.locator(".designer-layers button", has_text="页面").click()
    page.get_by_label("模板名称").fill("太小")
    page.get_by_role("button", name="保存").click()
    seat.sees("第 4 层")
    assert "/posters/new" in page.url
    page.locator(".designer-name", has_text="二维码").click()
    page.get_by_label("大小").fill("560")
    read(seat)


def test_colours_that_cannot_be_read_are_told_as_one_types_and_refused(seat: Seat) -> None:
    page = seat.open("/settings/brand").page
    before = page.locator(".colour-text").first.input_value()
    page.locator(".colour-text").first.fill("#ffd400")
    seat.sees("看不清，至少要 4.5")
    page.get_by_role("button", name="保存").click()
    seat.sees("最接近的可用颜色是")
    better = page.locator(".colour-better").first
    proposed = re.search(r"#[0-9a-f]{6}", better.inner_text())
    assert proposed
    better.click()
    assert page.locator(".colour-text").first.input_value() == proposed[0] != before
    seat.until(lambda: not page.locator(".colour-better").count(), "still too light")
    page.locator(".colour-text").first.fill(before)
    page.reload()  # nothing was saved
    seat.settle()
    assert page.locator(".colour-text").first.input_value() == before


def test_a_run_of_cards_is_made_and_downloaded(seat: Seat) -> None:
    page = seat.open("/print-runs/new").page
    seat.until(lambda: page.locator(".cardpreview").count(), "no sample of the card")
    page.get_by_label("批次名称").fill(name := f"测试卡 {time.time():.0f}")
    page.get_by_role("combobox", name="活码").click()
    page.locator("[role=option]").first.click()
    page.get_by_label("张数").fill("12")
    page.get_by_text("CSV 表格").click()
    page.get_by_role("button", name="生成卡片").click()
    seat.until(lambda: "/print-runs/pr_" in page.url, "no run")
    link = page.get_by_role("link", name="下载", exact=True)
    seat.until(link.count, "no file")
    with page.expect_download() as started:
        link.click()
    rows = Path(started.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert len(rows) == 13 and "/s/" in rows[1]
    seat.sees(name)
    page.locator("tbody tr", has_text="000003").first.locator("a, button").first.click()
    card = page.get_by_role("dialog")
    card.get_by_label("订单号").fill("M20261201")
    card.get_by_role("button", name="绑定订单").click()
    card.get_by_role("button", name="解除绑定").click()
    seat.until(lambda: "未绑定" in card.inner_text(), "it is bound still")
