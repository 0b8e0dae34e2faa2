"""What is on a card: the sheet's own design or a poster template's; refused before the job when it can't be printed."""

import io
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from chalicelib.platform import files as store
from chalicelib.platform import jobs
from chalicelib.posters import qr
from chalicelib.posters.built_in_templates import TEMPLATES
from chalicelib.posters.types import Qr, Text
from chalicelib.printruns import card_design, run_files, runs
from chalicelib.printruns.card_face import CardFace
from chalicelib.printruns.types import Sheet
from tests.support import print_world as world
from tests.support.api import Api

PT = 72 / 25.4
LABEL = "W26-000001"
LAYERS: list[dict[str, Any]] = [
    {"type": "text", "value": "{title}", "x": 42, "y": 6, "width": 44, "height": 10, "size": 7, "min_size": 2,
     "colour": "#FFFFFF", "face": "serif", "align": "left", "max_lines": 2},
    {"type": "text", "value": "{subtitle}", "x": 42, "y": 16, "width": 44, "height": 6, "size": 5, "min_size": 1,
     "colour": "#E9C77B", "align": "left"},
    {"type": "rect", "x": 42, "y": 23, "width": 28, "height": 28, "fill": "#FFFFFF", "radius": 2},
    {"type": "qr", "x": 43, "y": 24, "size": 26, "dark": "#084234"},
    {"type": "text", "value": "编号 {run_number}", "x": 71, "y": 42, "width": 18, "height": 5, "size": 2.6,
     "min_size": 1, "colour": "#FFFFFF", "align": "left"},
]  # fmt: skip
CARD: dict[str, Any] = {
    "name": "开业", "unit": "mm", "width": 90, "height": 54, "bleed_mm": 3, "title": "开业有礼", "subtitle": "满 300 减 50",
    "background": {"colour": "#0F6A51", "to": "#084234"}, "layers": LAYERS,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _world(tables: None, keys: None, bucket: str, poster_function: None) -> Iterator[None]:
    runs.forget()
    yield


def face(sheet: dict[str, Any]) -> CardFace:
    whole = card_design.with_template(msgspec.convert(sheet, Sheet), None)
    words = {"title": whole.title or "", "subtitle": whole.subtitle or "", "footer": whole.footer}
    return CardFace(
        card_design.design(whole), words, LABEL, 1.0, {False: qr.modules(62), True: qr.modules(62, "H")}
    )


def sizes(drawn: CardFace) -> dict[str, float]:
    """Of each text, in points."""
    texts = {n: layer.value for n, layer in enumerate(drawn.layers) if isinstance(layer, Text)}
    return {texts[n].strip("{}"): lines[0].size * PT for n, lines in drawn.lines.items() if lines}


def picture(size: tuple[int, int] = (600, 400), colour: str = "#C9381F") -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, "PNG")
    return made.getvalue()


def order(api: Api, sheet: dict[str, Any], format: str = "pdf", count: int = 4) -> tuple[int, Any]:
    path = f"/api/live-codes/{world.live_code().live_code_id}/print-runs"
    return api(
        "POST", path, {"name": "冬季", "count": count, "format": format, "prefix": "W26", "sheet": sheet}
    )


def printed(api: Api, sent: world.Sent, sheet: dict[str, Any]) -> Any:
    status, job = order(api, sheet)
    assert status == 202, job
    world.work_off(sent)
    now = jobs.get(job["job_id"])
    assert (now.status, now.error) == ("finished", None)
    return pypdfium2.PdfDocument(store.get(run_files.get(job["print_run_id"], job["job_id"]).key))


def pixels(document: Any, dpi: int = 150) -> Image.Image:
    return document[0].render(scale=dpi / 72).to_pil().convert("RGB")  # type: ignore[no-any-return]


TITLES = [
    "扫",
    "全场满 300 减 50",
    "冬季会员日全场满￥300减50，新客再享首单立减限时三天" * 4,
    "a\nb\nc\nd",
    "W" * 120,
]


