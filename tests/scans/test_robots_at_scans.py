"""Robots, previews, prefetches and HEAD get the page, and reserve and count nothing."""

import io
import re
from html import unescape
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from chalicelib.assignments import caps
from chalicelib.assignments.models import TOTAL, AssignmentItem, member_key
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes import tickets
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.timeline import TimelineItem
from chalicelib.stores import service as stores
from chalicelib.stores.types import NewStore
from tests.platform.test_robots import PHONES
from tests.support import print_world
from tests.support.phones import BROWSER, MACHINE, ask
from tests.support.scan_support import DAY, FakeWeCom, definition, requests

ROBOTS = [
    {"User-Agent": "facebookexternalhit/1.1"},
    {"User-Agent": "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)"},
    {"User-Agent": PHONES["WeChat, Android"], "Purpose": "prefetch"},
    {"User-Agent": PHONES["Safari"], "Sec-Purpose": "prefetch;prerender"},
]
READS = {"GetItem", "BatchGetItem", "Query"}


def capped() -> LiveCode:
    """Two guides with one place each, so that the third scan finds nobody."""
    return livecodes.create(
        definition({"staff_id": "a", "daily_cap": 1}, {"staff_id": "b", "daily_cap": 1}, name="门店")
    )


def nothing_is_counted(code: LiveCode) -> None:
    assert tickets.next_ticket(code.live_code_id) == 1
    keys = [(member_key(code.live_code_id, who), period) for who in "ab" for period in (DAY, TOTAL)]
    assert caps.read(keys) == {}
    assert list(AssignmentItem.scan()) == []
    assert [line for line in TimelineItem.scan() if line.subject.startswith("scan#")] == []


def test_four_robots_at_a_code_for_two_leave_it_to_two_people(wecom: FakeWeCom) -> None:
    code = capped()
    for robot in ROBOTS:
        page = ask(f"/s/{code.code}", {**BROWSER, **robot})
        assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
        assert "Set-Cookie" not in page.headers
        told = ask(f"/s/{code.code}", {**MACHINE, **robot}).json()
        assert told["assignment_id"] is None and told["expires_at"] is None
        assert (told["kind"], told["staff_id"] in "ab") == ("staff", True) and told["qr_url"]
    nothing_is_counted(code)
    people = [ask(f"/s/{code.code}").json() for _ in range(3)]
    assert sorted(str(got["staff_id"]) for got in people[:2]) == ["a", "b"]
    assert people[2]["kind"] == "closed"


@pytest.mark.parametrize("headers", [BROWSER, MACHINE])
def test_head_is_the_pages_head_and_counts_nothing(wecom: FakeWeCom, headers: dict[str, str]) -> None:
    code = capped()
    seen = ask(f"/s/{code.code}", headers, method="HEAD")
    assert (seen.status, seen.text) == (200, "")
    assert (
        seen.headers["Content-Type"]
        == ask(f"/s/{code.code}", {**headers, **ROBOTS[0]}).headers["Content-Type"]
    )
    assert ask("/s/nothere2", headers, method="HEAD").status == 404
    nothing_is_counted(code)


@pytest.mark.parametrize("kind", ["staff", "native", "nearest_store"])
def test_a_robot_writes_nothing_anywhere(wecom: FakeWeCom, kind: str) -> None:
    rest: dict[str, Any] = {"kind": kind, "stores": {}} if kind == "nearest_store" else {}
    rest = {"printing": "native"} if kind == "native" else rest
    store = NewStore(store_id="sz1", name="南山店", latitude=22.5, longitude=113.9, staff_ids=["s1", "s2"])
    stores.create(store, SYSTEM)
    code = livecodes.create(definition({"staff_id": "a"}, {"staff_id": "b"}, **rest))
    asks: list[dict[str, Any]] = [{"path": f"/s/{code.code}"}, {"path": f"/s/{code.code}?store_id=sz1"}]
    place = {"latitude": 22.5, "longitude": 113.9}
    asks += [{"path": f"/s/{code.code}/location", "method": "POST", "body": place}]
    for each in asks:  # the ways of those who are shown are there now
        assert ask(headers={**MACHINE, **ROBOTS[0]}, **each).status == 200
    asked = requests()
    for each in asks:
        for robot in ROBOTS:
            told = ask(headers={**MACHINE, **robot}, **each).json()
            assert told["assignment_id"] is None
            wanted = each["path"].endswith(code.code) and kind == "nearest_store"
            assert told["kind"] == ("choose_store" if wanted else "staff")
            if kind == "nearest_store" and not wanted:
                assert told["store_id"] == "sz1" and told["staff_id"] in ("s1", "s2")
    assert set(asked) <= READS
    nothing_is_counted(code)


def test_a_robot_does_not_use_up_a_card_for_one(wecom: FakeWeCom, bucket: str) -> None:
    run = print_world.a_run(use="single")
    token = print_world.token(run, 1)
    for robot in ROBOTS:
        assert ask(f"/s/{token}", {**MACHINE, **robot}).json()["assignment_id"] is None
    first = ask(f"/s/{token}")
    assert first.json()["assignment_id"]
    assert ask(f"/s/{token}").json()["kind"] == "closed"  # somebody else's now
    assert ask(f"/s/{token}", {**MACHINE, "Cookie": first.cookie}).json() == first.json()


def test_a_prefetch_of_somebody_known_shows_their_own_guide(wecom: FakeWeCom) -> None:
    code = livecodes.create(definition(*({"staff_id": f"s{n}"} for n in range(6))))
    first = ask(f"/s/{code.code}")
    for robot in ROBOTS[2:]:
        again = ask(f"/s/{code.code}", {**MACHINE, **robot, "Cookie": first.cookie})
        assert again.json() == first.json()


def test_a_robot_at_a_closed_code_is_told_so(wecom: FakeWeCom) -> None:
    code = capped()
    livecodes.archive(code.live_code_id)
    assert ask(f"/s/{code.code}", {**MACHINE, **ROBOTS[0]}).json()["kind"] == "closed"
    assert "活动已结束" in ask(f"/s/{code.code}", {**BROWSER, **ROBOTS[0]}).text
    assert ask("/s/nothere2", {**BROWSER, **ROBOTS[0]}).status == 404


def test_a_preview_has_a_title_a_text_and_a_picture_of_the_link(wecom: FakeWeCom) -> None:
    code = capped()
    page = ask(f"/s/{code.code}?via=website", {**BROWSER, **ROBOTS[0]}).text
    metas = dict(re.findall(r'<meta (?:property|name)="([^"]+)" content="([^"]*)"', page))
    assert (
        metas["og:title"] == "添加您的专属顾问"
        and "一对一" in metas["og:description"] == metas["description"]
    )
    picture = unescape(metas["og:image"])
    assert picture.startswith(f"http://127.0.0.1:8000/s/{code.code}/qr.png")
    drawn = ask(picture.removeprefix("http://127.0.0.1:8000"), {"Accept": "image/*"})
    assert (drawn.status, drawn.headers["Content-Type"]) == (200, "image/png")
    image = Image.open(io.BytesIO(drawn.body))
    assert image.width == image.height >= 300  # what chats want of a picture
    assert zxingcpp.read_barcode(image.convert("L")).text == f"{code.url}?via=preview"
