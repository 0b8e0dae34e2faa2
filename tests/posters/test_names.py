"""Names of real guides, in the scripts of China and of its visitors: drawn, none of their characters as a box."""

import base64
import io
import shutil
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from chalicelib.posters import drawing_tools, fonts, printable, rules, shaping
from chalicelib.posters.shaping import Cluster
from chalicelib.posters.types import Face, Text
from functions.poster import handler as poster

NAMES = """
李晓华 欧阳娜娜 王𠮷 𡋾小芳 㛃㛃 𬭊工 𫖮之 䶮宝 犇犇 王喆 龘龙 㐂子 鿍教授 祝嘏 〇七
林嘅 陳慧嫻 鄧麗君 蕭敬騰 山田はなこ サトウ 髙橋 﨑山 김철수 남궁민수 이영애
ئالىم ئۇيغۇر گۈلنۇر محمد فاطمة عبدالله رضا שרה דוד
สมชาย น้ำผึ้ง ณัฐพล अनीता कृष्ण தமிழ்செல்வன் সুমিতা မြင့် លីដា ລາວ
Иван Ольга Ξένια Nguyễn Dương Zoë Łukasz Şükrü İpek Ana-María O’Brien André Əliyev
""".split()
BOX = Text("{staff_name}", 20, 20, 900, 120, 60, "#000000", 60, weight=0.014)


def mask(clusters: tuple[Cluster, ...], monkeypatch: pytest.MonkeyPatch) -> bytes:
    with monkeypatch.context() as patch:
        patch.setattr(drawing_tools, "shape", lambda face, text: clusters)
        drawing_tools.lines.cache_clear()
        drawn, _ = drawing_tools.written(BOX, "name", rules.Frame(1, 960, 200))
        drawing_tools.lines.cache_clear()
    return drawn.tobytes()


def boxed(cluster: Cluster, number: int) -> Cluster:
    glyph = cluster.glyphs[number]
    others = (*cluster.glyphs[:number], shaping.Glyph(glyph.font, 0, glyph.x, glyph.y))
    return Cluster(cluster.text, cluster.advance, (*others, *cluster.glyphs[number + 1 :]), cluster.joined)


def test_there_are_many() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 50


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_a_glyph_of_each_character(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printable.clean(name) == printable.Cleaned(name)
    faces: tuple[Face, ...] = ("sans", "serif")
    for face in faces:
        clusters = shaping.shape(face, name)
        assert sorted("".join(cluster.text for cluster in clusters)) == sorted(name)
        for character in name:
            font = fonts.find(face, character)
            assert font is not None and font.has(character)
        for at, cluster in enumerate(clusters):
            assert cluster.glyphs and all(glyph.number for glyph in cluster.glyphs)
            assert cluster.advance > 0 or cluster.joined
            box = (*clusters[:at], boxed(cluster, 0), *clusters[at + 1 :])
            assert mask(box, monkeypatch) != mask(clusters, monkeypatch)


@pytest.mark.parametrize("name", ["\u200b", "\u200d\ufeff", "\u3164", "\u2060 \u3164", "\u0301"])
def test_a_name_that_nobody_sees_is_refused(name: str) -> None:
    answer = poster.handler({"url": "https://go.example.com/s/AbCd2345", "staff_name": name}, None)
    assert [(issue["field"], issue["code"]) for issue in answer["error"]["errors"]] == [
        ("staff_name", "nothing_to_print")
    ]


@pytest.mark.parametrize("name", NAMES[::4])
def test_a_poster_has_it(name: str) -> None:
    def draw(staff_name: str) -> Image.Image:
        event = {"url": "https://go.example.com/s/AbCd2345", "width": 540, "staff_name": staff_name}
        answer = poster.handler(event, None)
        assert answer.get("left_out") == {}, answer
        return Image.open(io.BytesIO(base64.b64decode(answer["png_base64"])))

    assert draw(name).tobytes() != draw("甲").tobytes()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ئالىم", "مىلائ"),  # from right to left
        ("王ئا 12", "王12 ائ"),
        ("客服 9:00，ئا 王", "客服 9:00，ائ 王"),
        ("9:00–18:00，ئا王", "9:00–18:00，ائ王"),  # read from the left, though Arabic is its first letter
        ("(ئا)", ")ائ("),  # brackets are mirrored as they are drawn
        ("한글 李", "한글 李"),
    ],
)
def test_what_runs_from_right_to_left_stands_in_its_order(text: str, shown: str) -> None:
    assert "".join(cluster.text for cluster in shaping.shape("sans", text)) == shown


def test_letters_that_join_have_other_forms_than_alone() -> None:
    def numbers(text: str) -> list[int]:
        return [glyph.number for cluster in shaping.shape("sans", text) for glyph in cluster.glyphs]

    assert numbers("ببب") != numbers("ب") * 3
    assert len(numbers("น้ำ")) >= 2 and len(shaping.shape("sans", "น้ำ")) == 1  # marks stand on their letter
    assert len(shaping.shape("sans", "e\u0301a")) == 2


def test_a_font_of_the_brands_own_draws_what_ours_can_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """layers/fonts/python/brand_fonts, as the layer has it on Python's path."""
    assert fonts.is_missing("😊")
    own = tmp_path / "brand_fonts"
    own.mkdir()
    shutil.copy(str(files("manimgx_fonts") / "NotoEmoji[wght].ttf"), own / "Brand.ttf")
    monkeypatch.syspath_prepend(tmp_path)
    for kept in (fonts.chain, fonts.find):
        kept.cache_clear()
    try:
        assert not fonts.is_missing("😊")
        found = fonts.find("sans", "😊")
        assert found is not None and found.file == "Brand.ttf"
    finally:
        sys.modules.pop("brand_fonts", None)
        for kept in (fonts.chain, fonts.find):
            kept.cache_clear()


def test_a_han_character_has_the_form_of_china_in_the_font_behind() -> None:
    """Noto Sans CJK's own default is Japan's."""
    behind = fonts.chain("sans")[1]
    assert shaping._shape_run(behind, "直", 0)[0].glyphs[0].number != behind.shaper.get_nominal_glyph(
        ord("直")
    )
