"""The brand kit: set by operators, seen on every page, at no read more of a scan."""

import io
import re
from typing import Any

import pytest
from chalice.test import Client
from PIL import Image

from chalicelib.brand import rules, service
from chalicelib.platform import files, storage
from chalicelib.platform.errors import NotFound
from tests.support.api import Api

GREEN, TINT = rules.DEFAULT_COLOURS
BLUE = {"name": "植里", "colors": ["#0b6bcb", "#e8f1fb"], "logo_url": None, "avatar_url": None}
BROWSER = {"Accept": "text/html", "User-Agent": "Mozilla/5.0 MicroMessenger/8.0", "Accept-Language": "zh-CN"}
CODE = {
    "name": "活码",
    "kind": "staff",
    "assignment": {"strategy": "round_robin", "members": [{"staff_id": "a"}]},
}


@pytest.fixture(autouse=True)
def new_process() -> Any:
    service.forget()
    yield
    service.forget()


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    kept: dict[str, bytes] = {}

    def get(key: str) -> bytes:
        if key not in kept:
            raise NotFound(code="no_file", key=key)
        return kept[key]

    monkeypatch.setattr(files, "put", lambda key, body, kind="": kept.update({key: body}))
    monkeypatch.setattr(files, "get", get)
    monkeypatch.setattr(files, "delete", lambda key: kept.pop(key, None))
    return kept


def picture(form: str, side: int = 200, mode: str = "RGB") -> bytes:
    made = io.BytesIO()
    Image.new(mode, (side, side), (11, 107, 203, 128) if mode == "RGBA" else "#0b6bcb").save(made, form)
    return made.getvalue()


def test_a_brand_that_nobody_has_set_is_our_own(api: Api) -> None:
    answer = api.raw("GET", "/api/brand")
    assert answer.headers["ETag"] == '"0"'
    assert api.get("/api/brand")[1] == {
        "name": "",
        "logo_url": None,
        "colors": [GREEN, TINT],
        "avatar_url": None,
    }


def test_what_is_set_is_given_and_a_stale_change_is_told(api: Api) -> None:
    assert api.put("/api/brand", BLUE, If_Match='"0"') == (200, BLUE)
    assert api.get("/api/brand")[1] == BLUE
    status, problem = api.put("/api/brand", {**BLUE, "name": "别家"}, If_Match='"0"')
    assert (status, problem["present"]) == (409, BLUE)
    assert api.put("/api/brand", {**BLUE, "name": "植里护肤"})[0] == 200
    assert api.raw("GET", "/api/brand").headers["ETag"] == '"2"'


def test_the_same_again_is_no_change(api: Api) -> None:
    for _ in range(2):
        assert api.raw("PUT", "/api/brand", BLUE).headers["ETag"] == '"1"'


@pytest.mark.parametrize(
    ("colours", "fields"),
    [
        (["#ffd400", "#fffbe6"], ["colors[0]"]),
        (["#0b7fd0", "#dbe9f7"], ["colors[0]"]),
        (["#0b6bcb", "#0b5bbb"], ["colors[1]"]),
        (["#ff9900", "#ff8800"], ["colors[0]", "colors[1]"]),
        (["blue", "#e8f1fb"], ["colors[0]"]),
        (["#0b6bcb"], ["colors"]),
    ],
)
def test_colours_that_cannot_be_read_are_refused_in_words_with_the_nearest_that_can(
    api: Api, colours: list[str], fields: list[str]
) -> None:
    status, problem = api.put("/api/brand", {**BLUE, "colors": colours}, Accept_Language="zh")
    assert (status, [each["field"] for each in problem["errors"]]) == (422, fields)
    proposed = [each["params"]["nearest"] for each in problem["errors"] if "nearest" in each["params"]]
    for each in problem["errors"]:
        if "nearest" in each["params"]:
            assert "看不清" in each["message"] and each["params"]["nearest"] in each["message"]
    assert api.get("/api/brand")[1]["name"] == ""
    if proposed and len(proposed) == len(fields):
        better = [*colours]
        for field, colour in zip(fields, proposed, strict=True):
            better[int(field[7])] = colour
        assert api.put("/api/brand", {**BLUE, "colors": better})[0] == 200


def test_the_nearest_colour_keeps_its_hue_and_any_two_make_a_page_that_can_be_read() -> None:
    for colour in ("#ffd400", "#ff9900", "#e60012", "#7ac943", "#00a0e9", "#ffffff", "#888888"):
        first = rules.nearest(colour, lambda found: rules.contrast(found, rules.WHITE) >= rules.CONTRAST)
        assert rules.contrast(first, "#ffffff") >= 4.5
        second = rules.nearest(
            colour, lambda found, text=first: rules.contrast(found, text) >= rules.CONTRAST
        )
        assert rules.find_issues([first, second]) == []
        css = rules.Look(colours=(first, second)).css
        light, dark = (dict(re.findall(r"--(\w+):(#\w+)", part)) for part in css.split("@media"))
        for found in (light, dark):
            assert rules.contrast(found["on"], found["brand"]) >= 4.5
            assert rules.contrast(found["brand"], found["tint"]) >= 4.5
        assert rules.contrast(light["tint"], "#55645d") >= 4.5


