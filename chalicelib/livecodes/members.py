"""The people of a live code: whether WeCom knows them and lets them serve customers, as warnings by field."""

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from chalicelib.livecodes import checks, scope
from chalicelib.platform.errors import Invalid, Issue, issue
from chalicelib.staff import problems, spelling

Problems = Mapping[str, str]


def known(definitions: Iterable[Mapping[str, Any]]) -> Problems:
    """What we know of their people, by id: one request for 100."""
    return problems.known({staff_id for each in definitions for _, staff_id in scope.staff_of(each)})


def ask(definitions: Iterable[Mapping[str, Any]]) -> Problems:
    """The same, asked at WeCom for those whom it was not asked for of late."""
    return problems.ask(staff_id for each in definitions for _, staff_id in scope.staff_of(each))


def warnings(definition: Mapping[str, Any], found: Problems) -> list[Issue]:
    """All that can leave a customer waiting, though it may be meant so. found: of its people."""
    of_members = [
        issue(field, found[staff_id], staff_id=spelling.spell(staff_id))
        for field, staff_id in scope.staff_of(definition)
        if staff_id in found
    ]
    return [*checks.warnings(definition), *of_members]


def refuse_warnings(definitions: Mapping[str, Mapping[str, Any]], found: Problems) -> None:
    """Invalid for whatever there would be a warning of. definitions: by what their fields begin with."""
    wrong = [
        replace(warning, field=prefix + warning.field)
        for prefix, definition in definitions.items()
        for warning in warnings(definition, found)
    ]
    if wrong:
        raise Invalid(*wrong)
