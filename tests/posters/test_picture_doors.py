"""What the designers of the console need beside: a kept picture, a template's version, a card before its run."""

import io

import pytest
from PIL import Image

from chalicelib.platform import files
from tests.support.api import Api

TEMPLATE = {
    "name": "x",
    "width": 720,
    "height": 720,
    "layers": [{"type": "qr", "x": 90, "y": 90, "size": 540}],
}


@pytest.fixture(autouse=True)
def of_posters(tables: None, bucket: str, poster_function: None) -> None:
    """A bucket, and the poster function in this process."""


def test_a_kept_picture_is_given_back(api: Api) -> None:
    made = io.BytesIO()
    Image.new("RGB", (300, 200), "#b3123b").save(made, "PNG")
    status, asset = api.post("/api/poster-assets", made.getvalue())
    assert status == 201
    shown = api.raw("GET", f"/api/poster-assets/{asset['asset_id']}")
    assert shown.headers["Content-Type"] == "image/png" and Image.open(io.BytesIO(shown.body)).size == (
        300,
        200,
    )
    files.put("assets/secret", b"x")
    for unknown in ("as_" + "0" * 32, "secret", "..%2Fresults"):
        assert api.get(f"/api/poster-assets/{unknown}")[0] == 404


def test_who_changes_a_template_second_is_told(api: Api) -> None:
    template_id = api.post("/api/poster-templates", TEMPLATE)[1]["template_id"]
    path = f"/api/poster-templates/{template_id}"
    first = api.raw("GET", path).headers["ETag"]
    changed = api.raw("PATCH", path, {"name": "y"}, If_Match=first)
    assert changed.status_code == 200 and changed.headers["ETag"] != first
    status, problem = api.patch(path, {"name": "z"}, If_Match=first)
    assert (status, problem["present"]["name"]) == (409, "y")
    assert api.patch(path, {"name": "z"})[0] == 200


def test_a_card_is_seen_before_there_is_a_run(api: Api) -> None:
    sheet = {"title": "扫码领新人礼", "footer": "客服 400-000-0000", "background": "#0B3D2E"}
    shown = api.raw("POST", "/api/print-runs/preview", {"sheet": sheet, "width": 600})
    assert shown.headers["Content-Type"] == "image/png"
    picture = Image.open(io.BytesIO(shown.body)).convert("RGB")
    assert picture.width == 600 and picture.getpixel((3, 3)) == (0x0B, 0x3D, 0x2E)
    status, problem = api.post("/api/print-runs/preview", {"sheet": {"title": "好😊"}})
    assert (status, [each["field"] for each in problem["errors"]]) == (422, ["sheet.title"])
    status, problem = api.post(
        "/api/print-runs/preview", {"sheet": {"card_width_mm": 25, "card_height_mm": 25}}
    )
    assert status == 422 and problem["errors"][0]["field"].startswith("sheet.")
    assert api.get("/api/print-runs")[1]["items"] == []
