"""Work that is not saved: over a reload, at going elsewhere and back, in two tabs."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.console.browser import Seat

STAY, LEAVE, SAVE = "继续编辑", "放弃修改", "保存"


@pytest.fixture
def code(seat: Seat) -> dict[str, Any]:
    """A live code of the test's own."""
    member = ask(seat, "GET", "/api/staff?limit=1")["items"][0]["staff_id"]
    body = {
        "name": f"码 {time.monotonic_ns()}",
        "channel": "parcel",
        "assignment": {"members": [{"staff_id": member}]},
    }
    return ask(seat, "POST", "/api/live-codes", body)


def ask(seat: Seat, method: str, path: str, body: Any = None) -> dict[str, Any]:
    """A call as the person who sits here."""
    token = seat.context.request.get(f"{seat.base}/api/me").json()["csrf_token"]
    answer = seat.context.request.fetch(
        seat.base + path, method=method, data=body, headers={"X-CSRF-Token": token}
    )
    assert answer.ok, answer.text()
    return dict(answer.json())


def name_of(page: Page) -> Any:
    return page.get_by_label("名称", exact=False).first


def edit(seat: Seat, code: dict[str, Any], name: str) -> str:
    """Open the code's editor and type another name; answers the editor's path."""
    path = f"/live-codes/{code['live_code_id']}/edit"
    seat.open(path)
    name_of(seat.page).fill(name)
    return path


def test_a_reload_keeps_what_was_typed(seat: Seat, code: dict[str, Any]) -> None:
    edit(seat, code, "重新加载之前")
    seat.page.on("dialog", lambda dialog: dialog.accept())  # the browser's own question
    seat.page.reload()
    seat.settle().sees("已恢复上次未保存的修改")
    assert name_of(seat.page).input_value() == "重新加载之前"
    seat.page.get_by_role("button", name="放弃草稿").click()
    seat.until(lambda: name_of(seat.page).input_value() == code["name"], "the draft is still there")


def test_who_goes_elsewhere_is_asked_first(seat: Seat, code: dict[str, Any]) -> None:
    path = edit(seat, code, "去别处之前")
    home = seat.page.locator(".shell-side .nav-link").first
    home.click()
    seat.page.get_by_role("button", name=STAY).click()
    seat.at(path)
    assert name_of(seat.page).input_value() == "去别处之前"
    home.click()
    seat.page.get_by_role("button", name=LEAVE).click()
    seat.at("")


def test_back_and_forward_lead_where_they_say_and_ask_first(seat: Seat, code: dict[str, Any]) -> None:
    page = seat.open("/live-codes").page
    page.locator(".shell-side .nav-link").first.click()
    seat.at("")
    path = f"/live-codes/{code['live_code_id']}/edit"
    page.evaluate(
        f"(() => {{ const a = document.createElement('a'); a.href = '/console{path}'; document.body.append(a); a.click(); }})()"
    )
    seat.at(path)
    seat.settle()
    name_of(page).fill("后退之前")
    page.go_back()
    page.get_by_role("button", name=STAY).click()
    seat.at(path)
    assert name_of(page).input_value() == "后退之前"
    page.go_back()
    page.get_by_role("button", name=LEAVE).click()
    seat.at("")
    page.go_back()
    seat.at("/live-codes")
    page.go_forward()
    seat.at("")
    seat.settle()


def test_a_filter_is_in_the_address_and_back_does_not_lose_it(seat: Seat, code: dict[str, Any]) -> None:
    page = seat.open("/live-codes?q=%E5%8C%85%E8%A3%B9&sort=-name").page
    page.locator(".shell-side .nav-link").first.click()
    seat.at("")
    page.go_back()
    seat.settle()
    assert "sort=-name" in page.url and "q=%E5%8C%85%E8%A3%B9" in page.url


def test_two_who_edit_one_thing_are_told(seat: Seat, code: dict[str, Any]) -> None:
    edit(seat, code, "我的名字")
    ask(seat, "PATCH", f"/api/live-codes/{code['live_code_id']}", {"name": "对方的名字"})
    seat.page.get_by_role("button", name=SAVE).click()
    seat.sees("内容已被他人修改")
    seat.sees("对方的名字")
    seat.page.get_by_role("button", name="保留我的修改").click()  # which saves it
    stored = lambda: ask(seat, "GET", f"/api/live-codes/{code['live_code_id']}")["name"]  # noqa: E731
    seat.until(lambda: stored() == "我的名字", "what was kept is not saved")
    seat.settle()


def test_a_sign_in_in_another_tab_costs_no_work(seat: Seat, stack: Any, code: dict[str, Any]) -> None:
    """The other tab's session has another token: the write is tried again with it."""
    edit(seat, code, "另一个标签页登录之后")
    seat.sign_in(stack.key)
    seat.page.get_by_role("button", name=SAVE).click()
    stored = lambda: ask(seat, "GET", f"/api/live-codes/{code['live_code_id']}")["name"]  # noqa: E731
    seat.until(lambda: stored() == "另一个标签页登录之后", "it is not saved")
    seat.complaints[:] = [said for said in seat.complaints if "status of 403" not in said]
    seat.settle()
