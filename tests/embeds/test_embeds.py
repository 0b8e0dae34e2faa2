"""A live code outside of paper: what to paste, and that what is pasted works."""

import io
from typing import Any

import pytest
import zxingcpp
from chalice.test import Client
from PIL import Image, ImageDraw

from tests.support.api import Api
from tests.support.scan_support import CODE


@pytest.fixture
def made(api: Api) -> dict[str, Any]:
    status, code = api("POST", "/api/live-codes", CODE)
    assert status == 201
    return code  # type: ignore[no-any-return]


def test_what_to_paste_leads_to_the_code_and_says_where_from(api: Api, made: dict[str, Any]) -> None:
    status, told = api("GET", f"/api/live-codes/{made['live_code_id']}/embed")
    assert status == 200
    assert f'data-code="{made["code"]}"' in told["website"]["html"]
    assert told["official_account"]["menu_button"]["url"] == f"{made['url']}?via=official_account"
    assert made["url"] in told["mini_program"]["wxml"]
    assert api("GET", "/api/live-codes/lc_nothing/embed")[0] == 404


def test_the_picture_is_the_link_as_vectors(client: Client, made: dict[str, Any]) -> None:
    answer = client.http.get(f"/s/{made['code']}/qr.svg")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "image/svg+xml"
    svg = answer.body.decode()
    side = int(svg.split('viewBox="0 0 ')[1].split()[0])
    picture = Image.new("L", (side * 4, side * 4), 255)
    draw = ImageDraw.Draw(picture)
    for part in svg.split('d="')[-1].split('"')[0].split("M")[1:]:
        x, y = (4 * int(n) for n in part.split("h")[0].split())
        draw.rectangle((x, y, x + 3, y + 3), 0)
    (found,) = zxingcpp.read_barcodes(picture)
    assert found.text == f"{made['url']}?via=website"
    assert client.http.get("/s/zzzzzzzz/qr.svg").status_code == 404
    assert io.BytesIO(answer.body).getbuffer().nbytes < 30_000


def test_an_archived_code_has_no_picture(client: Client, api: Api, made: dict[str, Any]) -> None:
    api("DELETE", f"/api/live-codes/{made['live_code_id']}")
    assert client.http.get(f"/s/{made['code']}/qr.svg").status_code == 404


def test_a_scan_remembers_where_its_link_stood(client: Client, api: Api, made: dict[str, Any]) -> None:
    for via in ("website", "<script>"):
        client.http.get(f"/s/{made['code']}?via={via}", headers={"Accept": "application/json"})
    _, told = api("GET", f"/api/assignments?live_code_id={made['live_code_id']}")
    assert sorted(str(row["origin"]) for row in told["items"]) == ["None", "{'via': 'website'}"]
