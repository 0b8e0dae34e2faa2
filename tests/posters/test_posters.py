"""Poster templates, pictures and batches through their doors, with the poster function in this process."""

import base64
import csv
import io
import json
import struct
import zipfile
import zlib
from typing import Any

import msgspec
import pytest
import zxingcpp
from chalice.test import Client
from PIL import Image

from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import files, jobs, settings
from chalicelib.platform.principal import SYSTEM
from chalicelib.posters import (
    batch_state,
    batch_work,
    drawing_tools,
    function_requests,
    rendering,
    rules,
)
from chalicelib.posters.types import Qr, Template, Text
from chalicelib.staff import service as members
from chalicelib.staff.models import StaffItem
from chalicelib.stores import service as stores
from chalicelib.stores.types import NewStore
from functions.poster import handler as poster
from tests.support.api import Api
from tests.support.scan_support import definition
from tests.support.wecom import FakeWeCom

PHONE: dict[str, Any] = {
    "name": "Winter",
    "width": 720,
    "height": 1080,
    "background": {"colour": "#0F6A51", "to": "#084234"},
    "title": "会员日，快来",
    "layers": [
        {"type": "text", "value": "{title}", "x": 60, "y": 60, "width": 600, "height": 160, "size": 60,
         "min_size": 30, "max_lines": 2, "colour": "#FFFFFF"},
        {"type": "qr", "x": 150, "y": 300, "size": 420},
        {"type": "text", "value": "{store_name} {staff_name}", "x": 60, "y": 800, "width": 600, "height": 60,
         "size": 32, "min_size": 18, "colour": "#FFFFFF"},
    ],
}  # fmt: skip


@pytest.fixture
def api(client: Client, bucket: str, poster_function: None) -> Api:
    return Api(client)


def picture(size: tuple[int, int] = (90, 60), kind: str = "PNG", **options: Any) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, "#C9381F").save(made, kind, **options)
    return made.getvalue()


def problems(answer: tuple[int, Any]) -> dict[str, str]:
    status, body = answer
    assert status == 422, body
    return {error["field"]: f"{error['code']} {error['message']}" for error in body["errors"]}


def test_a_file_that_no_answer_holds_is_a_link(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_requests, "_LARGEST", 1000)
    code = live_code("lihua")
    answer = api.raw("GET", f"/api/live-codes/{code.live_code_id}/poster.jpg?width=480&quality=50")
    assert answer.status_code == 302
    key = answer.headers["Location"].split("/results/")[1].split("?")[0]
    drawn = Image.open(io.BytesIO(files.get(f"results/{key}")))
    assert (drawn.format, zxingcpp.read_barcode(drawn.convert("L")).text) == ("JPEG", code.url)


def changed(number: int, **fields: Any) -> dict[str, Any]:
    layers = [{**layer, **fields} if n == number else layer for n, layer in enumerate(PHONE["layers"])]
    return {**PHONE, "layers": layers}


def live_code(*staff_ids: str, **rest: Any) -> livecodes.LiveCode:
    for staff_id in staff_ids:
        StaffItem(staff_id, listing="staff", name=f"{staff_id}女士", status=1, seen_at="").save()
    return livecodes.create(definition(*({"staff_id": s} for s in staff_ids), **rest))


def drain(sent: list[Any]) -> list[dict[str, Any]]:
    """Give the poster's messages to its function until there are none; what was given."""
    given = []
    while mine := [row for row in sent if row[0] == "poster"]:
        sent.remove(mine[0])
        given.append(mine[0][1])
        record = {
            "messageId": "1",
            "body": json.dumps(mine[0][1]),
            "eventSourceARN": "arn:poster",
            "attributes": {"ApproximateReceiveCount": "1"},
        }
        assert poster.handler({"Records": [record]}, None) == {"batchItemFailures": []}
    return given


def zipped(job: dict[str, Any]) -> zipfile.ZipFile:
    key = f"results/posters/{job['job_id']}/posters.zip"
    archive = zipfile.ZipFile(io.BytesIO(files.get(key)))
    assert archive.testzip() is None
    return archive


