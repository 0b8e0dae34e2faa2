"""Settings of the whole corp: set as a whole, and never over another's change that was not seen."""

from typing import Any

import pytest

from chalicelib.platform import audit, corp_settings
from chalicelib.platform.corp_settings import SettingItem
from chalicelib.platform.errors import Stale
from chalicelib.platform.versions import IfMatch, etag
from tests.support.api import Api

DOORS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("/api/settings/welcome", {"text": "您好", "attachments": []}, {"text": "欢迎", "attachments": []}),
    ("/api/settings/alarms", {"roles": ["admin"]}, {"roles": []}),
    ("/api/prospects/settings", {"daily_pace": 7}, {"daily_pace": 9}),
    ("/api/brand", {"name": "山茶"}, {"name": "白茶"}),
    (
        "/api/staff/ramp",
        {"steps": [{"until_day": 7, "daily_cap": 20}]},
        {"steps": [{"until_day": 14, "daily_cap": 30}]},
    ),
]


@pytest.mark.parametrize(("path", "first", "second"), DOORS)
def test_who_sets_what_another_has_set_meanwhile_sees_it_first(
    api: Api, path: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    seen = api.raw("GET", path).headers["ETag"]
    was_set = api.raw("PUT", path, first, If_Match=seen)
    assert was_set.status_code == 200 and was_set.headers["ETag"] != seen
    now = api.raw("GET", path)
    assert (now.headers["ETag"], now.json_body) == (was_set.headers["ETag"], was_set.json_body)
    status, stale = api.put(path, second, If_Match=seen)
    assert status == 409 and stale["present"].items() >= first.items()
    assert api.get(path)[1] == now.json_body
    assert api.put(path, second, If_Match=now.headers["ETag"])[0] == 200
    assert api.put(path, first)[1].items() >= first.items()  # asked for no version: the last write wins


def test_one_of_before_there_were_versions(tables: None) -> None:
    SettingItem("welcome", value={"text": "old"}).save()
    assert corp_settings.read("welcome") == ({"text": "old"}, 0)
    assert corp_settings.save("welcome", {"text": "new"}, IfMatch(etag(0))) == 1
    with pytest.raises(Stale):
        corp_settings.save("welcome", {"text": "late"}, IfMatch(etag(0)))
    assert corp_settings.read("welcome") == ({"text": "new"}, 1)


def test_the_same_again_writes_nothing(tables: None) -> None:
    assert [corp_settings.save("welcome", {"text": "a"}) for _ in range(2)] == [1, 1]
    assert len(list(audit.AuditItem.scan())) == 1
    corp_settings.begin("welcome", {"text": "b"})
    assert corp_settings.read("welcome") == ({"text": "a"}, 1)


def test_two_set_it_at_once(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """| A, who has seen version 1 | B |
    |---|---|
    | reads 1 | |
    | | reads 1, writes 2 |
    | writes: refused, reads 2: stale | |
    """
    corp_settings.save("welcome", {"text": "a"})
    read, others = corp_settings.read, [lambda: corp_settings.save("welcome", {"text": "b"})]

    def read_then_lose(name: str) -> Any:
        kept = read(name)
        while others:
            others.pop()()
        return kept

    monkeypatch.setattr(corp_settings, "read", read_then_lose)
    with pytest.raises(Stale):
        corp_settings.save("welcome", {"text": "c"}, IfMatch(etag(1)))
    assert read("welcome") == ({"text": "b"}, 2)