def test_a_picture_of_another_house_is_refused(api: Api) -> None:
    for address in (
        "https://example.com/logo.png",
        "http://127.0.0.1:8000/brand/../x.png",
        "javascript:alert(1)",
    ):
        status, problem = api.put("/api/brand", {**BLUE, "logo_url": address})
        assert (status, [each["field"] for each in problem["errors"]]) == (422, ["logo_url"])


@pytest.mark.parametrize(
    ("form", "mode", "kind"), [("PNG", "RGB", "png"), ("JPEG", "RGB", "jpeg"), ("WEBP", "RGBA", "png")]
)
def test_a_picture_is_decoded_kept_and_shown_for_ever(
    api: Api, client: Client, poster_function: None, bucket: dict[str, bytes], form: str, mode: str, kind: str
) -> None:
    status, kept = api.post(
        "/api/brand/pictures", picture(form, mode=mode), Content_Type=f"image/{form.lower()}"
    )
    assert status == 201 and (kept["width"], kept["height"]) == (200, 200)
    assert api.put("/api/brand", {**BLUE, "logo_url": kept["url"], "avatar_url": kept["url"]})[0] == 200
    shown = client.http.get(kept["url"].removeprefix("http://127.0.0.1:8000"))
    assert (shown.status_code, shown.headers["Content-Type"]) == (200, f"image/{kind}")
    assert shown.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert Image.open(io.BytesIO(shown.body)).size == (200, 200)
    assert set(bucket) == {f"brand/{kept['url'].rpartition('/')[2]}", f"assets/{kept['asset_id']}"}


def test_a_large_picture_is_made_as_small_as_a_page_needs(
    api: Api, poster_function: None, bucket: dict[str, bytes]
) -> None:
    status, kept = api.post("/api/brand/pictures", picture("PNG", 3000))
    assert (status, kept["width"], kept["height"]) == (201, 1024, 1024)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\xef\xbb\xbf <svg onload='alert(1)'/>", "SVG"),
        (b"GIF89a", "PNG"),
        (b"\x89PNG\r\n\x1a\nbroken", "PNG"),
        (b"", "PNG"),
        (picture("PNG", 40), "64"),
    ],
)
def test_what_is_no_sound_picture_is_refused_and_nothing_is_kept(
    api: Api, poster_function: None, bucket: dict[str, bytes], body: bytes, words: str
) -> None:
    status, problem = api.post("/api/brand/pictures", body)
    assert status == 422 and words in problem["errors"][0]["message"] and not bucket


def test_a_picture_over_the_limit_is_413(api: Api) -> None:
    assert api.post("/api/brand/pictures", b"\x89PNG\r\n\x1a\n" + bytes(4 * 1024 * 1024))[0] == 413


def test_a_name_that_is_none_of_ours_is_not_found(client: Client, bucket: dict[str, bytes]) -> None:
    bucket["assets/as_x"] = b"private"
    for name in ("as_x", "..%2Fassets%2Fas_x", "0" * 32 + ".png", "0" * 32 + ".svg"):
        assert client.http.get(f"/brand/{name}").status_code == 404


def test_a_scan_shows_the_brand_and_reads_it_once_a_minute(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str] = []
    made = api.post("/api/live-codes", CODE)[1]
    assert api.put("/api/brand", BLUE)[0] == 200
    storage.connection().client.meta.events.register(
        "before-parameter-build.dynamodb.GetItem", lambda params, **_: reads.append(params["TableName"])
    )
    for _ in range(3):
        shown = client.http.get(f"/s/{made['code']}", headers=BROWSER).body.decode()
        assert "植里" in shown and "--brand:#0b6bcb" in shown
        assert (
            client.http.get(f"/s/{made['code']}", headers={"Accept": "application/json"}).status_code == 200
        )
    assert reads.count("test-settings") == 1
    later = service.time.monotonic() + 61
    monkeypatch.setattr(service.time, "monotonic", lambda: later)
    client.http.get(f"/s/{made['code']}", headers=BROWSER)
    assert reads.count("test-settings") == 2


def test_a_page_without_its_brand_is_a_page_still(
    api: Api, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise RuntimeError("DynamoDB is down")

    made = api.post("/api/live-codes", CODE)[1]
    monkeypatch.setattr(service, "get", fail)
    shown = client.http.get(f"/s/{made['code']}", headers=BROWSER)
    assert shown.status_code == 200 and "长按识别二维码" in shown.body.decode()


def test_who_may(api: Api) -> None:
    for role in ("operator", "store_manager", "guide", "finance", "auditor"):
        other = api.acting_as(role)
        assert other.get("/api/brand")[0] == 200
        assert other.put("/api/brand", BLUE)[0] == (200 if role == "operator" else 403)
