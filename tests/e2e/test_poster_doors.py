"""Posters from outside: a designer's picture and template, posters for print and phone, a batch of stores."""

import io
import urllib.request
import zipfile
from typing import Any

import pypdfium2
import zxingcpp
from PIL import Image

from infra.local.client import LocalStack


def read(data: bytes) -> str:
    found = zxingcpp.read_barcode(Image.open(io.BytesIO(data)).convert("L"))
    return str(found.text) if found else ""


def scan(stack: LocalStack, link: str) -> Any:
    """What a phone without a cookie gets."""
    path = link.removeprefix(stack.base)
    return stack.request("GET", path, headers={"Accept": "application/json"}).json()


def test_a_template_with_a_picture_makes_a_poster_for_each_store(stack: LocalStack) -> None:
    photo = io.BytesIO()
    Image.effect_noise((800, 1200), 60).convert("RGB").save(photo, "JPEG")
    key = {"Authorization": f"Bearer {stack.key}"}
    kind = {**key, "Content-Type": "image/jpeg"}
    asset = stack.request("POST", "/api/poster-assets", photo.getvalue(), kind)
    assert asset.status == 201, asset.data
    template = {
        "name": "Opening",
        "width": 720,
        "height": 1080,
        "background": {"asset_id": asset.json()["asset_id"]},
        "layers": [
            {"type": "qr", "x": 130, "y": 400, "size": 460},
            {"type": "rect", "x": 0, "y": 0, "width": 720, "height": 200, "fill": "#FFFFFF"},
            {"type": "text", "value": "{store_name}", "x": 40, "y": 40, "width": 640, "height": 120, "size": 60,
             "min_size": 30, "colour": "#101010"},
        ],
    }  # fmt: skip
    template_id = stack.api("POST", "/api/poster-templates", template, 201)["template_id"]
    for number, name in enumerate(("静安寺店", "徐家汇/店")):
        place = {"latitude": 31.2 + number / 10, "longitude": 121.4}
        store = {"store_id": f"poster{number}", "name": name, "staff_ids": ["lihua"], **place}
        stack.api("POST", "/api/stores", store, 201)
    code = stack.api(
        "POST",
        "/api/live-codes",
        {
            "name": "Stores",
            "kind": "nearest_store",
            "channel": "store",
            "stores": {"store_ids": ["poster0", "poster1"]},
            "assignment": {"members": [{"staff_id": "lihua"}]},
        },
    )
    path = f"/api/live-codes/{code['live_code_id']}"
    phone = stack.request("GET", f"{path}/poster.jpg?template={template_id}&width=540", headers=key)
    assert phone.headers["content-type"] == "image/jpeg"
    assert read(phone.data) == code["url"]
    assert stack.request("GET", f"{path}/poster.pdf", headers=key).data.startswith(b"%PDF-")
    wanted = {"template": template_id, "live_code_id": code["live_code_id"], "store_ids": "all", "width": 540}
    batch = stack.api("POST", "/api/poster-batches", wanted, 202)
    stack.drain()
    job = stack.api("GET", f"/api/jobs/{batch['job_id']}")
    assert (job["status"], job["done"], job["total"], job["error"]) == ("finished", 2, 2, None)
    with urllib.request.urlopen(job["result_url"]) as answer:
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    assert archive.namelist() == ["静安寺店.png", "徐家汇 店.png"]
    links = [read(archive.read(name)) for name in archive.namelist()]
    assert [link.startswith(f"{code['url']}?g=s") for link in links] == [True, True]
    assert [scan(stack, link)["store_id"] for link in links] == ["poster0", "poster1"]

    sheet = {"template_id": template_id, "title": "ئالىم 𠮷\n满 300 减 50"}
    body = {"name": "卡", "count": 6, "format": "pdf", "sheet": sheet}
    run = stack.api("POST", f"{path}/print-runs", body, 202)
    stack.drain()
    job = stack.api("GET", f"/api/jobs/{run['job_id']}")
    assert (job["status"], job["error"]) == ("finished", None)
    with urllib.request.urlopen(job["result_url"]) as answer:
        document = pypdfium2.PdfDocument(answer.read())
    page = document[0].render(scale=120 / 72).to_pil().convert("L")
    assert len({found.text for found in zxingcpp.read_barcodes(page)}) == 6
    refused = stack.api("POST", f"{path}/print-runs", {**body, "sheet": {"title": "好礼😊"}}, 422)
    assert refused["errors"][0]["field"] == "sheet.title"
    emoji = stack.request("GET", f"{path}/poster.png?title=%F0%9F%8E%81%0A%E7%A4%BC&width=540", headers=key)
    assert emoji.headers["x-left-out"] == "title=%F0%9F%8E%81"


def test_a_guides_poster_leads_to_that_guide_each_time(stack: LocalStack) -> None:
    for staff_id, name in (("xiaowang9", "王小雅"), ("zz8", "周子")):
        stack.sandbox("POST", "staff", {"userid": staff_id, "name": name})
    members = [{"staff_id": "xiaowang9"}, {"staff_id": "zz8"}]
    code = stack.api(
        "POST", "/api/live-codes", {"name": "Two", "channel": "shop", "assignment": {"members": members}}
    )
    key = {"Authorization": f"Bearer {stack.key}"}
    path = f"/api/live-codes/{code['live_code_id']}/poster.png?staff_id=xiaowang9"
    link = read(stack.request("GET", path, headers=key).data)
    seen = [scan(stack, link) for _ in range(4)]
    assert [got["staff_id"] for got in seen] == ["xiaowang9"] * 4
    told = stack.api("GET", f"/api/assignments/{seen[3]['assignment_id']}")
    assert "扫的是导购本人的海报" in told["text"]
    robot = {"User-Agent": "facebookexternalhit/1.1", "Accept": "text/html"}
    preview = stack.request("GET", link.removeprefix(stack.base), headers=robot)
    assert preview.status == 200 and b'property="og:image"' in preview.data
    assert stack.request("HEAD", link.removeprefix(stack.base), headers=robot).status == 200
    listed = stack.api("GET", f"/api/assignments?live_code_id={code['live_code_id']}")["items"]
    assert len(listed) == 4
