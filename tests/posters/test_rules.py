"""What a poster request may say, and where its QR code lands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from chalicelib.platform.errors import Invalid
from chalicelib.posters import rules
from chalicelib.posters.built_in_templates import CLASSIC, DEFAULT, TEMPLATES
from chalicelib.posters.types import Text

URL = "https://go.example.com/s/AbCd2345"


def parse(**fields: object) -> rules.Request:
    return rules.parse_request({"url": URL, **fields}, TEMPLATES, DEFAULT)


def fields_of(error: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [field for field, _ in error.value.errors]


def test_a_bare_url_gets_the_default_template_at_its_own_width() -> None:
    assert parse() == rules.Request(URL, DEFAULT, None)
    assert parse(template=None, width=None, title=None) == rules.Request(URL, DEFAULT, None)


@pytest.mark.parametrize("feed", ["\n", "\r\n", "\r", "\\n", " \n "])
def test_a_line_feed_stays_in_a_title_and_in_a_subtitle_alone(feed: str) -> None:
    told = f" 冬季  大促{feed}会员日 \n"
    assert parse(title=told).title == parse(subtitle=told).subtitle == "冬季 大促\n会员日"
    assert parse(staff_name="李 \n 晓华").staff_name == "李 晓华"


@pytest.mark.parametrize(
    "width", [239, 4097, 0, -1, 1e3, 800.5, "wide", "0x300", "１０８０", "1e3", True, [800]]
)
def test_a_width_out_of_range_or_not_whole_is_refused_by_name(width: object) -> None:
    with pytest.raises(Invalid) as error:
        parse(width=width)
    assert fields_of(error) == ["width"]


@pytest.mark.parametrize("width", [240, "240", 4096, "4096"])
def test_the_limits_themselves_are_fine(width: object) -> None:
    assert parse(width=width).width == int(str(width))


@pytest.mark.parametrize("template", ["nope", "Classic", "../classic", 5, ["classic"]])
def test_an_unknown_template_is_refused_by_name(template: object) -> None:
    with pytest.raises(Invalid) as error:
        parse(template=template)
    assert fields_of(error) == ["template"]


@pytest.mark.parametrize(
    "url", [None, "", "go.example.com", "javascript:x", "https://例子.cn/s/x", "https://a/ b", 7]
)
def test_what_is_not_an_address_is_refused(url: object) -> None:
    with pytest.raises(Invalid) as error:
        parse(url=url)
    assert fields_of(error) == ["url"]


def test_every_bad_field_is_named_at_once() -> None:
    with pytest.raises(Invalid) as error:
        parse(url="x", template="x", title=1, width=1)
    assert fields_of(error) == ["url", "template", "title", "width"]
    with pytest.raises(Invalid):
        rules.parse_request(["not", "an", "object"], TEMPLATES, DEFAULT)


def test_values_are_not_read_as_placeholders() -> None:
    request = parse(title="{staff_name} {nothing}", staff_name="{title}")
    assert rules.filled("{title}", CLASSIC, request) == "{staff_name} {nothing}"
    assert rules.filled("{initial}·{staff_name}", CLASSIC, request) == "{·{title}"


def test_own_words_win_over_the_templates() -> None:
    assert rules.filled("{title}", CLASSIC, parse()) == CLASSIC.title
    assert rules.filled("{title}", CLASSIC, parse(title="会员日")) == "会员日"


@given(
    st.sampled_from(sorted(TEMPLATES)),
    st.integers(rules.MIN_WIDTH, rules.MAX_WIDTH),
    st.integers(2, 40).map(lambda version: 17 + 4 * version),
)
def test_a_code_is_whole_pixels_inside_its_box_or_the_width_is_refused(
    name: str, width: int, modules: int
) -> None:
    template = TEMPLATES[name]
    box = template.qr.size * width / template.width
    try:
        square = rules.place_qr(template, modules, width)
    except Invalid as error:
        assert box < rules.MIN_MODULE_PX * modules + 1
        assert [field for field, _ in error.errors] == ["width"]
        return
    assert square.module >= rules.MIN_MODULE_PX
    assert (square.x % 4, square.y % 4) == (0, 0)  # a quarter-size copy keeps the modules' edges
    side = square.module * modules
    assert box - modules < side <= box  # the next larger module would not fit
    slack = 3  # of snapping to every fourth pixel, and rounding
    scale = width / template.width
    assert template.qr.x * scale - slack <= square.x
    assert square.x + side <= (template.qr.x + template.qr.size) * scale + slack
    assert template.qr.y * scale - slack <= square.y
    assert square.y + side <= (template.qr.y + template.qr.size) * scale + slack


@given(st.sampled_from(sorted(TEMPLATES)), st.integers(2, 40).map(lambda version: 17 + 4 * version))
def test_the_width_that_a_refusal_names_is_the_least_that_works(name: str, modules: int) -> None:
    template = TEMPLATES[name]
    with pytest.raises(Invalid) as error:
        rules.place_qr(template, modules, 20)
    least = error.value.issues[0].params["minimum"]
    assert rules.place_qr(template, modules, least).module == rules.MIN_MODULE_PX
    with pytest.raises(Invalid):
        rules.place_qr(template, modules, least - 1)


@pytest.mark.parametrize(
    ("value", "refused"), [("新", False), ("{initial}", False), ("新品", True), ("{staff_name}", True)]
)
def test_a_badge_of_one_character_may_be_as_narrow_as_that(value: str, refused: bool) -> None:
    badge = Text(value, 10, 10, 100, 100, 56, "#FFFFFF")
    wrong = rules.find_issues(replace(CLASSIC, layers=(*CLASSIC.layers, badge)))
    assert bool(wrong) == refused