def test_a_template_is_made_seen_changed_used_and_deleted(api: Api) -> None:
    status, made = api("POST", "/api/poster-templates", PHONE)
    assert status == 201, made
    path = f"/api/poster-templates/{made['template_id']}"
    assert api("GET", path) == (200, made)
    assert made["layers"][1]["quiet"] == 4
    status, listed = api("GET", "/api/poster-templates")
    assert [row["template_id"] for row in listed["items"]] == [made["template_id"]]
    assert api("GET", f"/api/poster-templates/{listed['built_in'][0]}")[1]["built_in"] is True
    status, after = api("PATCH", path, {"name": "Spring", "background": {"colour": "#402020"}})
    assert (status, after["name"], after["version"]) == (200, "Spring", 2)
    code = live_code("lihua")
    answer = api.raw("GET", f"/api/live-codes/{code.live_code_id}/poster.png?template={made['template_id']}")
    drawn = Image.open(io.BytesIO(answer.body)).convert("RGB")
    assert drawn.size == (720, 1080)
    assert drawn.getpixel((5, 5)) == (0x40, 0x20, 0x20)
    assert zxingcpp.read_barcode(drawn).text == code.url
    assert api("DELETE", path)[0] == 200
    assert api("GET", path)[0] == api("DELETE", path)[0] == 404
    gone = f"/api/live-codes/{code.live_code_id}/poster.png?template={made['template_id']}"
    assert list(problems(api("GET", gone))) == ["template"]
    assert api("PATCH", "/api/poster-templates/classic", {"name": "x"})[0] == 409


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    (changed(1, size=220), "layers[1].size", "module too small: 1.25 px at 25 %"),
    (changed(1, dark="#888888"), "layers[1].dark", "contrast too low: 3.5 : 1"),
    (changed(1, dark="#FFFFFF", light="#000000"), "layers[1].dark", "inverted"),
    (changed(1, quiet=2), "layers[1].quiet", "quiet zone too narrow: 2 modules of 4"),
    (changed(1, x=-10), "layers[1].x", "wholly on the page"),
    (changed(2, y=660, height=80, colour="#101010"), "layers[1].quiet", "ink over it, of layers[2]"),
    (changed(1, quiet=0, x=2), "layers[1].quiet", "to the page's edge"),
    (changed(2, value="{phone}"), "layers[2].value", "no placeholder {phone}"),
    (changed(2, height=20), "layers[2].height", "no line"),
    (changed(2, sise=20), "layers[2].sise", "unknown_field"),
    (changed(2, size="20"), "layers[2].size", "type"),
    (changed(0, colour="red"), "layers[0].colour", "pattern"),
    (changed(0, type="video"), "layers[0].type", "enum"),
    ({**PHONE, "background": {"asset_id": "as_" + "0" * 32}}, "background.asset_id", "no picture"),
    ({**PHONE, "bleed_mm": 3}, "bleed_mm", "mm"),
    ({**PHONE, "width": 100}, "width", "240"),
    ({**PHONE, "layers": PHONE["layers"][:1]}, "layers", "qr"),
    ({**PHONE, "unit": "mm", "width": 100, "height": 700}, "width", "600 mm"),
]


def test_a_template_that_will_not_do_is_refused_with_its_field_and_reason(api: Api) -> None:
    for template, field, why in REFUSED:
        found = problems(api("POST", "/api/poster-templates", template))
        assert why in found.get(field, ""), (field, why, found)
        shown = problems(api("POST", "/api/poster-templates/preview", {"template": template}))
        assert why in shown.get(field, shown.get(f"template.{field}", "")), (field, why, shown)
    assert api("GET", "/api/poster-templates")[1]["items"] == []


def test_a_logo_raises_the_error_correction_and_may_not_cover_too_much(api: Api) -> None:
    assert api("POST", "/api/poster-assets")[0] == 422
    answer = api.raw("POST", "/api/poster-assets", picture(), Content_Type="image/png")
    assert answer.status_code == 201
    asset_id = json.loads(answer.body)["asset_id"]
    fine = changed(1, logo=asset_id, size=440)
    assert "covers 2" in problems(api("POST", "/api/poster-templates", changed(1, logo=asset_id, logo_side=0.5, size=500)))["layers[1].logo_side"]  # fmt: skip
    url = "https://go.example.com/s/AbCd2345"
    body = {"template": fine, "sample": {"url": url}}
    drawn = Image.open(io.BytesIO(api.raw("POST", "/api/poster-templates/preview", body).body))
    found = zxingcpp.read_barcode(drawn)
    assert (found.text, found.ec_level) == (url, "H")
    middle = drawn.convert("RGB").getpixel((150 + 220, 300 + 220))
    assert middle == (0xC9, 0x38, 0x1F)


