"""What each role finds in the navigation it may open, whole; what is not in it says so, in words."""

from typing import Any

import pytest

from tests.console.browser import Seat

REFUSED, FAILED, MISSING = "没有查看权限", "加载失败", "找不到该内容"


def seat_of(browser: Any, stack: Any, role: str, scope: dict[str, list[str]] | None = None) -> Seat:
    key = stack.api("POST", "/api/api-keys", {"name": f"测试{role}", "role": role, "scope": scope})
    return Seat(browser, stack.base).sign_in(key["key"])


@pytest.mark.parametrize("role", ["operator", "store_manager", "guide", "finance", "auditor"])
def test_all_of_the_navigation_may_be_opened(browser: Any, stack: Any, role: str) -> None:
    stores = stack.api("GET", "/api/stores?limit=1")["items"]
    scope = {"store_ids": [stores[0]["store_id"]]} if role == "store_manager" else None
    seat = seat_of(browser, stack, role, scope).open("/")
    wrong = []
    paths = seat.page.evaluate(
        "[...document.querySelectorAll('.shell-side .nav-link')].map((a) => a.pathname)"
    )
    for path in paths:
        seat.go(path.removeprefix("/console") or "/")
        shown = seat.page.inner_text("main")
        wrong += [f"{path}: {said}" for said in (REFUSED, FAILED, MISSING) if said in shown]
        wrong += [f"{path}: {said}" for said in seat.complaints]
        seat.complaints.clear()
    seat.close()
    assert paths and not wrong, "\n" + "\n".join(wrong)


def test_what_a_role_may_not_see_is_said_in_words(browser: Any, stack: Any) -> None:
    seat = seat_of(browser, stack, "guide").open("/live-codes/new")
    seat.sees(REFUSED)
    assert not seat.complaints and seat.page.title()
    seat.close()


def test_a_search_by_keys_alone_finds_what_is_in_ones_scope(browser: Any, stack: Any) -> None:
    mine, other = stack.api("GET", "/api/stores?limit=2")["items"]
    assert stack.api("GET", f"/api/stores?q={other['name']}")["items"]  # an admin finds it
    seat = seat_of(browser, stack, "store_manager", {"store_ids": [mine["store_id"]]}).open("/")
    page = seat.page

    def search(words: str) -> list[str]:
        page.keyboard.press("Control+k")
        page.wait_for_selector(".find-field input")
        page.keyboard.type(words)
        seat.until(lambda: not page.query_selector("#find-list[aria-busy]"), "it searches for ever")
        found = page.locator(".find-one").all_inner_texts()
        page.keyboard.press("Escape")
        page.wait_for_selector(".find", state="detached")
        return found

    assert any(one.startswith("活码") for one in search("huoma")) and search("hm")
    assert not any(other["name"] in one for one in search(other["name"]))
    assert any(mine["name"] in one for one in search(mine["name"]))
    page.keyboard.press("Control+k")
    page.wait_for_selector(".find-field input")
    page.keyboard.type(mine["name"])
    seat.until(lambda: page.locator(".find-one").count(), "the store is not found")
    page.keyboard.press("Enter")
    seat.at(f"/stores/{mine['store_id']}")
    assert not seat.complaints
    seat.close()
