"""What every screen stands in: signing in and out, addresses, language, theme, the keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.browser import Seat

SIGNED_IN, SIGNED_OUT = ".shell", "#signin-key"


@pytest.fixture
def stranger(browser: Any, stack: Any) -> Iterator[Seat]:
    """Nobody yet."""
    made = Seat(browser, stack.base)
    yield made
    complaints = list(made.complaints)
    made.close()
    assert not complaints


def test_the_entrance_leads_to_the_console(stranger: Seat) -> None:
    answer = stranger.page.goto(stranger.base)
    assert answer is not None and answer.url == f"{stranger.base}/console"
    policy = answer.header_value("content-security-policy") or ""
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy and "unsafe" not in policy
    assert answer.header_value("x-content-type-options") == "nosniff"


def test_one_signs_in_by_key_and_is_where_one_wanted_to_be(stranger: Seat, stack: Any) -> None:
    page = stranger.open("/nowhere?q=1").page
    assert page.evaluate("document.activeElement.id") == "signin-key"
    page.keyboard.press("Enter")
    stranger.sees("请输入 API 密钥")
    page.keyboard.type("mr_nobodys")
    page.keyboard.press("Enter")
    stranger.sees("密钥无效或已停用")
    assert page.input_value(SIGNED_OUT) == ""
    page.keyboard.type(stack.key)
    page.keyboard.press("Enter")
    page.wait_for_selector(SIGNED_IN)
    assert page.url == f"{stranger.base}/console/nowhere?q=1"
    stranger.sees("页面不存在")
    kept = page.evaluate("JSON.stringify([localStorage, sessionStorage])")
    assert stack.key not in kept and "mr_" not in page.evaluate("document.cookie")


def test_who_signs_in_by_key_has_the_whole_first_page_at_once(stranger: Seat, stack: Any) -> None:
    page = stranger.open("/").page
    page.fill(SIGNED_OUT, stack.key)
    page.keyboard.press("Enter")
    stranger.sees("今日扫码")
    page.wait_for_load_state("networkidle")  # no answer of before the sign-in ends the session
    stranger.settle()
    assert "今日扫码" in page.inner_text("body") and not page.query_selector(SIGNED_OUT)


def test_one_signs_out_and_is_out_in_every_tab(seat: Seat) -> None:
    seat.open("/")
    other = seat.tab()
    other.goto(f"{seat.base}/console")
    other.wait_for_selector(SIGNED_IN)
    seat.page.click(".shell-top [aria-label=退出登录]")
    seat.page.wait_for_selector(SIGNED_OUT)
    other.reload()
    other.wait_for_selector(SIGNED_OUT)


def test_a_session_that_ended_leads_to_the_sign_in_and_back(seat: Seat, stack: Any) -> None:
    page = seat.open("/live-codes/new?channel=other").page
    page.get_by_label("名称", exact=True).fill("登录失效时的活码")
    seat.context.clear_cookies()
    page.click("button:has-text('创建活码')")
    page.wait_for_selector(SIGNED_OUT)
    seat.sees("登录已失效，请重新登录")
    page.fill(SIGNED_OUT, stack.key)
    page.keyboard.press("Enter")
    page.wait_for_selector(SIGNED_IN)
    seat.at("/live-codes/new?channel=other")
    seat.until(
        lambda: page.get_by_label("名称", exact=True).input_value() == "登录失效时的活码", "the work is lost"
    )


def test_the_language_is_the_browsers_until_one_is_chosen(browser: Any, stack: Any) -> None:
    english = Seat(browser, stack.base, language="en").sign_in(stack.key).open("/nowhere")
    english.sees("Page not found")
    assert english.page.evaluate("document.documentElement.lang") == "en"
    english.page.click("text=中文")
    english.sees("页面不存在")
    english.page.reload()
    english.settle().sees("页面不存在")
    assert english.page.evaluate("document.documentElement.lang") == "zh-CN"
    english.close()


def test_the_theme_is_the_systems_until_one_is_chosen(browser: Any, stack: Any) -> None:
    dark = Seat(browser, stack.base, dark=True).sign_in(stack.key).open("/nowhere")
    theme = "document.documentElement.dataset.theme"
    assert dark.page.evaluate(theme) == "dark"
    dark.page.emulate_media(color_scheme="light")
    dark.until(lambda: dark.page.evaluate(theme) == "light", "the theme does not follow the system")
    dark.page.click(".shell-top [aria-label^=外观]")  # light
    dark.page.click(".shell-top [aria-label^=外观]")  # dark
    assert dark.page.evaluate(theme) == "dark"
    dark.page.reload()
    dark.settle()
    assert dark.page.evaluate(theme) == "dark"
    dark.close()


def test_the_keyboard_skips_the_navigation_and_finds_a_screen(seat: Seat) -> None:
    page = seat.open("/nowhere").page
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "shell-skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.keyboard.press("Control+k")
    page.wait_for_selector(".find-field input")
    count = page.locator(".find-one").count()
    page.keyboard.type("没有这样的功能")
    seat.sees("没有找到")
    page.keyboard.press("Escape")
    page.wait_for_selector(".find", state="detached")
    assert count == page.locator(".shell-side .nav-link").count()


def test_files_that_a_new_version_has_not_are_no_dead_end(seat: Seat) -> None:
    page = seat.open("/nowhere").page
    page.route("**/console/assets/livecodes-*.js", lambda route: route.abort(), times=1)
    page.locator(".shell-side .nav-link", has_text="活码").first.click()
    page.wait_for_selector(".datalist")
    seat.at("/live-codes")
    seat.settle().complaints.clear()  # of the file that was not there


def test_without_a_connection_one_is_told(seat: Seat) -> None:
    page = seat.open("/nowhere").page
    page.route("**/console/assets/livecodes-*.js", lambda route: route.abort())
    page.locator(".shell-side .nav-link", has_text="活码").first.click()
    seat.sees("网络连接不上")
    seat.complaints.clear()


def test_a_file_that_is_not_there_is_no_page(stranger: Seat) -> None:
    answer = stranger.context.request.get(f"{stranger.base}/console/assets/first-0000000000.js")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json")
    program = stranger.context.request.get(
        f"{stranger.base}/console/x", headers={"Accept": "application/json"}
    )
    assert program.status == 404


def test_files_are_kept_for_ever_and_the_page_is_not(stranger: Seat) -> None:
    page = stranger.context.request.get(f"{stranger.base}/console")
    assert page.headers["cache-control"] == "no-cache"
    script = next(
        word for word in page.text().split('"') if "/assets/first-" in word and word.endswith(".js")
    )
    answer = stranger.context.request.get(stranger.base + script)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] in ("br", "gzip")


def test_what_is_loaded_later_goes_before_in_style(seat: Seat) -> None:
    """The kit's rest and a section's style come after the first: else a plain input's rules would win."""
    seat.open("/customers")
    sheets = seat.page.evaluate(
        "[...document.styleSheets].map((sheet) => sheet.href.split('/').pop().split('-')[0])"
    )
    assert sheets[:2] == ["boot", "first"] and {"more", "customers"} <= set(sheets[2:])
