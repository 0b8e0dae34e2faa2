"""Who runs the stack: people and their stores, keys, sessions, connections, the audit, dead letters, accounts."""

import json
import re
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.browser import Seat

MANAGER = "hemei"  # of the local stack's people by role
DEAD = {
    "queue": "orders", "count": 2, "redrivable": True, "oldest_at": "2026-11-30T04:00:00.000000+00:00",
    "kinds": {"order": 2}, "name": "商城订单", "cure": "先排除原因，再重新处理",
}  # fmt: skip


def api(seat: Seat, key: str, method: str, path: str, body: Any = None) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    answer = seat.context.request.fetch(f"{seat.base}{path}", method=method, data=body, headers=headers)
    return answer.json() if answer.text() else None


def picks(seat: Seat, label: str, typed: str, option: str) -> None:
    """Something in a picker, by what one types."""
    field = seat.page.get_by_label(label, exact=True)
    field.click()
    seat.page.keyboard.type(typed)
    seat.page.get_by_role("option", name=re.compile(option)).first.click()
    seat.page.keyboard.press("Escape")


@pytest.fixture
def manager(seat: Seat, stack: Any) -> Iterator[dict[str, Any]]:
    """The store manager as they were, again, when the test is over."""
    before = api(seat, stack.key, "GET", f"/api/users/{MANAGER}")
    yield before
    kept = {name: before[name] for name in ("role", "scope", "status")}
    api(seat, stack.key, "PATCH", f"/api/users/{MANAGER}", kept)


def test_a_store_manager_gets_a_store_signs_in_by_wecom_and_sees_no_other(
    seat: Seat, browser: Any, stack: Any, manager: Any
) -> None:
    seat.open(f"/settings/people/{MANAGER}")
    chips = seat.page.get_by_label("门店", exact=True).locator("xpath=ancestor::*[contains(@class,'picker')][1]").locator(".chip button")  # fmt: skip
    while chips.count():
        chips.first.click()
    picks(seat, "门店", "湖滨", "杭州湖滨店")
    seat.page.get_by_role("button", name="保存").click()
    seat.at("/settings/people")
    seat.sees("杭州湖滨店")
    phone = Seat(browser, stack.base, "phone")
    phone.open("/stores")
    phone.page.get_by_role("link", name="企业微信登录").click()
    phone.page.get_by_text("何梅").click()  # on the sandbox's page, under 店长
    phone.page.wait_for_selector(".shell")
    me = phone.context.request.get(f"{stack.base}/api/me").json()
    assert (me["name"], me["scope_names"]["stores"]) == ("何梅", [{"id": "hz-hubin", "name": "杭州湖滨店"}])
    stores = phone.context.request.get(f"{stack.base}/api/stores").json()
    assert [row["store_id"] for row in stores["items"]] == ["hz-hubin"] and stores["total"] == 1
    assert phone.context.request.get(f"{stack.base}/api/users").status == 403
    phone.open("/settings/sessions").sees("企业微信登录")
    phone.sees("本机")
    phone.open("/settings/audit").sees("没有查看权限")
    seat.open(f"/settings/people/{MANAGER}")
    seat.page.get_by_role("button", name="停用").first.click()
    seat.page.get_by_role("dialog").get_by_role("button", name="停用").click()
    seat.sees("已停用 何梅")
    assert phone.context.request.get(f"{stack.base}/api/me").status == 401
    assert not [said for said in phone.complaints if "403" not in said and "401" not in said]
    phone.close()


def test_of_two_who_change_a_person_the_second_is_shown_the_difference(
    seat: Seat, stack: Any, manager: Any
) -> None:
    seat.open(f"/settings/people/{MANAGER}")
    api(seat, stack.key, "PATCH", f"/api/users/{MANAGER}", {"role": "guide"})
    seat.page.get_by_text("运营", exact=True).click()
    seat.page.get_by_role("button", name="保存").click()
    clash = seat.page.get_by_role("alertdialog")
    clash.wait_for()
    assert "导购" in clash.inner_text() and "运营" in clash.inner_text()
    clash.get_by_role("button").last.click()  # mine
    seat.at("/settings/people")
    assert api(seat, stack.key, "GET", f"/api/users/{MANAGER}")["role"] == "operator"


