"""Lists of assignments: of all codes, a guide, a code, a status, page by page, newest first."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.assignments import confirmation, history
from chalicelib.assignments.types import AssignmentOut, AssignmentsQuery
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import lists
from chalicelib.platform.errors import Invalid, NotFound
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.scans import service as scan_service
from tests.support.scan_support import NOON, FakeWeCom, definition, new_process, requests

At = Callable[[datetime], None]
LAST_MONTH = NOON - timedelta(days=30)


@pytest.fixture
def wecom(tables: None, at: At, sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeWeCom]:
    new_process()
    fake = FakeWeCom()
    monkeypatch.setattr("chalicelib.wecom.client.default_client", lambda: fake)
    yield fake
    new_process()


@pytest.fixture
def made(wecom: FakeWeCom, at: At) -> list[str]:
    """Eight scans, half of them a month ago: of a code of Ann's, and of one of ann's and bob's."""
    at(LAST_MONTH)
    codes = [
        livecodes.create(definition({"staff_id": "Ann"})),
        livecodes.create(definition({"staff_id": "ann"}, {"staff_id": "bob"})),
    ]
    scans = []
    for number in range(8):
        at((LAST_MONTH if number < 4 else NOON) + timedelta(seconds=number))
        scans.append(str(scan_service.scan(codes[number % 2].code).assignment_id))
    return scans


def pages(limit: int = 3, principal: Principal = SYSTEM, **query: Any) -> list[lists.Page[AssignmentOut]]:
    found, cursor = [], None
    while not found or cursor:
        wanted = AssignmentsQuery(limit=limit, cursor=cursor, **query)
        found.append(history.list_assignments(wanted, principal))
        cursor = found[-1].next_cursor
    return found


def ids(**query: Any) -> list[str]:
    return [row.assignment_id for page in pages(**query) for row in page.items]


def test_all_codes_are_one_list_over_the_months(made: list[str]) -> None:
    assert ids() == made[::-1]
    assert [page.total for page in pages()] == [3, 6, 8]
    assert [page.total_is for page in pages()] == ["at_least", "at_least", "exact"]


def test_no_list_scans_a_table_and_none_goes_back_before_the_first_code(made: list[str]) -> None:
    asked = requests()
    assert len(ids(limit=50)) == 8
    assert set(asked) == {"Query", "BatchGetItem"}
    # the first code; this month and the last; the items; their guides by name, or as WeCom spells them
    assert len(asked) == 2 + 2 * lists.SHARDS + 1 + 2


def test_a_guide_has_those_of_all_codes_however_they_spell_the_id(made: list[str]) -> None:
    of_ann = [held for held in made if held not in ids(staff_id="bob")]
    assert ids(staff_id="ann") == ids(staff_id="ANN") == of_ann[::-1]
    assert len(of_ann) == 6 and ids(staff_id="nobody") == []


def test_a_code_and_a_guide_and_a_status(made: list[str], at: At) -> None:
    (bobs, *_) = pages(staff_id="bob", limit=1)[0].items
    both = livecodes.get(bobs.live_code_id)
    assert len(ids(live_code_id=both.live_code_id)) == 4
    assert ids(live_code_id=both.live_code_id, staff_id="BOB") == ids(staff_id="bob")
    tx = Transaction()
    confirmation.confirm(tx, both, "bob", "wm1", NOON + timedelta(seconds=9))
    tx.commit()
    assert len(ids(status="confirmed")) == 1 and len(ids(status="reserved")) == 7
    assert ids(live_code_id=both.live_code_id, status="confirmed") == ids(status="confirmed")
    (added,) = pages(status="confirmed", limit=50)[0].items
    auditor = Principal("key", "k", "k", "auditor")
    (masked,) = pages(status="confirmed", limit=50, principal=auditor)[0].items
    assert (added.external_userid, masked.external_userid) == ("wm1", "***")


def test_what_is_not_there_or_no_cursor_of_ours(made: list[str]) -> None:
    with pytest.raises(NotFound):
        ids(live_code_id="lc_nothere2")
    for cursor in ("x", "WzAsImFiYyJd", "WzAsIjAwLTEiXQ"):  # none; [0,"abc"]; [0,"00-1"]
        with pytest.raises(Invalid):
            history.list_assignments(AssignmentsQuery(cursor=cursor), SYSTEM)
