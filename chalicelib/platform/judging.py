"""What a capability's rules find in a body whose shape is wrong elsewhere: said in the same answer.

Rules judge a whole Struct. What is wrong is put right for them as far as no rule can hang on it (a name, a
number's bounds); where that can't be told, only the shape's problems are said.
"""

import copy
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from chalicelib.platform import validation
from chalicelib.platform.errors import Invalid, Issue

_ROUNDS = 4  # what is filled in may be too short, and then is filled up
_SAMPLES = {"string": "x", "integer": 1, "array": []}


def convert(value: Any, kind: Any, rules: Callable[[Any], Iterable[Issue]], prefix: str = "") -> Any:
    """JSON values as a Struct. Invalid, also with what its rules find beside.

    Of a right shape they are asked later, together with all that needs a look elsewhere.
    """
    try:
        return validation.convert(value, kind, prefix)
    except Invalid as error:
        said = [issue.field for issue in error.issues]
        rest = _put_right(value, kind)
        found = [] if rest is None else [_under(prefix, issue) for issue in rules(rest)]
        beside = [issue for issue in found if not any(_touch(issue.field, one) for one in said)]
        raise Invalid(*error.issues, *beside) from error


def _under(prefix: str, issue: Issue) -> Issue:
    return msgspec.structs.replace(issue, field=prefix + issue.field)


def _touch(field: str, other: str) -> bool:
    """Whether one of them is, or is part of, the other."""
    inner, outer = (field, other) if len(field) > len(other) else (other, field)
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def _put_right(value: Any, kind: Any) -> Any:
    """The Struct, with what is wrong put right; None: rules could hang on it."""
    value = copy.deepcopy(value)
    for _ in range(_ROUNDS):
        errors = list(validation.schema_errors(value, kind))
        if not errors:
            break
        if not all(_fix(value, error) for error in errors):
            return None
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None


def _fix(value: Any, error: Any) -> bool:
    keyword, path = error.kind.name, list(error.instance_path)
    place = value
    for part in path if keyword in ("additionalProperties", "required") else path[:-1]:
        place = place[part]
    if keyword == "additionalProperties":
        for name in error.kind.unexpected:
            del place[name]
    elif keyword == "required":
        place[error.kind.property] = "x"
    elif keyword in ("minimum", "maximum") and path:
        place[path[-1]] = error.kind.value
    elif keyword == "minLength" and path:
        place[path[-1]] = "x" * error.kind.value
    elif keyword == "maxLength" and path:
        place[path[-1]] = place[path[-1]][: error.kind.value]
    elif keyword == "type" and path and error.kind.types[0] in _SAMPLES:
        place[path[-1]] = copy.copy(_SAMPLES[error.kind.types[0]])
    else:
        return False
    return True
