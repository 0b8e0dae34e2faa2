"""Lines: the rules hold for any text, and the known cases look right."""

from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chalicelib.posters import line_breaking, typeset
from chalicelib.posters.shaping import Cluster
from chalicelib.posters.types import Text


def advance(character: str) -> float:
    return 1.0 if ord(character) > 0x2000 else 0.5


def shape(text: str) -> list[Cluster]:
    return [Cluster(character, advance(character)) for character in text]


def measure(text: str) -> float:
    return typeset.offsets(shape(text))[-1]


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
    assume(max(measure(unit.strip()) for unit in line_breaking.units(text)) <= width)
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
    assert typeset.wrap("加入Millrace会员", 5, measure) == ["加入", "Millrace", "会员"]
    assert typeset.wrap("立减￥300起", 3, measure) == ["立减", "￥300", "起"]
    assert typeset.balanced("满 300 减 50", 7, measure) == ["满 300 减 50"]


def test_no_lone_character_on_the_last_line() -> None:
    assert typeset.wrap("扫码添加专属顾问吧", 8, measure) == ["扫码添加专属", "顾问吧"]
    assert typeset.balanced("扫码添加专属顾问吧", 8, measure) == ["扫码添加", "专属顾问吧"]


def test_a_word_wider_than_the_line_is_cut() -> None:
    assert typeset.wrap("A" * 25, 5, measure) == ["A" * 10, "A" * 10, "A" * 5]
    assert typeset.wrap("VIP(会", 2, measure) == ["VIP", "(会"]


def test_punctuation_loses_its_blank_half_at_the_ends_and_beside_another() -> None:
    assert typeset.offsets(shape("「好」")) == [-0.5, 0.5, 1.5, 2.0]
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
    lines = typeset.place(box, text, shape)
    assert 1 <= len(lines) <= 2
    for line in lines:
        hang = 0.5 * line.size if line.text[0] in "（【「《" else 0  # the bracket's blank half
        assert line.xs[0] >= 100 - hang - 0.01
        assert line.xs[0] + (measure(line.text) * line.size + hang) <= 900 + hang + 0.01
        assert line.baseline - 0.88 * line.size >= 50
        assert line.baseline + 0.12 * line.size <= 310


@pytest.mark.parametrize("words", ["", "   "])
def test_no_words_no_lines(words: str) -> None:
    assert typeset.place(BOX, words, shape) == []


GAPPED = [("会VIP员", 4.0 - 0.5 + 0.25), ("VIP 员", 3.0), ("会员", 2.0), ("满300减", 3.5 + 0.25)]


@pytest.mark.parametrize(("text", "width"), GAPPED, ids=range(4))
def test_a_little_space_stands_between_chinese_and_latin(text: str, width: float) -> None:
    assert typeset.offsets(shape(text), gap=0.125)[-1] == width
    assert typeset.offsets(shape(text))[-1] <= width


def test_without_squeezing_a_lines_ends_keep_their_blank_halves() -> None:
    assert typeset.offsets(shape("「好」"), squeeze=False) == [0.0, 1.0, 2.0, 3.0]
    assert typeset.offsets(shape("好），好"), squeeze=False)[-1] == 3.5


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
    lines = typeset.place(box, text, shape)
    assert 1 <= len(lines) <= max_lines
    shown, whole = "".join("".join(line.text for line in lines).split()), "".join(text.split())
    assert shown == whole or (shown[-1] == typeset.ELLIPSIS and whole.startswith(shown[:-1]))
    for line in lines:
        places = typeset.offsets(shape(line.text), gap=gap, squeeze=squeeze)
        hang = 0.5 * line.size if squeeze else 0  # a blank half of punctuation
        assert line.xs[0] >= 10 - hang - 0.01
        assert line.xs[0] + (places[-1] - places[0]) * line.size <= 510 + hang + 0.01
        assert line.baseline - 0.88 * line.size >= 20 - 0.01
        assert line.baseline + 0.12 * line.size <= 20 + box.height + 0.01
    sized = [
        typeset.offsets(shape(unit.strip()), gap=gap, squeeze=squeeze)[-1]
        for unit in line_breaking.units(text)
    ]
    if max(sized) * lines[0].size <= 500:  # else there is no other place to break
        assert all(line.text[0] not in typeset.NOT_FIRST for line in lines[1:])


def test_a_line_feed_begins_a_line() -> None:
    lines, size = typeset.fit(BOX, "满 300 减 50\n会员日", measure)
    assert (lines, size) == (["满 300 减 50", "会员日"], 100)
    lines, _ = typeset.fit(BOX, "会\n员\n日", measure)
    assert lines == ["会", "员…"]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("满 300 减 50", "满 300 减 50"),
        ("满300减50，限时抢购", "满300减50，|限时|抢购"),
        ("满100元减20元，满300元减50元", "满100元减20元，|满300元减50元"),
        ("现价¥1,299.00起", "现价|¥1,299.00起"),
        ("特价 € 25.50", "特价 |€ 25.50"),
        ("营业时间 9:00–18:00", "营业时间 |9:00–18:00"),
        ("营业 9:00 - 18:00", "营业 |9:00 - 18:00"),
        ("客服电话 400-800-1234 转 2", "客服|电话 |400-800-1234 |转 2"),
        ("致电 137 0013 7001", "致电 |137 0013 7001"),
        ("2026年11月22日 静安寺店", "2026年11月22日 |静安寺店"),
        ("1月1日~1月7日", "1月1日|~1月7日"),
        ("第 2 件半价", "第 2 件|半价"),
        ("全场 5 折起，买1送1", "全场 |5 折起，|买1送1"),
        ("上海市静安区南京西路 1601 号", "上海市|静安区|南京|西路 |1601 号"),
        ("iPhone 15 Pro 到店自提", "iPhone |15 |Pro |到|店|自提"),
        ("https://a.b/c?d=e 扫码", "https://a.b/c?d=e |扫码"),
        ("（新品）上市……敬请——期待！", "（新品）|上市……|敬请——|期待！"),
        ("添加专属顾问", "添加|专属|顾问"),
        ("ئۇيغۇر ئاپتونوم", "ئۇيغۇر |ئاپتونوم"),
    ],
    ids=range(19),
)
def test_words_and_amounts_are_not_torn(text: str, pieces: str) -> None:
    assert "|".join(line_breaking.phrases(text)) == pieces


@given(ANY_TEXT)
def test_phrases_are_the_text_and_break_where_units_do(text: str) -> None:
    units, phrases = line_breaking.units(text), line_breaking.phrases(text)
    assert "".join(units) == "".join(phrases) == text
    assert set(accumulate(map(len, phrases))) <= set(accumulate(map(len, units)))


def test_a_text_that_does_not_fit_breaks_within_words_before_it_is_cut() -> None:
    box = Text("{title}", 0, 0, 300, 120, 100, "#000000", min_size=50, max_lines=2, leading=1.2)
    assert typeset.fit(box, "扫码添加顾问微信领取礼", measure) == (["扫码添加顾问", "微信领取礼"], 50)
    assert typeset.fit(box, "扫码加静安寺店微信领券", measure)[0] == ["扫码加静安寺", "店微信领券"]


def test_letters_that_join_are_not_spaced() -> None:
    word = [Cluster(character, 0.4, joined=True) for character in "ئالىم"]
    assert typeset.offsets(word, tracking=0.2)[-1] == pytest.approx(2.0)
    assert typeset.offsets(shape("会员"), tracking=0.2)[-1] == pytest.approx(2.2)