def test_a_key_is_seen_once_works_and_is_revoked(seat: Seat, stack: Any) -> None:
    name = f"测试 {secrets.token_hex(3)}"
    page = seat.open("/settings/keys/new").page
    page.get_by_role("button", name="创建").click()
    seat.sees("名称")  # and what is wrong with it
    page.get_by_label("名称").fill(name)
    page.get_by_role("radio", name=re.compile("财务")).check(force=True)
    page.get_by_role("button", name="创建").click()
    key = page.locator(".key-text").inner_text()
    assert api(seat, key, "GET", "/api/me")["role"] == "finance"
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert key not in kept
    page.get_by_role("link", name="我已保存").click()
    seat.at("/settings/keys")
    assert key not in page.content()
    seat.open("/settings/keys?status=active")
    page.get_by_text(name).first.click()
    page.get_by_role("button", name="停用").click()
    confirm = page.get_by_role("dialog").filter(has_text="不能恢复")
    confirm.get_by_role("button", name="停用").click()
    seat.sees(f"已停用 {name}")
    assert api(seat, key, "GET", "/api/me")["status"] == 401


def test_every_connection_is_tested_by_a_button(seat: Seat) -> None:
    page = seat.open("/settings/connections").page
    page.get_by_role("button", name="全部测试").click()
    good = page.locator(".connection .badge-good")
    seat.until(lambda: good.count() == 6, "not all connections work")
    page.get_by_text("设置项").first.click()
    assert "WECOM_CORP_ID" in page.inner_text("body")


def test_the_audit_shows_what_was_changed_from_what_to_what(seat: Seat, stack: Any, manager: Any) -> None:
    api(seat, stack.key, "PATCH", f"/api/users/{MANAGER}", {"role": "auditor", "scope": None})
    page = seat.open(f"/settings/audit?action=users&object={MANAGER}").page
    page.locator(".datalist-row").first.click()
    drawer = page.get_by_role("dialog")
    drawer.wait_for()
    said = drawer.inner_text()
    assert "角色" in said and "店长" in said and "审计" in said
    drawer.get_by_role("link", name=re.compile(f"{MANAGER}|何梅")).first.click()
    seat.at(f"/settings/people/{MANAGER}")


def test_dead_letters_are_told_in_words_and_sent_again(seat: Seat) -> None:
    lying = [DEAD]

    def answer(route: Any) -> None:
        if route.request.method == "POST":
            lying.clear()
            route.fulfill(json={"queue": "orders", "count": 2})
        elif route.request.url.endswith("/messages"):
            letter = {"message_id": "1", "at": DEAD["oldest_at"], "kind": "order", "content": {"name": "***"}}
            route.fulfill(json={"items": [letter], "total": 1, "next_cursor": None, "total_is": "at_least"})
        else:
            page = {"items": list(lying), "total": len(lying), "next_cursor": None, "total_is": "exact"}
            route.fulfill(body=json.dumps(page), content_type="application/json")

    seat.context.route(re.compile("/api/dead-letters"), answer)
    page = seat.open("/settings/dead-letters").page
    seat.sees("先排除原因，再重新处理")
    page.get_by_role("button", name="查看内容").click()
    page.get_by_text("技术细节").click()
    seat.sees("***")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="重新处理").click()
    page.get_by_role("dialog").get_by_role("button", name="重新处理").click()
    seat.sees("已处理完：商城订单")
    seat.sees("没有处理失败的消息")


def test_who_hears_of_alarms_is_chosen_and_taken_back(seat: Seat, stack: Any) -> None:
    page = seat.open("/settings/dead-letters").page
    page.get_by_role("switch", name="运营").click()
    seat.sees("已保存")
    assert api(seat, stack.key, "GET", "/api/settings/alarms") == {"roles": ["admin"]}
    page.get_by_role("button", name="撤销").click()
    seat.until(
        lambda: api(seat, stack.key, "GET", "/api/settings/alarms")["roles"] == ["admin", "operator"],
        "it is not taken back",
    )


def test_an_account_is_limited(seat: Seat, stack: Any) -> None:
    page = seat.open("/staff/lihua").page
    page.get_by_role("button", name="调整上限").click()
    page.get_by_label("每日上限").fill("7")
    page.get_by_role("dialog").get_by_role("button", name="保存").click()
    seat.sees("今日上限 7 人")
    api(seat, stack.key, "PUT", "/api/staff/lihua", {"started_at": None, "daily_cap": None})
