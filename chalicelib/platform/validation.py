"""Outside values as Structs. msgspec decides; what it refuses is judged once more by its JSON Schema, so that
all that is wrong is said at once, each with a code. jsonschema_rs is loaded for that alone.
"""

import json
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any

import msgspec

from chalicelib.platform import clock, plain_text, userids
from chalicelib.platform.errors import Invalid, Issue, Malformed, issue

_CODES = {
    "minimum": ("minimum", "minimum"),
    "maximum": ("maximum", "maximum"),
    "exclusiveMinimum": ("more_than", "limit"),
    "exclusiveMaximum": ("less_than", "limit"),
    "minLength": ("min_length", "min_length"),
    "maxLength": ("max_length", "max_length"),
    "minItems": ("min_items", "min_items"),
    "maxItems": ("max_items", "max_items"),
    "pattern": ("pattern", "pattern"),
}
_FORMATS = {"date-time": "date_time", "date": "date"}


def loads(raw: bytes) -> Any:
    """A body's JSON. Malformed for what is none, has a key twice, or half a surrogate pair, which no store
    takes; Invalid for texts of control characters, or of nothing but spaces.
    """
    try:
        value = msgspec.json.decode(raw)
        json.loads(raw, object_pairs_hook=_without_repetition)  # msgspec takes a key's last value
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(code="malformed") from error
    if plain_text.may_have_problems(raw) and (issues := list(plain_text.problems(value))):
        raise Invalid(*issues)
    return value


def loads_lenient(raw: bytes, free_texts: Collection[str]) -> Any:
    """The JSON of a machine's message, which nobody can ask to write it again. Malformed as above.

    free_texts: fields whose text is only shown: control characters and halves of pairs are taken out of them.
    Ids stay as they are, to be refused by their type: cleaned, one could become another.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        _without_repetition(pairs)
        return {
            name: plain_text.clean(part) if name in free_texts and isinstance(part, str) else part
            for name, part in pairs
        }

    try:
        text = raw.decode(errors="replace")
        value = json.loads(text, strict=False, object_pairs_hook=once, parse_constant=_no_constant)
        msgspec.json.encode(value)  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise Malformed(code="malformed") from error
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _without_repetition(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        raise Malformed(code="repeated_key", key=max(counts, key=lambda name: counts[name]))


def convert(value: Any, kind: Any, prefix: str = "", *, open: bool = False) -> Any:
    """JSON values as a Struct. Invalid with all issues, their fields after `prefix`.

    open: fields that we don't know are left out, instead of refused.
    """
    try:
        converted = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        issues = _issues(_validator(kind, open).iter_errors(value))
        if not issues:
            whole = _as_integers(value)  # JSON Schema takes 10.0 for an integer, msgspec does not
            if repr(whole) != repr(value):
                return convert(whole, kind, prefix, open=open)
            issues = [_issue_of_msgspec(error)]
    else:
        if open:
            return converted
        unknown = _unknown_fields(value, msgspec.to_builtins(converted), "")
        issues = [issue(path, "unknown_field") for path in unknown]
        issues += [
            issue(name, "date_time")
            for name in getattr(converted, "__struct_fields__", ())
            if _is_out_of_time(getattr(converted, name))
        ]
        if not issues:
            return converted
    raise Invalid(*(msgspec.structs.replace(each, field=prefix + (each.field or "body")) for each in issues))


def _as_integers(value: Any) -> Any:
    """JSON values with each whole float, such as 10.0, as the integer that it is."""
    if isinstance(value, dict):
        return {name: _as_integers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_as_integers(part) for part in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**53 else value


def convert_strings(values: Mapping[str, str], kind: Any, *, open: bool = True) -> Any:
    """A query's or path's strings as a Struct: numbers and booleans by their names. Invalid.

    open: names that we don't know are left out, instead of refused.

    msgspec reads the text "null" as None, where a field may be absent; it is a wrong value like any other.
    """
    given = [field for field in msgspec.structs.fields(kind) if field.encode_name in values]
    names = {field.encode_name for field in given}
    unknown = [] if open else [issue(name, "unknown_field") for name in values if name not in names]
    unclear: list[Issue] = []
    try:
        converted = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        unclear.append(_issue_of_msgspec(error))
    else:
        unclear += [issue(f.encode_name, "null") for f in given if getattr(converted, f.name) is None]
        unclear += [
            issue(f.encode_name, "date_time")
            for f in given
            if _is_no_time(values[f.encode_name], getattr(converted, f.name))
        ]
        if not unclear and not unknown:
            return converted
    typed = {field.encode_name: _number(values[field.encode_name]) for field in given}
    raise Invalid(*(_issues(_validator(kind, True).iter_errors(typed)) or unclear), *unknown)


def _is_no_time(text: str, value: Any) -> bool:
    """A time that msgspec reads from a number (seconds since 1970), or one that is too far off."""
    return _is_out_of_time(value) or (isinstance(value, date) and "-" not in text[1:])


def _is_out_of_time(value: Any) -> bool:
    """A time or day so far off that reckoning with it would leave the calendar."""
    return isinstance(value, date) and not 1970 <= value.year <= 2999


def _number(text: str) -> Any:
    return int(text) if re.fullmatch(r"-?[0-9]{1,15}", text) else text


def parse_future(field: str, text: str | None) -> str | None:
    """A field's time as it is stored. Invalid for what is no time with its offset, or is past."""
    if text is None:
        return None
    try:
        at = clock.parse(text)
    except ValueError:
        raise Invalid(issue(field, "date_time")) from None
    if at <= clock.now():
        raise Invalid(issue(field, "past"))
    return clock.iso(at)


