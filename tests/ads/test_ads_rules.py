"""Clicks, tokens, windows, back-off: examples, and properties."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.ads import rules
from chalicelib.contactways.service import state_of

CODE, PAGE = "Ab3dE9xZ", "https://scrm.example.com/h5/a/Ab3dE9xZ"
NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("platform", "query", "url"),
    [
        ("baidu", {"bd_vid": "123456", "x": "1"}, f"{PAGE}?bd_vid=123456"),
        ("oceanengine", {"clickid": "EM_a-b.c", "adid": "17", "creativeid": "<"}, f"{PAGE}?clickid=EM_a-b.c&adid=17"),
        ("tencent", {"qz_gdt": "w1", "gdt_vid": "w0"}, f"{PAGE}?gdt_vid=w0"),
        ("tencent", {"qz_gdt": "w1"}, f"{PAGE}?qz_gdt=w1"),
        ("generic", {"click_id": "a+b="}, f"{PAGE}?click_id=a%2Bb%3D"),
    ],
    ids=["baidu", "oceanengine", "wechat first", "other traffic", "quoted"],
)  # fmt: skip
def test_a_click_is_the_platforms_own_parameter(platform: str, query: dict[str, str], url: str) -> None:
    click = rules.click_of(platform, CODE, PAGE, query)
    assert click is not None and click.landing_url == url
    assert rules.code_of(click.token) == CODE and rules.is_click(click.token)


@pytest.mark.parametrize(
    ("platform", "query"),
    [
        ("baidu", {}),
        ("baidu", {"clickid": "1"}),
        ("baidu", {"bd_vid": ""}),
        ("baidu", {"bd_vid": "1" * 513}),
        ("baidu", {"bd_vid": "a b"}),
        ("baidu", {"bd_vid": '"><script>'}),
        ("oceanengine", {"clickid": "__CLICKID__"}),
        ("tencent", {"bd_vid": "1"}),
    ],
    ids=["none", "another's", "empty", "long", "space", "markup", "macro", "baidu's at tencent"],
)
def test_anything_else_is_no_click(platform: str, query: dict[str, str]) -> None:
    assert rules.click_of(platform, CODE, PAGE, query) is None


@given(st.text("abcXYZ019_-.", min_size=1, max_size=512), st.text("abcXYZ019_-.", min_size=1, max_size=512))
def test_the_same_click_id_is_the_same_token_and_it_fits_wecoms_64_bytes(one: str, other: str) -> None:
    clicks = [rules.click_of("baidu", CODE, PAGE, {"bd_vid": value, "t": str(n)}) for n, value in enumerate([one, other, one])]  # fmt: skip
    tokens = [click.token for click in clicks if click is not None]
    if len(tokens) == 3:
        assert tokens[0] == tokens[2] and (tokens[0] == tokens[1]) == (one == other)
        assert all(t.isascii() and t.isalnum() and len(t.encode()) <= rules.MAX_STATE for t in tokens)


def test_tokens_are_no_contact_ways_states_and_the_other_way_round() -> None:
    assert rules.code_of(state_of("lc_Ab3dE9xZ", "lihua")) is None
    assert rules.code_of(rules.visitor_token(CODE)) == CODE
    assert not rules.is_click(rules.visitor_token(CODE))
    for foreign in (None, "", "ma", "maAb3dE9x0", "maAb3dE9xZ1", "lc_8F3kQ2", "maAb3dE9xZ" + "a" * 21):
        assert rules.code_of(foreign) is None


@given(st.text(max_size=100))
def test_a_links_name_fits_and_ends_with_the_code(name: str) -> None:
    made = rules.link_name(name, CODE)
    assert len(made) <= 30 and made.endswith(f" {CODE}")


def test_eight_tries_take_most_of_a_day() -> None:
    gaps = [rules.backoff(tries) for tries in range(1, rules.MAX_TRIES)]
    assert gaps[:4] == [timedelta(minutes=m) for m in (1, 4, 16, 64)]
    assert gaps == sorted(gaps) and max(gaps) == timedelta(hours=6)
    assert timedelta(hours=12) < sum(gaps, timedelta()) < timedelta(days=1)


@pytest.mark.parametrize(
    ("days", "inside"),
    [(-1, False), (0, True), (30, True), (30.1, False)],
    ids=["before", "at", "last", "after"],
)
def test_an_orders_window(days: float, inside: bool) -> None:
    assert rules.is_within(timedelta(days=30), NOW, NOW + timedelta(days=days)) is inside


OPEN: dict[str, Any] = {
    "active": True,
    "has_staff": True,
    "link_url": "https://l",
    "unavailable": None,
    "is_quota_exhausted": False,
}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"is_quota_exhausted": True}, "quota_exhausted"),
        ({"active": False, "is_quota_exhausted": True}, "archived"),
        ({"has_staff": False}, "no_staff"),
        ({"unavailable": "link_unavailable"}, "link_unavailable"),
        ({"link_url": None}, "no_link"),
    ],
    ids=["open", "used up", "archived", "nobody", "gone bad", "not made"],
)
def test_why_a_page_leads_elsewhere(change: dict[str, Any], why: str | None) -> None:
    assert rules.why_closed(**{**OPEN, **change}) == why


def test_the_buttons_link_carries_the_token() -> None:
    assert (
        rules.button_url("https://work.weixin.qq.com/ca/x", "maA")
        == "https://work.weixin.qq.com/ca/x?customer_channel=maA"
    )
    assert rules.button_url("https://w/ca?x=1", "maA").endswith("?x=1&customer_channel=maA")
