"""How WeCom spells userids that are not in small letters. Keys fold them; what goes out is spelled so again.

Kept of those alone, as items `#spelling#<userid in small letters>`: WeCom's own spelling once it was asked,
until then the first that somebody used.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from chalicelib.platform import clock, storage
from chalicelib.platform.userids import PATTERN, fold
from chalicelib.staff.models import SpellingItem

_KEEP = timedelta(minutes=10)  # how long a process keeps one
_KEPT = 20_000
_ONE = {"staff_id", "owner", "from_staff_id", "added_by", "invitor"}  # fields that hold a userid
_SEVERAL = {
    *("staff_ids", "fallback_staff_ids", "alert_staff_ids", "listed_staff_ids", "to_staff_ids", "owners"),
    *("candidates", "off", "full", "left", "ramp", "refused"),  # of why a scan got whom it got
}
_BY_ID = {"weights", "loads"}
_known: dict[str, tuple[datetime, str]] = {}


def note_all(body: Any) -> None:
    """Keep how the userids in a request's body are spelled, of which nothing else is known."""
    given = {fold(userid): userid for userid in _userids(body) if re.match(PATTERN, userid)}
    capitals = {key: userid for key, userid in given.items() if key != userid}
    known = spell_all(capitals) if capitals else {}
    for key, userid in capitals.items():
        if known[key] == key:
            storage.put_once(SpellingItem(_key(key), userid=userid), SpellingItem.staff_id.does_not_exist())
            _keep(key, userid)


def note(userid: str) -> None:
    """Keep how WeCom spells it: that counts before any other."""
    key = fold(userid)
    if spell(key) != userid:
        SpellingItem(_key(key), userid=userid).save()
        _keep(key, userid)


def spell(staff_id: str) -> str:
    """The userid as WeCom spells it."""
    return spell_all([staff_id])[staff_id]


def spell_all(staff_ids: Iterable[str]) -> dict[str, str]:
    """All of them: of those that this process does not keep, 100 in a request."""
    now, wanted = clock.now(), set(staff_ids)
    unknown = [one for one in wanted if one not in _known or _known[one][0] <= now]
    for one, userid in _find(unknown).items():
        _keep(one, userid)
    return {one: _known[one][1] for one in wanted}


def show(body: Any) -> Any:
    """An answer's body with its userids as WeCom spells them; itself where it has none to change."""
    plain = msgspec.to_builtins(body)
    found = {userid for userid in _userids(plain) if userid == fold(userid)}
    spelled = {one: other for one, other in spell_all(found).items() if one != other} if found else {}
    return _replaced(plain, spelled) if spelled else body


def forget() -> None:
    """What a new process does not know (tests)."""
    _known.clear()


def _find(keys: Collection[str]) -> dict[str, str]:
    rows = SpellingItem.batch_get([_key(key) for key in keys]) if keys else ()
    known = {fold(row.userid): str(row.userid) for row in rows}
    return {key: known.get(key, key) for key in keys}


def _keep(key: str, userid: str) -> None:
    if len(_known) >= _KEPT:
        _known.clear()
    _known[key] = clock.now() + _KEEP, userid


def _key(key: str) -> str:
    return f"#spelling#{key}"


def _userids(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for name, part in value.items():
            if name in _ONE and isinstance(part, str) and part:
                yield part
            elif name in _SEVERAL and isinstance(part, (list, tuple)):
                yield from (each for each in part if isinstance(each, str) and each)
                yield from _userids(part)
            elif name in _BY_ID and isinstance(part, Mapping):
                yield from part
            else:
                yield from _userids(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _userids(part)


def _replaced(value: Any, spelled: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _replaced_field(name, part, spelled) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(part, spelled) for part in value]
    return value


def _replaced_field(name: str, part: Any, spelled: Mapping[str, str]) -> Any:
    if name in _ONE and isinstance(part, str):
        return spelled.get(part, part)
    if name in _SEVERAL and isinstance(part, (list, tuple)):
        return [
            spelled.get(each, each) if isinstance(each, str) else _replaced(each, spelled) for each in part
        ]
    if name in _BY_ID and isinstance(part, Mapping):
        return {spelled.get(key, key): each for key, each in part.items()}
    return _replaced(part, spelled)