def schema(value: Any, *, closed: bool = False) -> Any:
    r"""As JSON Schema has it: patterns are JavaScript's (our `\Z` is its `$`). closed: no other fields."""
    if isinstance(value, dict):
        converted = {name: schema(part, closed=closed) for name, part in value.items()}
        if isinstance(converted.get("pattern"), str):
            converted["pattern"] = converted["pattern"].replace(r"\Z", "$")
        if closed and converted.get("type") == "object" and isinstance(converted.get("properties"), dict):
            converted["additionalProperties"] = False
        return converted
    return [schema(part, closed=closed) for part in value] if isinstance(value, (list, tuple)) else value


@cache
def _validator(kind: Any, open: bool) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(
        schema(msgspec.json.schema(kind), closed=not open), validate_formats=True
    )


def schema_errors(value: Any, kind: Any) -> Iterator[Any]:
    """jsonschema_rs's errors of JSON values, other fields than the type's among them."""
    return iter(_validator(kind, False).iter_errors(value))


def _issues(errors: Iterator[Any] | Sequence[Any]) -> list[Issue]:
    return [each for error in errors for each in _issues_of(error)]


def _issues_of(error: Any) -> list[Issue]:
    """The issues of one of jsonschema_rs's errors; `kind.name` is the schema's keyword."""
    field, keyword = _field_name(error.instance_path), error.kind.name
    if error.instance is None and keyword in ("type", "enum", "const", "anyOf"):
        return [issue(field, "null")]
    if keyword == "anyOf":
        return _issues_of_union(error)
    if keyword == "required":
        return [issue(_join(field, error.kind.property), "required")]
    if keyword == "additionalProperties":
        return [issue(_join(field, name), "unknown_field") for name in error.kind.unexpected]
    if keyword in ("enum", "const"):
        options = error.kind.options if keyword == "enum" else [error.kind.expected_value]
        return [issue(field, "enum", allowed=options)]
    if keyword == "type":
        return [issue(field, "type", type=error.kind.types[0])]
    if keyword == "format":
        return [issue(field, _FORMATS.get(error.kind.format, "format"))]
    if keyword == "pattern" and error.kind.value == schema({"pattern": userids.PATTERN})["pattern"]:
        return [issue(field, "userid")]
    code, param = _CODES.get(keyword, ("invalid", ""))
    return [issue(field, code, **({param: error.kind.value} if param else {}))]


def _issues_of_union(error: Any) -> list[Issue]:
    """Those of the member that was meant: not null, of the value's type, and with its tag."""
    depth = len(error.instance_path)
    members = [member for member in error.kind.context if not _is_null(member)]
    if not members:
        return [issue(_field_name(error.instance_path), "invalid")]
    wrong = [[e for e in member if _is_of_another_member(e, depth)] for member in members]
    if all(wrong) and len(members) > 1:
        return _merge_members([each for errors in wrong for each in _issues(errors)])
    meant = min(range(len(members)), key=lambda at: (len(wrong[at]), len(members[at])))
    return _issues(members[meant])


def _is_null(member: Sequence[Any]) -> bool:
    return len(member) == 1 and member[0].kind.name == "type" and member[0].kind.types == ["null"]


def _is_of_another_member(error: Any, depth: int) -> bool:
    """The value is of another type, or its tag another member's."""
    below = len(error.instance_path) - depth
    return (error.kind.name == "type" and below == 0) or (error.kind.name == "enum" and below in (0, 1))


def _merge_members(issues: Sequence[Issue]) -> list[Issue]:
    """No member was meant: what all of them would take."""
    allowed: dict[str, list[Any]] = {}
    for each in issues:
        if each.code == "enum":
            allowed.setdefault(each.field, []).extend(each.params["allowed"])
    if allowed:
        return [issue(field, "enum", allowed=options) for field, options in allowed.items()]
    types = list(dict.fromkeys(each.params["type"] for each in issues if each.code == "type"))
    if types:
        return [issue(issues[0].field, "type", type=types)]
    return list({(each.field, each.code): each for each in issues}.values())  # such as a tag that is null


def _field_name(parts: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".")


def _join(field: str, name: str) -> str:
    return f"{field}.{name}" if field else name


def _unknown_fields(given: Any, known: Any, path: str) -> Iterator[str]:
    """The path of each field in `given` that its type, as whose value `known` is, does not have."""
    if isinstance(given, dict) and isinstance(known, dict):
        for name, value in given.items():
            if name in known:
                yield from _unknown_fields(value, known[name], _join(path, name))
            else:
                yield _join(path, name)
    elif isinstance(given, list) and isinstance(known, list):
        for index, (value, other) in enumerate(zip(given, known, strict=False)):
            yield from _unknown_fields(value, other, f"{path}[{index}]")


def _issue_of_msgspec(error: msgspec.ValidationError) -> Issue:
    """msgspec's own, for what a schema takes and it does not (1.0 for a whole number)."""
    text, _, path = str(error).partition(" - at `$")
    expected = re.match(r"Expected `(int|float|str|bool|array|object)[^`]*`, got", text)
    kinds = {"int": "integer", "float": "number", "str": "string", "bool": "boolean"}
    field = path.rstrip("`").lstrip(".").removesuffix(".[...]")
    if expected is None:
        return issue(field, "invalid")
    return issue(field, "type", type=kinds.get(expected[1], expected[1]))
