"""Live codes as a file: all of them as YAML without defaults, and such a file applied, its diff first.

A code in a file is named by its `live_code_id`, or, when it is new, by a `ref` of the operator's own,
from which its id follows. So applying a file twice, or again after half of it, makes nothing twice.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec
from msgspec import NODEFAULT, UNSET, Struct
from msgspec.structs import replace

from chalicelib.livecodes import checks, service
from chalicelib.livecodes.service import LiveCode
from chalicelib.livecodes.types import CodeChange, CodeWarning, FieldChange, FileCode, NewLiveCode
from chalicelib.platform import judging, plain_text, yaml_text
from chalicelib.platform.errors import Conflict, Invalid, Issue, NotFound, TooLarge, issue
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.stored import read_stored

MAX_TEXT = 2_000_000  # characters of a file to apply
MAX_EXPORT = 4_000_000  # bytes: an answer of API Gateway's has room for it
MAX_CHANGES = 300  # in one call, which has 29 s


class Change(Struct, frozen=True):
    """What applying a file does to one code. `was`, `to`: definitions; None before it is made, after it is
    archived.
    """

    live_code_id: str
    ref: str | None
    action: Literal["create", "change", "archive", "same"]
    was: Mapping[str, Any] | None
    to: Mapping[str, Any] | None
    seen: LiveCode | None = None

    @property
    def has_news(self) -> bool:
        """Whether it makes a code, or makes one another."""
        return self.action in ("create", "change")

    def show(self, warnings: list[CodeWarning]) -> CodeChange:
        names = f"now/{self.live_code_id}", f"file/{self.live_code_id}"
        lines = difflib.unified_diff(_text(self, self.was), _text(self, self.to), *names)
        return CodeChange(
            live_code_id=self.live_code_id,
            ref=self.ref,
            action=self.action,
            diff=list(_diff("", self.was, self.to)) if self.was and self.to else [],
            text="".join(lines),
            warnings=warnings,
        )


# Out


def export(live_code_ids: Sequence[str] | None = None, principal: Principal = SYSTEM) -> str:
    """The YAML of these codes, or of all of the scope that are not archived. NotFound, TooLarge."""
    if live_code_ids is None:
        chosen = list(service.read_all(principal=principal))
    else:
        known = service.get_many(live_code_ids, principal)
        if any(live_code_id not in known for live_code_id in live_code_ids):
            raise NotFound(code="no_such_live_code")
        chosen = list(known.values())
    rows = [lean(code.live_code_id, code.ref, code.definition) for code in sorted(chosen, key=_order)]
    text = yaml_text.dumps({"codes": rows})
    if len(text.encode()) > MAX_EXPORT:
        raise TooLarge(code="too_many_for_a_file")
    return text


def lean(live_code_id: str, ref: str | None, definition: Mapping[str, Any]) -> dict[str, Any]:
    """A code as it stands in a file: its names first, then what is not the default, in a fixed order."""
    names = {"live_code_id": live_code_id, **({"ref": ref} if ref else {})}
    return {**names, **_lean(read_stored(definition, NewLiveCode))}


def _lean(value: Any) -> Any:
    if isinstance(value, list):
        return [_lean(item) for item in value]
    if not isinstance(value, Struct):
        return value
    kept = {}
    for field in msgspec.structs.fields(value):
        given = getattr(value, field.name)
        default = field.default
        if default is NODEFAULT and field.default_factory is not NODEFAULT:
            default = field.default_factory()
        if given is not UNSET and given != default:
            kept[field.encode_name] = _lean(given)
    return kept


def _order(code: LiveCode) -> tuple[str, str]:
    return code.ref or "", code.live_code_id


def _text(change: Change, definition: Mapping[str, Any] | None) -> list[str]:
    if definition is None:
        return []
    return yaml_text.dumps([lean(change.live_code_id, change.ref, definition)]).splitlines(keepends=True)


# In


def read(text: str) -> list[Any]:
    """The `codes` of a file, as JSON values. Invalid."""
    value = yaml_text.loads(text)
    if not isinstance(value, dict) or not isinstance(value.get("codes"), list):
        raise Invalid(issue("yaml", "yaml_without_codes"))
    codes: list[Any] = value["codes"]
    issues = [issue(str(name), "unknown_field") for name in value if name != "codes"]
    if issues := [*issues, *plain_text.problems(codes, "codes")]:
        raise Invalid(*yaml_text.with_lines(text, issues))
    return codes


# Applied


def plan(given: Sequence[Any], archive_missing: bool, principal: Principal = SYSTEM) -> list[Change]:
    """What applying a file's codes does. Invalid with all that is wrong, by names such as
    `codes[2].assignment.members[0].staff_id`.

    archive_missing: also every other code that the scope holds.
    """
    wanted, wrong = _convert(given)
    named = [
        (row["live_code_id"] or (row["ref"] and service.id_of(row["ref"])) or "") if row else ""
        for row in wanted
    ]
    known = service.get_many((live_code_id for live_code_id in named if live_code_id), principal)
    mine = service.select_changeable(known.values(), principal)
    changes: list[Change] = []
    for index, (row, live_code_id) in enumerate(zip(wanted, named, strict=True)):
        if row is None:
            continue
        to = {name: value for name, value in row.items() if name not in ("live_code_id", "ref")}
        seen = known.get(live_code_id)
        problems = list(_misnamed(row, live_code_id, seen))
        if live_code_id and live_code_id in named[:index]:
            problems.append(issue("live_code_id" if row["live_code_id"] else "ref", "duplicate"))
        was = seen.definition if seen else None
        if seen is not None and live_code_id not in mine and to != was:
            problems.append(issue("live_code_id", "live_code_of_others"))
        if was is not None and to["kind"] != was["kind"]:
            problems.append(issue("kind", "unchangeable"))
        try:
            service.check(to, was, principal)
        except Invalid as error:
            problems += error.issues
        wrong += _under(f"codes[{index}].", problems)
        action: Literal["create", "same", "change"] = "change" if seen else "create"
        if to == was:
            action = "same"
        changes.append(Change(live_code_id, seen.ref if seen else row["ref"], action, was, to, seen))
    if wrong:
        raise Invalid(*wrong)
    if archive_missing:
        kept = set(named)
        codes = list(service.read_all(principal=principal))
        gone = service.select_changeable(codes, principal) - kept
        rest = sorted((code for code in codes if code.live_code_id in gone), key=_order)
        changes += [Change(c.live_code_id, c.ref, "archive", c.definition, None, c) for c in rest]
    return changes


def _convert(given: Sequence[Any]) -> tuple[list[dict[str, Any] | None], list[Issue]]:
    """Complete definitions, with `live_code_id` and `ref`, or None; and what is wrong with those."""
    wanted: list[dict[str, Any] | None] = []
    wrong: list[Issue] = []
    for index, row in enumerate(given):
        try:
            code = judging.convert(row, FileCode, _problems, f"codes[{index}].")
        except Invalid as error:
            wanted.append(None)
            wrong += error.issues
        else:
            wanted.append(msgspec.to_builtins(code))
    return wanted, wrong


def _problems(code: FileCode) -> list[Issue]:
    return checks.problems(msgspec.to_builtins(code))


def _under(prefix: str, problems: Iterable[Issue]) -> list[Issue]:
    return [replace(problem, field=prefix + problem.field) for problem in problems]


def apply(changes: Sequence[Change], principal: Principal = SYSTEM) -> None:
    """Carry them out, in their order. Conflict when a code was changed since the plan was made."""
    todo = [change for change in changes if change.action != "same"]
    if len(todo) > MAX_CHANGES:
        raise Invalid(issue("yaml", "yaml_too_many_changes", count=len(todo), maximum=MAX_CHANGES))
    for number, change in enumerate(todo):
        try:
            if change.seen is None:
                service.create(change.to or {}, change.ref, principal)
            elif change.to is None:
                service.archive(change.live_code_id, change.seen.version, principal)
            else:
                service.replace(change.seen, change.to, principal)
        except Conflict as error:
            raise Conflict(
                code="file_half_applied",
                live_code_id=change.live_code_id,
                done=number,
                total=len(todo),
            ) from error


def _misnamed(row: Mapping[str, Any], live_code_id: str, seen: LiveCode | None) -> Iterator[Issue]:
    ref, field = row["ref"], "live_code_id" if row["live_code_id"] else "ref"
    if not live_code_id:
        yield issue("ref", "code_unnamed")
    elif seen is None:
        if ref is None or live_code_id != service.id_of(ref):
            yield issue("live_code_id", "new_code_by_ref")
    elif not seen.active:
        yield issue(field, "archived")
    elif ref is not None and ref != seen.ref:
        yield issue("ref", "ref_taken" if field == "ref" else "unchangeable")


def _diff(field: str, was: Any, to: Any) -> Iterator[FieldChange]:
    """Each difference; what is on one side only is null on the other."""
    if isinstance(was, Mapping) and isinstance(to, Mapping):
        for name in dict.fromkeys([*was, *to]):
            yield from _diff(f"{field}.{name}".lstrip("."), was.get(name), to.get(name))
    elif _of_objects(was) and _of_objects(to):
        for index in range(max(len(was), len(to))):
            sides = [side[index] if index < len(side) else None for side in (was, to)]
            yield from _diff(f"{field}[{index}]", *sides)
    elif was != to:
        yield FieldChange(field=field, from_=was, to=to)


def _of_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, Mapping) for item in value)
