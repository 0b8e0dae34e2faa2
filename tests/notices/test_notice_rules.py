"""Bundles hold every word once and fit; the count stays under WeCom's limit whatever the minutes."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notices import rules
from chalicelib.notices.rules import Part

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
CARD = {"msgtype": "textcard", "textcard": {"title": "x"}}
texts = st.text("您abc\n𠮷", min_size=1, max_size=1500)


@given(st.lists(st.one_of(texts, st.just(CARD)), max_size=12))
def test_bundles_hold_every_part_once_in_order_and_fit(contents: list[object]) -> None:
    parts = [Part(content, (str(n),)) for n, content in enumerate(contents)]  # type: ignore[arg-type]
    bundles = rules.pack(parts, NOW)
    assert [i for bundle in bundles for i in bundle.notice_ids] == [str(n) for n in range(len(parts))]
    for bundle in bundles:
        if bundle.message["msgtype"] == "text":
            content = bundle.message["text"]["content"]
            assert 0 < len(content.encode()) <= rules.TEXT_BYTES
            whole = [str(contents[int(i)]) for i in bundle.notice_ids]
            words = content.removesuffix("（10:00）")
            assert words != content
            assert words == rules.BETWEEN.join(whole) or (len(whole) == 1 and whole[0].startswith(words))
        else:
            assert bundle.message == CARD and len(bundle.notice_ids) == 1


@given(st.lists(st.integers(0, 40), max_size=300))
def test_no_member_gets_more_than_wecom_hands_over_in_any_minute_or_hour(pauses: list[int]) -> None:
    """Pauses in seconds between attempts to send."""
    now, counts, sent = NOW, {}, []
    for pause in pauses:
        now += timedelta(seconds=pause)
        following = rules.counted(counts, now)
        if following is not None:
            counts, _ = following, sent.append(now)
    for at in sent:
        assert sum(at <= other < at + timedelta(minutes=1) for other in sent) <= 30
        assert sum(at <= other < at + timedelta(hours=1) for other in sent) <= 1000


def test_a_burst_is_held_and_goes_on_when_its_minutes_are_over() -> None:
    counts: dict[str, int] = {}
    for _ in range(rules.MOST):
        counts = rules.counted(counts, NOW) or {}
    assert Counter(counts).total() == rules.MOST
    assert rules.counted(counts, NOW) is None
    assert rules.counted(counts, NOW + timedelta(minutes=1)) is None
    assert rules.counted(counts, NOW + timedelta(minutes=2)) == {"202611220202": 1}


def test_names_say_how_many_there_are() -> None:
    assert rules.names(["小王", "小李"], 2) == "小王、小李"
    assert rules.names(["小王", "小李"], 265) == "小王、小李 等 265 位客户"
    many = rules.names(["名" * 64] * 70, 70)
    assert many.endswith(" 等 70 位客户") and many.count("、") >= 20 and len(many.encode()) < 1_600
    assert rules.names([], 3) == "3 位客户"
