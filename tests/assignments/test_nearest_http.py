"""The doors of a nearest store code: JSON for machines, the picker for people."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from chalice.test import Client

from app import app
from chalicelib.assignments.models import AssignmentItem
from chalicelib.platform import auth
from tests.support.scan_support import NOON, FakeWeCom, new_process

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MACHINE = {"Accept": "application/json"}
JSON = {"Content-Type": "application/json"}
EVIL = "<script>alert(1)</script>\"'&"


class Web:
    """A client, with a key for the API and a phone's cookie for scans."""

    def __init__(self, client: Client):
        self.client = client
        self.key = auth.create_key("test", "operator")
        self.cookie = ""

    def api(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", **JSON}
        data = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        data = b"" if body is None else data
        answer = self.client.http.request(method, path, headers=headers, body=data)
        return answer.status_code, json.loads(answer.body)

    def get(self, path: str) -> tuple[int, str, dict[str, str]]:
        answer = self.client.http.get(path, headers={**BROWSER, **self._cookies()})
        self._keep(answer)
        assert len(answer.body) < 30_000
        return answer.status_code, answer.body.decode(), answer.headers

    def locate(self, path: str, body: Any) -> tuple[int, Any]:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.client.http.post(path + "/location", headers={**JSON, **self._cookies()}, body=data)
        self._keep(answer)
        return answer.status_code, json.loads(answer.body)

    def _cookies(self) -> dict[str, str]:
        return {"Cookie": self.cookie} if self.cookie else {}

    def _keep(self, answer: Any) -> None:
        if "Set-Cookie" in answer.headers:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]


