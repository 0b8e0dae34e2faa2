"""An empty stack's guided start: from nobody to the first customer, by screen and phone."""

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.client import LocalStack
from tests.console.browser import Seat


@pytest.fixture(scope="module")
def empty() -> Iterator[LocalStack]:
    """A stack of its own: the others have the demo, and what is tried here is that there is nothing."""
    with LocalStack() as running:
        yield running


def test_the_first_customer_is_seen_to_arrive(browser: Any, stack: Any, empty: LocalStack) -> None:
    seat = Seat(browser, empty.base).sign_in(empty.key)
    for staff_id, name in (("lihua", "李华"), ("chenjie", "陈洁")):
        empty.sandbox("POST", "staff", {"userid": staff_id, "name": name})
    page = seat.open("/").page
    page.click(".firststeps a.button")
    seat.until(lambda: page.url.endswith("/start"), "home does not lead to the first steps")
    seat.settle()
    page.click("[data-step=staff] button")
    page.wait_for_selector("[data-step=staff][data-done=yes]")
    seat.sees("客户和客户群正在后台导入")  # which is said when all are read in
    page.get_by_label("活码名称").fill("收银台")
    page.get_by_label("接待的导购").click()
    page.get_by_role("option", name="李华").click()
    page.keyboard.press("Escape")
    page.click("[data-step=code] button[type=submit]")
    page.wait_for_selector("[data-step=code][data-done=yes]")
    with page.context.expect_page() as opened:
        page.click("[data-step=scan] a.button")
    opened.value.wait_for_load_state()
    picture = opened.value.locator("img[src*='/qr/']").first.get_attribute("src")
    page.wait_for_selector("[data-event=scanned][data-seen=yes]")
    seat.sees("李华")
    empty.sandbox("POST", "add", {"qr_code": picture, "name": "林晓", "unionid": "o6_first"})
    page.wait_for_selector("[data-event=customer_added][data-seen=yes]")
    page.wait_for_selector("[data-event=welcome_sent][data-seen=yes]")
    seat.sees("林晓")
    assert not seat.complaints
    seat.close()
