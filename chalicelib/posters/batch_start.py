"""What a batch is asked for: whose posters, checked against what there is before anything begins."""

from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from chalicelib.livecodes import poster_links
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import ids, jobs
from chalicelib.platform.errors import Invalid, Issue, NotFound, issue
from chalicelib.platform.jobs import Job
from chalicelib.platform.principal import Principal
from chalicelib.posters import batch_state, rules, template_store
from chalicelib.posters.types import MAX_POSTERS, NewPosterBatch
from chalicelib.staff import service as staff
from chalicelib.stores import service as stores

_MAX_ISSUES = 20


def start(wanted: NewPosterBatch, principal: Principal) -> Job:
    """Have many posters made. Invalid; NotFound, also for a live code outside of the scope."""
    issues = _check_template(wanted.template)
    if not all(map(rules.is_avatar, wanted.avatars.values())):
        issues.append(issue("avatars", "picture_host", hosts=sorted(rules.AVATAR_HOSTS)))
    poster_ids, wrong_ids = _select_ids(wanted, principal)
    if issues := issues + wrong_ids[:_MAX_ISSUES]:
        raise Invalid(*issues)
    request: dict[str, Any] = {**msgspec.to_builtins(wanted), "ids": poster_ids}
    job_id = f"job_{ids.short(16)}"
    batch_state.begin(job_id, request, len(poster_ids), _sign_links(wanted, poster_ids, principal))
    return jobs.get(job_id)


def _sign_links(wanted: NewPosterBatch, owner_ids: Sequence[str], principal: Principal) -> dict[str, str]:
    """What each guide's or store's poster holds: signed here, since who draws has no key."""
    if wanted.live_code_id is None:
        return {}
    code = livecodes.get(wanted.live_code_id, principal)
    kind: poster_links.Kind = "guide" if wanted.staff_ids is not None else "store"
    return {owner_id: poster_links.url(code, kind, owner_id) for owner_id in owner_ids}


def _check_template(template_id: str) -> list[Issue]:
    try:
        template_store.get_design(template_id)
    except NotFound:
        return [issue("template", "no_such_poster_template", template_id=template_id)]
    return []


def _select_ids(wanted: NewPosterBatch, principal: Principal) -> tuple[list[str], list[Issue]]:
    """Of each poster what makes it another: a live code's, a guide's or a store's id. NotFound."""
    if (wanted.live_code_ids is None) == (wanted.live_code_id is None):
        return [], [issue("live_code_ids", "one_of_fields", fields=["live_code_ids", "live_code_id"])]
    if wanted.live_code_ids is not None:
        if wanted.staff_ids is not None or wanted.store_ids is not None:
            field = "staff_ids" if wanted.staff_ids is not None else "store_ids"
            return [], [issue(field, "only_with", other="live_code_id")]
        return _select_codes(wanted.live_code_ids, principal)
    code = livecodes.get(str(wanted.live_code_id), principal)
    if (wanted.staff_ids is None) == (wanted.store_ids is None):
        return [], [issue("staff_ids", "one_of_fields", fields=["staff_ids", "store_ids"])]
    if code.native:
        return [], [issue("live_code_id", "native_has_one_poster")]
    if wanted.staff_ids is not None:
        return _select_staff(code, wanted.staff_ids, principal)
    return _select_stores(code, wanted.store_ids or "all", principal)


def _select_codes(wanted: Sequence[str], principal: Principal) -> tuple[list[str], list[Issue]]:
    codes = livecodes.get_many(wanted, principal)
    issues = []
    for number, live_code_id in enumerate(wanted):
        if live_code_id not in codes:
            issues.append(issue(f"live_code_ids[{number}]", "not_found"))
        elif codes[live_code_id].native:
            issues.append(issue(f"live_code_ids[{number}]", "native_has_one_poster"))
    return list(dict.fromkeys(wanted)), issues


def _select_staff(
    code: LiveCode, wanted: Sequence[str], principal: Principal
) -> tuple[list[str], list[Issue]]:
    """`all`: of the code's staff those in the scope."""
    guides = stores.guides_in_scope(principal)
    there = [staff_id for staff_id in code.rule.staff_ids if guides is None or staff_id in guides]
    if wanted == "all":
        return there, _check_names(there) if there else [issue("staff_ids", "no_staff_in_code")]
    chosen = list(dict.fromkeys(wanted))
    return chosen, _check_known("staff_ids", wanted, there) or _check_names(chosen)


def _select_stores(
    code: LiveCode, wanted: Sequence[str], principal: Principal
) -> tuple[list[str], list[Issue]]:
    """`all`: of the code's stores those in the scope."""
    if code.kind != "nearest_store":
        return [], [issue("store_ids", "only_for_nearest_store")]
    own = (code.definition.get("stores") or {}).get("store_ids")
    in_scope = stores.stores_in_scope(principal)
    known = stores.ids() if own is None else stores.find_many(own)
    ordered = (
        known if own is None else [store_id for store_id in own if store_id in known]
    )  # as the code has them
    there = [store_id for store_id in ordered if in_scope is None or store_id in in_scope]
    if wanted != "all":
        return list(dict.fromkeys(wanted)), _check_known("store_ids", wanted, there)
    if not there:
        return [], [issue("store_ids", "no_store")]
    if len(there) > MAX_POSTERS:
        return [], [issue("store_ids", "too_many_stores", maximum=MAX_POSTERS)]
    return there, []


def _check_names(chosen: Sequence[str]) -> list[Issue]:
    """An id is never printed: who has no name yet has no poster."""
    named = staff.ask_names(chosen)
    return [
        issue(f"staff_ids[{number}]", "no_name_to_print", staff_id=staff_id)
        for number, staff_id in enumerate(chosen)
        if staff_id not in named
    ]


def _check_known(field: str, wanted: Sequence[str], known: Collection[str]) -> list[Issue]:
    return [
        issue(f"{field}[{number}]", "not_in_live_code")
        for number, wanted_id in enumerate(wanted)
        if wanted_id not in known
    ]
