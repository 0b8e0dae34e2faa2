"""Live codes as the API shows them: one, and the list with its filters, sort and search."""

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import UNSET, UnsetType

from chalicelib.livecodes import members, service
from chalicelib.livecodes.service import LiveCode
from chalicelib.livecodes.types import CodeWarning, LiveCodeOut, LiveCodesQuery, NativeOut
from chalicelib.platform import lists
from chalicelib.platform.lists import Page
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import Principal
from chalicelib.platform.stored import read_stored

_SORTS = {"created_at": lambda code: code.created_at, "name": lambda code: code.name}


def list_codes(query: LiveCodesQuery, principal: Principal) -> Page[LiveCode]:
    """A page of the scope's codes, with an exact total. Invalid for another list's cursor."""
    return lists.whole(
        _filtered(query, principal),
        query,
        key=lambda code: code.live_code_id,
        sorts=_SORTS,
        sort=query.sort,
        texts=lambda code: (code.name, code.live_code_id, *code.tags),
    )


def _filtered(query: LiveCodesQuery, principal: Principal) -> Iterator[LiveCode]:
    partition = service.ACTIVE if query.status == "active" else service.ARCHIVED
    for code in service.read_all(partition, principal):
        if query.kind not in (None, code.kind) or query.channel not in (None, code.channel):
            continue
        if query.staff_id is None or code.rule.find(query.staff_id):
            yield code


def show_all(page: Page[LiveCode], language: Language, principal: Principal) -> Page[LiveCodeOut]:
    found = members.known(code.definition for code in page.items)
    mine = service.select_changeable(page.items, principal)
    return page.map(lambda code: show(code, language, code.live_code_id in mine, found=found))


def show_warnings(
    definition: Mapping[str, Any], found: members.Problems, language: Language
) -> list[CodeWarning]:
    """found: the problems of its people."""
    return [
        CodeWarning(field=warning.field, code=warning.code, message=warning.message(language))
        for warning in members.warnings(definition, found)
    ]


def show(
    code: LiveCode,
    language: Language,
    can_change: bool,
    native: NativeOut | UnsetType | None = UNSET,
    found: members.Problems | None = None,
) -> LiveCodeOut:
    """The code as it is answered. native: of a native code, WeCom's own code of it; None: not made yet.

    found: the problems of its people; None: those that we know of.
    """
    found = members.known([code.definition]) if found is None else found
    shown = {
        **code.definition,
        "live_code_id": code.live_code_id,
        "code": code.code,
        "url": code.url,
        "version": code.version,
        "archived": not code.active,
        "created_at": code.created_at,
        "updated_at": code.updated_at,
        "can_change": can_change,
        "warnings": show_warnings(code.definition, found, language),
    }
    return read_stored({**shown, "native": native} if native is not UNSET else shown, LiveCodeOut)