def _web(at: Callable[[datetime], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    at(NOON)
    with Client(app) as client:
        yield Web(client)
    new_process()


@pytest.fixture
def web(
    tables: None, at: Callable[[datetime], None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Web]:
    yield from _web(at, monkeypatch)


@pytest.fixture
def large_web(
    engine: str, at: Callable[[datetime], None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Web]:
    """For many stores: moto copies all that is there for each transaction."""
    yield from _web(at, monkeypatch)


def store(web: Web, store_id: str, **rest: Any) -> None:
    given = {"store_id": store_id, "name": f"{store_id}店", "latitude": 22.54, "longitude": 113.93}
    status, told = web.api(
        "POST", "/api/stores", given | {"city": "深圳", "staff_ids": [store_id.lower()]} | rest
    )
    assert status == 201, told


def code(web: Web, **given: Any) -> str:
    status, made = web.api("POST", "/api/live-codes", {"name": "LBS", "kind": "nearest_store", **given})
    assert status == 201, made
    return f"/s/{made['code']}"


def test_a_machine_says_where_it_is(web: Web) -> None:
    store(web, "A")
    store(web, "B", latitude=23.5)
    path = code(web)
    plain = json.loads(web.client.http.get(path, headers=MACHINE).body)
    assert plain == dict.fromkeys(plain) | {"kind": "choose_store"}
    status, got = web.locate(path, {"latitude": 23.4, "longitude": 113.93})
    assert (status, got["kind"], got["store_id"], got["staff_id"]) == (200, "staff", "B", "b")
    assert got["qr_url"].startswith("https://") and list(got) == list(plain)
    assert web.locate(path, {"latitude": 23.3, "longitude": 113.93}) == (200, got)  # by the cookie
    moved = web.locate(path, {"latitude": 22.5, "longitude": 113.93})[1]
    assert moved["store_id"] == "A" and moved["assignment_id"] != got["assignment_id"]
    assert web.locate(path, {"store_id": "A"})[1]["store_id"] == "A"
    again = web.client.http.get(path, headers={**MACHINE, "Cookie": web.cookie})
    assert json.loads(again.body)["store_id"] == "A"


def test_everything_behind_a_printed_code_may_change_even_its_kind(web: Web) -> None:
    store(web, "A")
    path = code(web)
    live_code_id = "lc_" + path[3:]
    assert web.locate(path, {"store_id": "A"})[1]["staff_id"] == "a"
    web.cookie = ""
    change = {"kind": "staff", "stores": None, "assignment": {"members": [{"staff_id": "lihua"}]}}
    status, told = web.api("PATCH", f"/api/live-codes/{live_code_id}", change)
    assert (status, told.get("kind")) == (200, "staff"), told
    assert json.loads(web.client.http.get(path, headers=MACHINE).body)["staff_id"] == "lihua"
    listed = web.api("GET", f"/api/assignments?live_code_id={live_code_id}", None)[1]["items"]
    assert {row["staff_id"] for row in listed} == {"lihua", "a"}  # also what it gave as another kind
    native = {"printing": "native"}
    assert web.api("PATCH", f"/api/live-codes/{live_code_id}", native)[0] == 200
    status, told = web.api("PATCH", f"/api/live-codes/{live_code_id}", {"kind": "nearest_store"})
    assert status == 422 and told["errors"][0]["field"] == "kind"


NO_PLACES: list[tuple[Any, int, str | None]] = [
    ({}, 422, "latitude"),
    ({"latitude": 22.5}, 422, "longitude"),
    ({"longitude": 113.9, "latitude": None}, 422, "latitude"),
    ({"latitude": 90.01, "longitude": 0}, 422, "latitude"),
    ({"latitude": 0, "longitude": -180.1}, 422, "longitude"),
    ({"latitude": "NaN", "longitude": 0}, 422, "latitude"),
    ({"latitude": True, "longitude": 0}, 422, "latitude"),
    ({"latitude": 1, "longitude": 1, "datum": "bd09"}, 422, "datum"),
    ({"store_id": "NONE"}, 422, "store_id"),
    ({"store_id": "B"}, 422, "store_id"),
    ({"store_id": ""}, 422, "store_id"),
    ({"store_id": "x" * 3000}, 422, "store_id"),
    (b'{"latitude": NaN, "longitude": 0}', 400, None),
]


def test_no_place_is_refused_by_its_field(web: Web) -> None:
    store(web, "A")
    store(web, "B")
    path = code(web, stores={"store_ids": ["A"]})
    for body, status, field in NO_PLACES:
        got, told = web.locate(path, body)
        assert got == status, (body, told)
        assert [e["field"] for e in told.get("errors", [])] == ([field] if field else []), body
    assert web.cookie == ""


def test_the_definition_is_checked(web: Web) -> None:
    base = {"name": "x", "kind": "nearest_store"}
    for stores, field in (
        ({"store_ids": []}, "stores.store_ids"),
        ({"store_ids": ["A", "A"]}, "stores.store_ids[1]"),
        ({"radius_m": 5}, "stores.radius_m"),
    ):
        status, told = web.api("POST", "/api/live-codes", base | {"stores": stores})
        assert (status, [e["field"] for e in told["errors"]]) == (422, [field])
    members = {"members": [{"staff_id": "a"}]}
    status, told = web.api("POST", "/api/live-codes", {"name": "x", "stores": {}, "assignment": members})
    assert (status, [e["field"] for e in told["errors"]]) == (422, ["stores"])


def test_the_page_asks_first_and_then_shows_the_guide_again_and_again(web: Web) -> None:
    store(web, "A", name=f"南山{EVIL}")
    path = code(web)
    status, page, headers = web.get(path)
    assert status == 200 and "定位附近门店" in page
    policy = headers["Content-Security-Policy"]
    assert "script-src 'sha256-" in policy and "connect-src 'self'" in policy
    assert EVIL not in page and page.count("<script>") == 1
    assert web.cookie == ""
    link = unescape(next(iter(re.findall(r'href="(\?store_id=[^"]+)"', page))))
    for _ in range(2):  # reloaded, it is the same reservation
        status, guide, headers = web.get(path + link)
        assert status == 200 and "长按识别二维码" in guide and "南山" in guide and EVIL not in guide
        assert "script" not in headers["Content-Security-Policy"]
    before = web.cookie
    assert "长按识别二维码" in web.get(path)[1] and web.cookie == before
    assert "选择门店" in web.get(path + "?choose=1")[1]
    assert "选择门店" in web.get(path + "?store_id=GONE")[1]


def test_the_distance_is_shown(web: Web) -> None:
    store(web, "A", latitude=22.55)
    store(web, "FAR", latitude=22.65)
    path = code(web, stores={"store_ids": ["A"]})
    web.locate(path, {"latitude": 22.5499, "longitude": 113.93, "datum": "gcj02"})
    assert "A店 <i>· 11 m</i>" in web.get(path)[1]
    web.cookie, path = "", code(web, stores={"store_ids": ["FAR"]})
    web.locate(path, {"latitude": 22.54, "longitude": 113.93})
    assert "FAR店 <i>· 12.2 km</i>" in web.get(path)[1]


def test_two_thousand_stores_city_by_city(large_web: Web) -> None:
    """Each page under 30 KB (asserted in `get`), also with the longest names; each store can be reached."""
    web, long = large_web, "名" * 44
    rows = [
        f"S{n:04},{long}{n:04},22.{n:04},113.9,城市{n % 150:03},{'地址' * 30},guide{n}" for n in range(1999)
    ]
    rows.append("LONE,独店,30,110,独城,,lone")
    table = "\n".join(["store_id,name,latitude,longitude,city,address,staff_ids", *rows])
    assert web.api("POST", "/api/stores/import", {"csv": table})[1]["imported"] == 2000
    path, cities, page = code(web), set(), ""
    for number in range(1, 30):
        status, page, _ = web.get(f"{path}?choose=1&page={number}")
        found = re.findall(r'href="\?city=([^"]+)"', page)
        assert status == 200
        if not set(found) - cities:
            break
        cities |= set(found)
    assert len(cities) == 151
    stores: set[str] = set()
    for city in (quote("城市003"), quote("独城")):
        status, page, _ = web.get(f"{path}?city={city}")
        stores |= set(re.findall(r"store_id=([A-Z0-9]+)", page))
    assert len(stores) == 15 and "LONE" in stores
    _, page, _ = web.get(f"{path}?q={quote('名')}&page=84")
    assert len(re.findall('href="[?]store_id=', page)) == 1999 - 83 * 24
    assert "没有找到相关门店" in web.get(f"{path}?q=%3Cscript%3E")[1]
    assert "没有找到相关门店" in web.get(f"{path}?city=nowhere&page=99999")[1]
    _, page, _ = web.get(path)
    assert page.count("<li>") > 50 and "城市000" in page


def test_only_stores_with_somebody_and_of_the_code_are_to_choose(web: Web) -> None:
    for store_id in ("A", "B", "C"):
        store(web, store_id, **({"staff_ids": []} if store_id == "C" else {}))
    store(web, "SHUT", status="closed")
    path = code(web, stores={"store_ids": ["A", "C", "SHUT"]})
    page = web.get(path)[1]
    assert set(re.findall(r"store_id=(\w+)", page)) == {"A", "SHUT"}
    assert "休息中" in page


def test_what_the_link_told_goes_with_the_choice_of_a_store(web: Web) -> None:
    for number in range(13):
        store(web, f"S{number:02}")
    path = code(web)
    page = web.get(path + "?via=website&ad=maABC&x=1")[1]
    assert '<input type="hidden" name="ad" value="maABC">' in page  # of the search
    for text in ("store_id=S01", "choose=1", "store_id=S02"):
        (href, *_) = [unescape(h) for h in re.findall(r'href="([^"]+)"', page) if text in h]
        assert "via=website" in href and "ad=maABC" in href and "x=1" not in href
        page = web.get(path + href)[1]
    assert [row.origin for row in AssignmentItem.scan()] == [{"via": "website", "ad": "maABC"}] * 2


def test_what_is_closed_and_what_is_unknown(web: Web) -> None:
    path = code(web, schedule={"from": None, "until": "2020-01-01T00:00:00+08:00"})
    assert "活动已结束" in web.get(path)[1]
    assert "活动已结束" in web.get(path + "?choose=1")[1]
    assert web.get("/s/nothere2?choose=1")[0] == 404
    assert "没有找到相关门店" in web.get(code(web))[1]


def test_rebuild_is_a_job(web: Web, sent: list[Any]) -> None:
    status, told = web.api("POST", "/api/stores/rebuild", {})
    assert status == 202 and {"job_id", "status", "done", "total"} <= set(told)
    assert ("assign", {"kind": "store_map", "job_id": told["job_id"]}, None) in sent
