"""New reservations of one address are limited: exactly, cheaply, and nobody is left with nobody."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.contactways import service as contactways
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes import tickets
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import clock, storage
from chalicelib.platform.principal import SYSTEM
from chalicelib.scans import address_limit
from chalicelib.scans.address_limit import Admission, OverLimit
from chalicelib.scans.models import ScanAddressItem
from chalicelib.stores import service as stores
from chalicelib.stores.types import NewStore
from tests.support import print_world
from tests.support.phones import BROWSER, MACHINE, ask
from tests.support.scan_support import NOON, FakeWeCom, definition, listed, new_process, requests

At = Callable[[datetime], None]
OURS, OTHERS = "203.0.113.7", "203.0.113.8"


def code_of_two(**rest: Any) -> LiveCode:
    given = {"fallback": ("help",), **rest}
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 75}, {"staff_id": "b"}, **given))
    for staff_id in code.rule.staff_ids:  # as the work does that a new code asks for
        contactways.make_ahead(code.live_code_id, staff_id)
    return code


def test_150_scans_of_one_address_take_60_places_and_all_are_shown_a_guide(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of_two()
    seen = [ask(f"/s/{code.code}") for _ in range(150)]
    assert [answer.status for answer in seen] == [200] * 60 + [429] * 90
    assert all(answer.json()["qr_url"] and answer.json()["kind"] == "staff" for answer in seen)
    over = seen[60].json()
    assert (over["assignment_id"], over["expires_at"], over["staff_id"]) == (None, None, "help")
    assert seen[60].headers["Retry-After"] == "600" and "Set-Cookie" not in seen[60].headers
    assert len(listed(code.live_code_id, 200)[0]) == 60
    assert tickets.next_ticket(code.live_code_id) == 62  # the process knew from the 61st on
    page = ask(f"/s/{code.code}", BROWSER)
    assert page.status == 429 and "长按识别二维码" in page.text and page.headers["Retry-After"] == "600"
    assert ask(f"/s/{code.code}", address=OTHERS).status == 200
    spoofed = {**MACHINE, "X-Forwarded-For": "198.51.100.1", "X-Real-Ip": "198.51.100.1"}
    assert ask(f"/s/{code.code}", spoofed).status == 429
    at(NOON + timedelta(minutes=4))
    assert ask(f"/s/{code.code}").headers["Retry-After"] == "360"
    at(NOON + timedelta(minutes=10))
    assert ask(f"/s/{code.code}").status == 200


def test_who_is_known_gets_their_own_and_is_not_counted(wecom: FakeWeCom) -> None:
    code = code_of_two()
    first = ask(f"/s/{code.code}")
    again = [ask(f"/s/{code.code}", {**MACHINE, "Cookie": first.cookie}) for _ in range(80)]
    assert all(answer.json() == first.json() for answer in again)
    for _ in range(60):
        ask(f"/s/{code.code}")
    assert ask(f"/s/{code.code}").status == 429
    assert ask(f"/s/{code.code}", {**MACHINE, "Cookie": first.cookie}).json() == first.json()


def test_the_limit_and_its_window_are_settings(
    wecom: FakeWeCom, at: At, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "2")
    monkeypatch.setenv("SCAN_NEW_WINDOW", "PT1M")
    code = code_of_two()
    assert [ask(f"/s/{code.code}").status for _ in range(3)] == [200, 200, 429]
    assert ask(f"/s/{code.code}").headers["Retry-After"] == "60"
    at(NOON + timedelta(minutes=1))
    assert ask(f"/s/{code.code}").status == 200
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "0")
    assert {ask(f"/s/{code.code}").status for _ in range(5)} == {200}
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "")  # empty is absent
    assert {ask(f"/s/{code.code}").status for _ in range(5)} == {200}


def test_codes_share_the_limit_and_those_that_reserve_nothing_are_free(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "2")
    one, two, closed = code_of_two(), code_of_two(), code_of_two()
    native = code_of_two(printing="native")
    livecodes.archive(closed.live_code_id)
    for code, kind in ((closed, "closed"), (native, "staff")) * 3:
        assert (ask(f"/s/{code.code}").status, ask(f"/s/{code.code}").json()["kind"]) == (200, kind)
    assert [ask(f"/s/{code.code}").status for code in (one, two, one)] == [200, 200, 429]
    for code, kind in ((closed, "closed"), (native, "staff")):
        assert (ask(f"/s/{code.code}").status, ask(f"/s/{code.code}").json()["kind"]) == (200, kind)


def test_the_door_of_a_place_is_limited_too(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "2")
    place = {"latitude": 22.5, "longitude": 113.9}
    stores.create(NewStore(store_id="sz1", name="南山店", staff_ids=["s1"], **place), SYSTEM)  # type: ignore[arg-type]
    code = livecodes.create(definition({"staff_id": "a"}, kind="nearest_store", stores={}))
    path = f"/s/{code.code}"
    assert {ask(path).json()["kind"] for _ in range(4)} == {"choose_store"}
    seen = [ask(f"{path}/location", method="POST", body=place) for _ in range(4)]
    assert [answer.status for answer in seen] == [200, 200, 429, 429]
    got = seen[3].json()
    assert (got["assignment_id"], got["staff_id"], got["store_id"]) == (None, "s1", "sz1")
    asked = requests()
    chosen = ask(f"{path}?store_id=sz1", BROWSER)
    assert chosen.status == 429 and "南山店" in chosen.text
    assert not {"UpdateItem", "PutItem", "TransactWriteItems"} & set(asked)
    assert ask(path, BROWSER).status == 200  # where to choose
    assert len(listed(code.live_code_id)[0]) == 2


def test_over_the_limit_a_card_for_one_is_not_used_up(
    wecom: FakeWeCom, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "1")
    run = print_world.a_run(use="single")
    first, second = (print_world.token(run, number) for number in (1, 2))
    assert [ask(f"/s/{card}").status for card in (first, second)] == [200, 429]
    assert ask(f"/s/{second}", address=OTHERS).json()["assignment_id"]


def test_when_all_are_full_over_the_limit_is_closed_like_for_everybody(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "3")
    code = livecodes.create(definition({"staff_id": "a", "daily_cap": 1}))
    assert ask(f"/s/{code.code}").status == 200
    for _ in range(5):
        new_process()  # it has to try the place anew to see that it is taken
        seen = ask(f"/s/{code.code}")
        assert (seen.status, seen.json()["kind"]) == (200, "closed")
    (row,) = ScanAddressItem.scan()
    assert row.taken == 1  # whoever got nothing is not counted
    other = code_of_two()
    assert [ask(f"/s/{other.code}").status for _ in range(3)] == [200, 200, 429]
    closed = ask(f"/s/{code.code}")
    assert (closed.status, closed.json()["kind"]) == (200, "closed")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.7", "203.0.113.7", True),
        ("203.0.113.7", "203.0.113.8", False),
        ("2001:DB8:1:2::1", "2001:db8:1:2::1", True),
        ("", "", True),
        ("unknown", "203.0.113.8", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (address_limit.group_of(one) == address_limit.group_of(other)) is same


def test_only_a_salted_hash_of_the_address_is_stored_and_not_for_long(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of_two()
    ask(f"/s/{code.code}", address="2001:db8:1:2::77")
    (row,) = ScanAddressItem.scan()
    assert len(row.address) == 20 and "2001:db8" not in row.address and "20010db8" not in row.address
    assert row.expires_at == NOON.timestamp() + 600
    monkeypatch.setenv("SCAN_ADDRESS_SALT", "another stack's")
    ask(f"/s/{code.code}", address="2001:db8:1:2::77")
    assert len(list(ScanAddressItem.scan())) == 2


def test_it_costs_a_scan_one_request_and_an_address_over_it_no_write(wecom: FakeWeCom) -> None:
    code = code_of_two()
    for _ in range(20):
        ask(f"/s/{code.code}")
    asked = requests()
    ask(f"/s/{code.code}")
    assert Counter(asked) == {"UpdateItem": 2, "TransactWriteItems": 1}
    for _ in range(60):
        ask(f"/s/{code.code}")
    del asked[:]
    assert ask(f"/s/{code.code}").status == 429
    assert set(asked) <= {"GetItem", "BatchGetItem"} and len(asked) <= 4


def test_without_the_count_nobody_is_refused(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch, logged: Any
) -> None:
    code = code_of_two()
    monkeypatch.setenv("SCAN_NEW_WINDOW", "ten minutes")
    assert ask(f"/s/{code.code}").json()["assignment_id"]
    assert "not counted" in logged.getvalue()


def test_a_count_that_nobody_gets_at_shows_a_guide_without_a_reservation(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = code_of_two()

    def busy(*_: Any) -> bool:
        raise storage.Busy(code="busy")

    honest = storage.update_if
    monkeypatch.setattr(
        address_limit.storage, "update_if",
        lambda item, *rest: busy() if isinstance(item, ScanAddressItem) else honest(item, *rest),
    )  # fmt: skip
    seen = ask(f"/s/{code.code}")
    assert (seen.status, seen.headers["Retry-After"], seen.json()["staff_id"]) == (429, "1", "help")


def test_an_answer_that_is_lost_counts_twice_at_most(
    wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCAN_NEW_PER_ADDRESS", "3")
    honest, lost = storage.update_if, iter((True,))

    def lossy(item: Any, *rest: Any) -> bool:
        done = honest(item, *rest)
        if isinstance(item, ScanAddressItem) and next(lost, False):
            raise storage.Unsure(code="answer_lost")
        return done

    monkeypatch.setattr(address_limit.storage, "update_if", lossy)
    code = code_of_two()
    assert [ask(f"/s/{code.code}").status for _ in range(3)] == [200, 200, 429]


@pytest.fixture
def crowd(engine: str, at: At) -> Iterator[None]:
    address_limit.forget()
    at(NOON)
    yield
    address_limit.forget()


@pytest.mark.slow
@pytest.mark.parametrize("forgetful", [True, False])
def test_the_count_is_exact_for_as_many_processes_as_there_are(
    crowd: None, monkeypatch: pytest.MonkeyPatch, forgetful: bool, at: At
) -> None:
    """600 scans over 24 threads; forgetful: each of them in a process that knows nothing yet."""
    kept: dict[str, int] = {}
    monkeypatch.setattr(address_limit, "_over", kept)
    if forgetful:
        monkeypatch.setattr(address_limit, "_remember", lambda *_: None)

    def admitted(number: int) -> bool:
        try:
            Admission(OURS if number % 2 else f"198.51.100.{number % 5}")()
        except OverLimit:
            return False
        return True

    def run() -> Counter[tuple[int, bool]]:
        with ThreadPoolExecutor(24) as pool:
            return Counter(zip((n % 2 for n in range(600)), pool.map(admitted, range(600)), strict=True))

    counted = run()
    assert counted == {(1, True): 60, (1, False): 240, (0, True): 300}
    assert {int(row.taken) for row in ScanAddressItem.scan()} == {60}
    at(clock.now() + timedelta(minutes=11))  # and in the next window, whose first ones race for it
    assert run() == counted