@pytest.mark.parametrize("title", TITLES, ids=range(len(TITLES)))
@pytest.mark.parametrize("size", [(90, 54), (54, 86), (50, 40), (105, 148), (85, 30)], ids=str)
def test_a_title_is_never_smaller_than_what_is_below_it(title: str, size: tuple[float, float]) -> None:
    of = sizes(face({"card_width_mm": size[0], "card_height_mm": size[1], "title": title, "footer": "客服"}))
    assert of["title"] >= of["subtitle"] >= of["footer"] > 0
    assert of["title"] <= 15.01


def test_words_of_a_card_are_not_torn_and_its_lines_are_kept() -> None:
    drawn = face(
        {"title": "满 300 减 50\n静安寺店开业大酬宾\n仅限三天", "subtitle": "添加专属顾问，领取 50 元新人礼"}
    )
    lines = [[line.text for line in placed] for placed in drawn.lines.values()]
    assert lines[1] == ["满 300 减 50", "静安寺店开业大酬宾", "仅限三天"]
    assert lines[2] == ["添加专属顾问，", "领取 50 元新人礼"]


def test_a_file_says_whose_it_is_and_what_it_is(
    api: Api, sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRAND_NAME", "小雅护肤")
    told = printed(api, sent, {}).get_metadata_dict()
    assert {told[name] for name in ("Author", "Creator")} == {"小雅护肤"}
    assert (told["Title"], told["Producer"]) == ("冬季 W26", "Millrace")
    assert re.fullmatch(r"D:2026\d{10}\+08'00'", told["CreationDate"])
    assert "ReportLab" not in str(told)


def test_without_a_name_it_is_the_host_of_the_codes(api: Api, sent: world.Sent) -> None:
    assert printed(api, sent, {}).get_metadata_dict()["Author"] == "127.0.0.1"


def test_a_card_of_a_poster_template(api: Api, sent: world.Sent) -> None:
    photo = api("POST", "/api/poster-assets", picture())[1]["asset_id"]
    layer = {"type": "picture", "asset_id": photo, "x": -3, "y": -3, "width": 40, "height": 60}
    status, template = api("POST", "/api/poster-templates", {**CARD, "layers": [layer, *LAYERS]})
    assert status == 201, template
    document = printed(
        api, sent, {"template_id": template["template_id"], "gutter_mm": 6, "subtitle": "ئالىم 𠮷"}
    )
    page = document[0]
    text = page.get_textpage().get_text_bounded().split()
    assert text == [f"W26-{n:06}" for n in range(1, 5)]
    drawn = pixels(document)
    assert len({code.text for code in zxingcpp.read_barcodes(drawn.convert("L"))}) == 4
    sheet = api("GET", "/api/print-runs")[1]["items"][0]["sheet"]
    assert (sheet["card_width_mm"], sheet["bleed_mm"]) == (90, 3)
    assert (sheet["title"], sheet["subtitle"]) == ("开业有礼", "ئالىم 𠮷")
    left, _, _, top = page.get_trimbox()
    x, y = round((left / 72 + 0.4) * 150), drawn.height - round((top / 72 - 0.4) * 150)
    assert drawn.getpixel((x, y)) == pytest.approx((0xC9, 0x38, 0x1F), abs=4)
    bleed_x = round((left - 2 * PT) / 72 * 150)
    assert drawn.getpixel((bleed_x, y)) == pytest.approx((0xC9, 0x38, 0x1F), abs=4)


def test_a_template_as_it_was_when_the_file_was_ordered(api: Api, sent: world.Sent) -> None:
    template = api("POST", "/api/poster-templates", CARD)[1]["template_id"]
    status, job = order(api, {"template_id": template, "gutter_mm": 6})
    assert status == 202
    assert api("DELETE", f"/api/poster-templates/{template}")[0] == 200
    world.work_off(sent)
    assert jobs.get(job["job_id"]).status == "finished"
    status, told = api("POST", f"/api/print-runs/{job['print_run_id']}/files", {"format": "pdf"})
    assert (status, told["errors"][0]["field"]) == (422, "sheet.template_id")


def test_a_card_with_a_picture_and_a_logo_of_its_own(api: Api, sent: world.Sent) -> None:
    photo = api("POST", "/api/poster-assets", picture())[1]["asset_id"]
    logo = api("POST", "/api/poster-assets", picture((80, 80), "#123456"))[1]["asset_id"]
    document = printed(
        api, sent, {"picture": photo, "logo": logo, "background": "#7A2020", "gutter_mm": 6, "bleed_mm": 3}
    )
    drawn = pixels(document)
    assert len({code.text for code in zxingcpp.read_barcodes(drawn.convert("L"))}) == 4
    left, _, _, top = document[0].get_trimbox()
    at = round((left / 72 + 0.05) * 150), drawn.height - round((top / 72 - 0.05) * 150)
    assert drawn.getpixel(at) == pytest.approx((0xC9, 0x38, 0x1F), abs=4)
    dark = sum(
        count
        for count, colour in drawn.getcolors(1 << 24) or []
        if abs(colour[2] - 0x56) < 4 and colour[0] < 0x20
    )
    assert dark > 4 * 400  # a logo on each card


def test_the_a6_parcel_poster_is_a_card_too(api: Api, sent: world.Sent) -> None:
    document = printed(api, sent, {"template_id": "parcel"})
    assert (len(document), TEMPLATES["parcel"].unit) == (4, "px")
    assert len(zxingcpp.read_barcodes(pixels(document).convert("L"))) == 1
    left, bottom, right, top = document[0].get_trimbox()
    assert (right - left, top - bottom) == pytest.approx((105 * PT, 148 * PT), abs=0.1)


NO_ASSET = "as_" + "0" * 32


@pytest.mark.parametrize(
    ("sheet", "field", "told"),
    [
        ({"title": "好礼😊"}, "sheet.title", "「😊」(U+1F60A)"),
        ({"subtitle": "བཀྲ"}, "sheet.subtitle", "「བ」(U+0F56)"),
        ({"footer": "a\x01b"}, "sheet.footer", "(U+0001)"),
        ({"template_id": "pt_nosuch"}, "sheet.template_id", "pt_nosuch"),
        ({"template_id": "parcel", "logo": NO_ASSET}, "sheet.logo", "template"),
        ({"picture": NO_ASSET}, "sheet.picture", NO_ASSET),
        ({"logo": NO_ASSET}, "sheet.logo", NO_ASSET),
    ],
    ids=["emoji", "tibetan", "control", "template", "twice", "picture", "logo"],
)
def test_what_can_not_be_printed_is_known_before_the_job(
    api: Api, sheet: dict[str, Any], field: str, told: str
) -> None:
    status, body = order(api, sheet)
    assert status == 422, body
    assert [error["field"] for error in body["errors"]] == [field]
    assert told in body["errors"][0]["message"]
    assert api("GET", "/api/print-runs")[1]["total"] == api("GET", "/api/jobs")[1]["total"] == 0


def test_another_file_of_the_run_is_judged_as_well(api: Api, sent: world.Sent) -> None:
    _, job = order(api, {}, "csv")
    path = f"/api/print-runs/{job['print_run_id']}/files"
    status, body = api("POST", path, {"format": "pdf", "sheet": {"title": "好礼😊"}})
    assert (status, body["errors"][0]["field"]) == (422, "sheet.title")


def test_a_code_too_small_for_a_cards_link_is_refused(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    layers = [{**layer, "size": 21} if layer["type"] == "qr" else layer for layer in LAYERS]
    status, template = api("POST", "/api/poster-templates", {**CARD, "layers": layers})
    assert status == 201, template
    monkeypatch.setenv("PUBLIC_BASE_URL", f"https://{'long' * 22}.example.com")
    status, body = order(api, {"template_id": template["template_id"], "gutter_mm": 6})
    (problem,) = body["errors"]
    assert (status, problem["field"], problem["code"]) == (422, "sheet.template_id", "module_too_small_mm")


def test_the_number_stands_where_its_text_does() -> None:
    (slot,) = face({}).slots
    drawn = face({})
    code = next(layer for layer in drawn.layers if isinstance(layer, Qr))
    assert code.x * PT < slot.x < (code.x + code.size) * PT
    assert slot.y < (drawn.template.height - code.y - code.size) * PT
