"""Chinese line breaking: the rules hold for any text, and the known cases look right."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.posters import typeset
from chalicelib.posters.types import Text


def advance(character: str) -> float:
    return 1.0 if ord(character) > 0x2000 else 0.5


def measure(text: str) -> float:
    return typeset.offsets(text, advance)[-1]


HAN = st.sampled_from("冬季会员日全场满减新客专属顾问")
STOP = st.sampled_from("，。！？、：；）】」")
OPEN = st.sampled_from("（【「《")
WORD = st.sampled_from(["VIP", "50", "Millrace", "¥9.9", "24h"])
# Real text: punctuation comes singly or in twos, always beside something.
PIECE = st.one_of(
    HAN,
    WORD,
    st.just(" "),
    st.tuples(HAN, STOP).map("".join),
    st.tuples(HAN, STOP, STOP).map("".join),
    st.tuples(OPEN, HAN).map("".join),
    st.tuples(OPEN, HAN, HAN, STOP).map("".join),
)
TEXT = st.lists(PIECE, min_size=1, max_size=40).map("".join).map(str.strip).filter(bool)
WIDTH = st.floats(6, 20)


@given(TEXT, WIDTH)
def test_no_line_begins_or_ends_against_the_rules(text: str, width: float) -> None:
    assume(max(measure(unit.strip()) for unit in typeset.units(text)) <= width)
    for lines in (typeset.wrap(text, width, measure), typeset.balanced(text, width, measure)):
        assert all(line[0] not in typeset.NOT_FIRST for line in lines[1:])
        assert all(line[-1] not in typeset.NOT_LAST for line in lines[:-1])


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60), WIDTH)
def test_nothing_is_lost_and_no_line_is_too_wide(text: str, width: float) -> None:
    for lines in (typeset.wrap(text, width, measure), typeset.balanced(text, width, measure)):
        assert "".join("".join(lines).split()) == "".join(text.split())
        assert all(measure(line) <= width or len(line) == 1 for line in lines)


@given(TEXT, WIDTH)
def test_balancing_takes_no_more_lines(text: str, width: float) -> None:
    assert len(typeset.balanced(text, width, measure)) == len(typeset.wrap(text, width, measure))


def test_a_stop_does_not_begin_a_line_nor_a_bracket_end_one() -> None:
    assert typeset.wrap("会员日到了，快来", 5, measure) == ["会员日到", "了，快来"]
    assert typeset.wrap("会员专享（限时）", 5, measure) == ["会员专享", "（限时）"]


def test_a_word_or_a_price_stays_whole() -> None:
    assert typeset.wrap("加入Millrace会员", 5, measure) == ["加入", "Millrace会", "员"]
    assert typeset.wrap("立减￥300起", 3, measure) == ["立减", "￥300", "起"]


def test_no_lone_character_on_the_last_line() -> None:
    assert typeset.wrap("扫码添加专属顾问吧", 8, measure) == ["扫码添加专属顾问", "吧"]
    assert typeset.balanced("扫码添加专属顾问吧", 8, measure) == ["扫码添加专", "属顾问吧"]


def test_a_word_wider_than_the_line_is_cut() -> None:
    assert typeset.wrap("A" * 25, 5, measure) == ["A" * 10, "A" * 10, "A" * 5]
    assert typeset.wrap("VIP(会", 2, measure) == ["VIP", "(会"]


def test_punctuation_loses_its_blank_half_at_the_ends_and_beside_another() -> None:
    assert typeset.offsets("「好」", advance) == [-0.5, 0.5, 1.5, 2.0]
    assert measure("好），好") == measure("好好好好") - 0.5
    assert measure("好，好") == 3.0


BOX = Text("{title}", 100, 50, 800, 260, 100, "#000000", min_size=60, max_lines=2, leading=1.2)


def test_text_shrinks_before_it_is_cut() -> None:
    lines, size = typeset.fit(BOX, "会员日", measure)
    assert (lines, size) == (["会员日"], 100)
    lines, size = typeset.fit(BOX, "会" * 20, measure)
    assert 60 <= size < 100
    assert "".join(lines) == "会" * 20
    lines, size = typeset.fit(BOX, "会" * 40, measure)
    assert size == 60
    assert lines == ["会" * 13, "会" * 12 + "…"]


def test_an_ellipsis_follows_no_punctuation() -> None:
    lines = typeset.shortened(["会员日（", "快"], 1, 4.0, measure)
    assert lines == ["会员日…"]
    assert typeset.shortened(["会员，日日", "快"], 1, 4.0, measure) == ["会员…"]


@given(TEXT, st.sampled_from(["left", "center"]), st.sampled_from(["top", "middle", "bottom"]))
def test_every_character_is_drawn_inside_the_box(text: str, align: str, valign: str) -> None:
    box = Text(
        "{title}",
        100,
        50,
        800,
        260,
        100,
        "#000000",
        60,
        2,
        leading=1.2,
        align=align,
        valign=valign,  # type: ignore[arg-type]
    )
    lines = typeset.place(box, text, advance)
    assert 1 <= len(lines) <= 2
    for line in lines:
        hang = 0.5 * line.size if line.text[0] in "（【「《" else 0  # the bracket's blank half
        assert line.xs[0] >= 100 - hang - 0.01
        assert line.xs[0] + (measure(line.text) * line.size + hang) <= 900 + hang + 0.01
        assert line.baseline - 0.88 * line.size >= 50
        assert line.baseline + 0.12 * line.size <= 310


@pytest.mark.parametrize("words", ["", "   "])
def test_no_words_no_lines(words: str) -> None:
    assert typeset.place(BOX, words, advance) == []


GAPPED = [("会VIP员", 4.0 - 0.5 + 0.25), ("VIP 员", 3.0), ("会员", 2.0), ("满300减", 3.5 + 0.25)]


@pytest.mark.parametrize(("text", "width"), GAPPED, ids=range(4))
def test_a_little_space_stands_between_chinese_and_latin(text: str, width: float) -> None:
    assert typeset.offsets(text, advance, gap=0.125)[-1] == width
    assert typeset.offsets(text, advance)[-1] <= width


def test_without_squeezing_a_lines_ends_keep_their_blank_halves() -> None:
    assert typeset.offsets("「好」", advance, squeeze=False) == [0.0, 1.0, 2.0, 3.0]
    assert typeset.offsets("好），好", advance, squeeze=False)[-1] == 3.5


@pytest.mark.parametrize("mark", ["——", "……"])
@pytest.mark.parametrize("width", [3, 4, 5, 6])
def test_a_dash_and_an_ellipsis_are_never_torn(mark: str, width: int) -> None:
    for lines in (
        typeset.wrap(f"会员日{mark}快来吧{mark}好", width, measure),
        typeset.balanced(f"会员日{mark}快来吧{mark}好", width, measure),
    ):
        assert sum(line.count(mark) for line in lines) == 2
        assert all(line[0] not in typeset.NOT_FIRST for line in lines)


ALL_PIECES = st.one_of(PIECE, st.sampled_from(["——", "……", "会员％", "“会”", "‘员’", "《会》", "日、"]))
ANY_TEXT = st.lists(ALL_PIECES, min_size=1, max_size=60).map("".join).map(str.strip).filter(bool)


@given(
    ANY_TEXT,
    st.sampled_from(["left", "center", "right"]),
    st.integers(1, 5),
    st.floats(20, 100),
    st.floats(0, 0.25),
    st.booleans(),
)
def test_no_text_is_lost_but_behind_an_ellipsis_and_all_of_it_is_in_the_box(
    text: str, align: str, max_lines: int, smallest: float, gap: float, squeeze: bool
) -> None:
    box = Text(
        "{title}",
        10,
        20,
        500,
        max(240.0, 1.3 * smallest),
        100,
        "#000000",
        smallest,
        max_lines,
        leading=1.3,
        align=align,  # type: ignore[arg-type]
        gap=gap,
        squeeze=squeeze,
    )
    lines = typeset.place(box, text, advance)
    assert 1 <= len(lines) <= max_lines
    shown, whole = "".join("".join(line.text for line in lines).split()), "".join(text.split())
    assert shown == whole or (shown[-1] == typeset.ELLIPSIS and whole.startswith(shown[:-1]))
    for line in lines:
        places = typeset.offsets(line.text, advance, gap=gap, squeeze=squeeze)
        hang = 0.5 * line.size if squeeze else 0  # a blank half of punctuation
        assert line.xs[0] >= 10 - hang - 0.01
        assert line.xs[0] + (places[-1] - places[0]) * line.size <= 510 + hang + 0.01
        assert line.baseline - 0.88 * line.size >= 20 - 0.01
        assert line.baseline + 0.12 * line.size <= 20 + box.height + 0.01
    sized = [
        typeset.offsets(unit.strip(), advance, gap=gap, squeeze=squeeze)[-1] for unit in typeset.units(text)
    ]
    if max(sized) * lines[0].size <= 500:  # else there is no other place to break
        assert all(line.text[0] not in typeset.NOT_FIRST for line in lines[1:])
