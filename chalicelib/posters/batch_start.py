"""What a batch is asked for: whose posters, checked against what there is before anything begins."""

from collections.abc import Iterator
from typing import Any

import msgspec

from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import ids
from chalicelib.platform.errors import Invalid
from chalicelib.posters import batch_state, rules
from chalicelib.posters.types import MAX_POSTERS, NewPosterBatch
from chalicelib.stores import service as stores


def start(wanted: NewPosterBatch) -> dict[str, Any]:
    """Begin a batch: its job, `{"job_id","status","done","total"}`. Invalid, NotFound."""
    request: dict[str, Any] = {**msgspec.to_builtins(wanted), "ids": _ids(wanted)}
    for avatar in wanted.avatars.values():
        if not rules.is_avatar(avatar):
            raise Invalid(("avatars", "must be https addresses at " + ", ".join(sorted(rules.AVATAR_HOSTS))))
    total, job_id = len(request["ids"]), f"job_{ids.short(16)}"
    batch_state.begin(job_id, request, total)
    return {"job_id": job_id, "status": "running", "done": 0, "total": total}


def _ids(wanted: NewPosterBatch) -> list[str]:
    """Of each poster what makes it another: a live code's, a guide's or a store's id. Invalid, NotFound."""
    if (wanted.live_code_ids is None) == (wanted.live_code_id is None):
        raise Invalid(("live_code_ids", "either live_code_ids, or live_code_id with staff_ids or store_ids"))
    if wanted.live_code_ids is not None:
        if wanted.staff_ids is not None or wanted.store_ids is not None:
            raise Invalid(("live_code_ids", "staff_ids and store_ids go with live_code_id"))
        return _known_codes(wanted.live_code_ids)
    code = livecodes.get(str(wanted.live_code_id))
    if (wanted.staff_ids is None) == (wanted.store_ids is None):
        raise Invalid(("staff_ids", "either staff_ids or store_ids"))
    if code.native:
        raise Invalid(
            ("live_code_id", "is a native code: it has one poster, not one for each guide or store")
        )
    if wanted.staff_ids is not None:
        return _known_staff(code, wanted.staff_ids)
    return _known_stores(code, wanted.store_ids or "all")


def _known_codes(wanted: list[str]) -> list[str]:
    found = livecodes.get_many(wanted)
    wrong = []
    for number, live_code_id in enumerate(wanted):
        if live_code_id not in found:
            wrong.append((f"live_code_ids[{number}]", "there is no such live code"))
        elif found[live_code_id].native:
            wrong.append((f"live_code_ids[{number}]", "is a native code: ask for its own poster"))
    if wrong:
        raise Invalid(*wrong[:20])
    return list(dict.fromkeys(wanted))


def _known_staff(code: LiveCode, wanted: list[str] | str) -> list[str]:
    there = list(code.rule.staff_ids)
    if wanted == "all":
        if not there:
            raise Invalid(("staff_ids", "there is nobody in this live code"))
        return there
    wrong = [
        (f"staff_ids[{n}]", "is not in this live code") for n, one in enumerate(wanted) if one not in there
    ]
    if wrong:
        raise Invalid(*wrong[:20])
    return list(dict.fromkeys(wanted))


def _known_stores(code: LiveCode, wanted: list[str] | str) -> list[str]:
    if code.definition["kind"] != "nearest_store":
        raise Invalid(("store_ids", "only for a live code of kind nearest_store"))
    own = (code.definition.get("stores") or {}).get("store_ids")
    if wanted == "all":
        found = list(own) if own is not None else list(_all_stores())
        if not found:
            raise Invalid(("store_ids", "there is no store"))
        if len(found) > MAX_POSTERS:
            raise Invalid(("store_ids", f"more than {MAX_POSTERS} stores: name some of them"))
        return found
    known = stores.several(list(dict.fromkeys(wanted)))
    allowed = set(known) if own is None else set(known) & set(own)
    wrong = [
        (f"store_ids[{n}]", "is not in this live code") for n, s in enumerate(wanted) if s not in allowed
    ]
    if wrong:
        raise Invalid(*wrong[:20])
    return list(dict.fromkeys(wanted))


def _all_stores() -> Iterator[str]:
    """Ids of the stores, up to one more than a batch takes."""
    cursor, count = None, 0
    while count <= MAX_POSTERS:
        found, cursor = stores.page(200, cursor)
        count += len(found)
        yield from (str(store["store_id"]) for store in found)
        if cursor is None:
            return