def bomb() -> bytes:
    """A PNG of a few kilobytes that unpacks to 60,000 × 60,000 pixels."""

    def part(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = part(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(bytes(7500) * 9)) + part(b"IEND", b"")


def test_what_is_no_sound_picture_is_refused_and_nothing_kept(api: Api) -> None:
    torn, large = picture()[:60], picture((6000, 5000))
    for data in (b"", b"<svg/>", b"GIF89a", bomb(), torn, b"\xff\xd8\xff\xe0 nothing", large):
        answer = api.raw("POST", "/api/poster-assets", data, Content_Type="image/png")
        assert answer.status_code == 422, (data[:20], answer.body)
    listed = settings.client("s3").list_objects_v2(Bucket="test-files")
    assert listed.get("KeyCount", 0) == 0


def test_a_picture_is_kept_once_upright_and_without_what_it_tells_of_its_maker(api: Api) -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "A phone"  # turned by 90 degrees; its maker
    data = picture((90, 60), "JPEG", exif=exif)
    first = json.loads(api.raw("POST", "/api/poster-assets", data, Content_Type="image/jpeg").body)
    again = json.loads(api.raw("POST", "/api/poster-assets", data, Content_Type="image/jpeg").body)
    assert first == again
    assert (first["width"], first["height"]) == (60, 90)
    kept = files.get(f"assets/{first['asset_id']}")
    assert b"A phone" not in kept
    assert b"Exif" not in kept


def test_wecoms_own_code_is_read_from_its_picture_and_drawn_anew(api: Api) -> None:
    text = "https://wecom.work/ca/cawcdeXXXX"
    code = zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode), 8)
    made = io.BytesIO()
    Image.fromarray(code).convert("RGB").save(made, "JPEG", quality=60)
    picture_of = base64.b64encode(made.getvalue()).decode()
    answer = function_requests.answer({"qr_image_base64": picture_of, "staff_name": "李晓华"})
    drawn = Image.open(io.BytesIO(base64.b64decode(answer["png_base64"]))).convert("L")
    assert zxingcpp.read_barcode(drawn).text == text
    for wrong in (base64.b64encode(picture()).decode(), "%%%", base64.b64encode(b"x").decode()):
        error = function_requests.answer({"qr_image_base64": wrong})["error"]
        assert [e["field"] for e in error["errors"]] == ["qr_image"]


def test_a_batch_of_guides_is_one_zip_with_readable_names(api: Api, sent: list[Any]) -> None:
    code = live_code("lihua", "wangwu", "zhao", name="静安寺/店")
    wanted = {"live_code_id": code.live_code_id, "staff_ids": "all", "width": 480}
    status, job = api("POST", "/api/poster-batches", wanted)
    assert (status, job["done"], job["total"]) == (202, 0, 3)
    drain(sent)
    told = jobs.get(job["job_id"])
    assert (told.status, told.done, told.error) == ("finished", 3, None)
    assert told.result_url
    archive = zipped(job)
    assert archive.namelist() == [f"静安寺 店-{s}女士.png" for s in ("lihua", "wangwu", "zhao")]
    drawn = {
        n: zxingcpp.read_barcode(Image.open(archive.open(n)).convert("L")).text for n in archive.namelist()
    }
    staff_ids = ("lihua", "wangwu", "zhao")
    assert list(drawn.values()) == [poster_links.url(code, "guide", staff_id) for staff_id in staff_ids]
    assert len({archive.read(name) for name in drawn}) == 3


def test_a_batch_of_stores_has_each_stores_own_link(api: Api, sent: list[Any]) -> None:
    for number in range(3):
        place = {"latitude": 31.2, "longitude": 121.4}
        stored = msgspec.convert({"store_id": f"sh{number}", "name": "静安寺店", **place}, NewStore)
        stores.create(stored, SYSTEM)
    code = live_code("lihua", kind="nearest_store", stores={})
    wanted = {"live_code_id": code.live_code_id, "store_ids": "all", "format": "jpg", "width": 480}
    _, job = api("POST", "/api/poster-batches", wanted)
    drain(sent)
    archive = zipped(job)
    assert archive.namelist() == ["静安寺店.jpg", "静安寺店 (2).jpg", "静安寺店 (3).jpg"]
    read = [zxingcpp.read_barcode(Image.open(archive.open(n)).convert("L")).text for n in archive.namelist()]
    assert sorted(read) == sorted(poster_links.url(code, "store", f"sh{number}") for number in range(3))


def test_a_batch_that_can_not_be_is_refused_by_field(api: Api, sent: list[Any]) -> None:
    code = live_code("lihua").live_code_id
    sent.clear()
    for wanted, field in (
        ({}, "live_code_ids"),
        ({"live_code_ids": ["lc_nothing1"]}, "live_code_ids[0]"),
        ({"live_code_id": code}, "staff_ids"),
        ({"live_code_id": code, "staff_ids": ["lihua", "nobody"]}, "staff_ids[1]"),
        ({"live_code_id": code, "store_ids": "all"}, "store_ids"),
        ({"live_code_id": code, "staff_ids": "all", "template": "nope"}, "template"),
        ({"live_code_id": code, "staff_ids": "all", "format": "gif"}, "format"),
        ({"live_code_id": code, "staff_ids": "all", "avatars": {"lihua": "https://a.cn/x"}}, "avatars"),
    ):
        assert field in problems(api("POST", "/api/poster-batches", wanted)), wanted
    assert sent == []


def test_a_message_that_comes_again_or_died_makes_only_what_is_missing(
    api: Api, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_state, "CHUNK", 2)
    code = live_code("a1", "a2", "a3", "a4", "a5")
    _, job = api(
        "POST", "/api/poster-batches", {"live_code_id": code.live_code_id, "staff_ids": "all", "width": 320}
    )
    batch_id, drawn, render = job["job_id"], [], rendering.render

    def dies(request: Any, template: Any) -> bytes:
        drawn.append(request.staff_name)
        if len(drawn) == 2:
            raise MemoryError
        return render(request, template)

    batch_work.plan_batch(batch_id)
    batch_work.plan_batch(batch_id)
    monkeypatch.setattr(rendering, "render", dies)
    with pytest.raises(MemoryError):
        batch_work.make_chunk(batch_id, 0)
    assert jobs.get(batch_id).done == 0
    for number in (2, 0, 1, 0, 2, 1):
        batch_work.make_chunk(batch_id, number)
    assert drawn == ["a1女士", "a2女士", "a5女士", "a2女士", "a3女士", "a4女士"]  # a2 again, nobody else
    assert jobs.get(batch_id).done == 5
    assert jobs.get(batch_id).status == "running"
    drain(sent)
    assert (jobs.get(batch_id).status, jobs.get(batch_id).done) == ("finished", 5)
    assert len(zipped(job).namelist()) == 5
    batch_work.make_chunk(batch_id, 1)
    assert [row for row in sent if row[0] == "poster"] == []


def test_of_two_plans_at_once_the_first_one_stays(
    api: Api, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = live_code("lihua")
    wanted = {"live_code_id": code.live_code_id, "staff_ids": "all", "width": 320}
    batch_id = api("POST", "/api/poster-batches", wanted)[1]["job_id"]
    keep_rows = batch_state.keep_rows

    def late(*given: Any) -> None:
        """The other one is done, and their name changed, while ours has looked it up."""
        monkeypatch.setattr(batch_state, "keep_rows", keep_rows)
        monkeypatch.setattr(members, "names", lambda ids: dict.fromkeys(ids, "新名"))
        batch_work.plan_batch(batch_id)
        keep_rows(*given)

    monkeypatch.setattr(batch_state, "keep_rows", late)
    batch_work.plan_batch(batch_id)
    (row,) = batch_state.read_rows(batch_id) or []
    assert row["staff_name"] == "新名"


def test_a_poster_that_can_not_be_made_is_listed_and_counted(
    api: Api, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    code = live_code("x1", "good")
    StaffItem("x1", listing="staff", name="=1+1", status=1, seen_at="").save()
    _, job = api(
        "POST", "/api/poster-batches", {"live_code_id": code.live_code_id, "staff_ids": "all", "width": 320}
    )
    render = rendering.render

    def fails(request: Any, template: Any) -> bytes:
        if request.staff_name == "=1+1":
            raise rendering.qr_read_check.Unreadable("could not be read as it is")
        return render(request, template)

    monkeypatch.setattr(rendering, "render", fails)
    drain(sent)
    told = jobs.get(job["job_id"])
    assert (told.status, told.done, told.total) == ("finished", 2, 2)
    assert told.error.startswith("1 of 2 posters")
    archive = zipped(job)
    assert len(archive.namelist()) == 2
    rows = list(csv.reader(io.StringIO(archive.read("errors.csv").decode("utf-8-sig"))))
    assert rows[1][0] == "1"
    assert rows[1][3] == "could not be read as it is"


def test_a_batch_says_what_is_left_out_and_who_has_no_name(
    api: Api, sent: list[Any], wecom: FakeWeCom
) -> None:
    code = live_code("aa", "bb", "cc", "dd")
    for staff_id, name in (("bb", "小雅😊"), ("cc", "བཀྲ་ཤིས")):
        StaffItem(staff_id, listing="staff", name=name, status=1, seen_at="").save()
    wanted = {"live_code_id": code.live_code_id, "staff_ids": "all", "width": 320}
    wecom.gone = {"dd"}
    nameless = StaffItem("dd", listing="staff", status=1, seen_at="")
    nameless.save()
    refused = problems(api("POST", "/api/poster-batches", wanted))
    assert "no_name_to_print" in refused["staff_ids[3]"]
    wecom.gone.clear()
    _, job = api("POST", "/api/poster-batches", wanted)
    nameless.save()  # the name is lost since
    drain(sent)
    told = jobs.get(job["job_id"])
    assert (told.status, told.done) == ("finished", 4)
    assert told.error is not None and "errors.csv" in told.error and "left_out.csv" in told.error
    archive = zipped(job)
    assert len([name for name in archive.namelist() if name.endswith(".png")]) == 2

    def column(name: str) -> dict[str, str]:
        rows = list(csv.reader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
        return {row[0]: row[3] for row in rows[1:]}

    assert column("left_out.csv") == {"2": "staff_name: 😊"}
    errors = column("errors.csv")
    assert set(errors) == {"3", "4"}
    assert "字体里没有「བ」(U+0F56)" in errors["3"] and "the fonts have no 「བ」(U+0F56)" in errors["3"]
    assert "dd" in errors["4"] and "姓名" in errors["4"]


def test_a_poster_says_what_is_left_out_and_refuses_who_has_no_name(api: Api, wecom: FakeWeCom) -> None:
    code = live_code("aa", "bb")
    StaffItem("aa", listing="staff", name="小雅😊", status=1, seen_at="").save()
    StaffItem("bb", listing="staff", status=1, seen_at="").save()
    wecom.gone = {"bb"}
    path = f"/api/live-codes/{code.live_code_id}/poster.png?width=320&staff_id="
    assert api.raw("GET", path + "aa").headers["X-Left-Out"] == "staff_name=%F0%9F%98%8A"
    assert "no_name_to_print" in problems(api("GET", path + "bb"))["staff_id"]
    assert "X-Left-Out" not in api.raw("GET", path.partition("&")[0]).headers


def test_a_templates_own_words_are_printable(api: Api) -> None:
    wrong = {**changed(0, value="{title} 😊"), "subtitle": "བ"}
    told = problems(api("POST", "/api/poster-templates", wrong))
    assert set(told) == {"layers[0].value", "subtitle"}
    assert "(U+1F60A)" in told["layers[0].value"]


def test_a_subtitle_is_no_larger_than_a_title_that_is_shrunk() -> None:
    title = Text("{title}", 0, 0, 300, 60, 50, "#000000", 12)
    subtitle = Text("{subtitle}", 0, 80, 300, 60, 40, "#000000", 20)
    template = Template(name="x", width=300, height=300, layers=(title, subtitle, Qr(0, 150, 150)))
    short = rules.Request("", "x", None, title="礼", subtitle="好")
    assert drawing_tools.no_larger_than_title(subtitle, template, short) == subtitle
    long = rules.Request("", "x", None, title="冬季会员日全场满减限时三天快来", subtitle="好")
    drawn = drawing_tools.no_larger_than_title(subtitle, template, long)
    assert drawn.size == drawing_tools.lines(title, long.title)[0].size == drawn.min_size < 40
