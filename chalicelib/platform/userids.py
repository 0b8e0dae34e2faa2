"""WeCom's userids compare without case. Ours are in small letters wherever they are a key or are compared.

They are folded where they come in: bodies, queries and files, WeCom's events and answers, cookies. How WeCom
spells one is kept beside, and shown where answers go out (http.Door.spellings).
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from msgspec import Meta, Struct
from msgspec.structs import force_setattr

PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}\Z"
StaffId = Annotated[str, Meta(pattern=PATTERN, description="WeCom's userid, in capitals or not")]


def fold(userid: str) -> str:
    """The one form in which a userid is a key."""
    return userid.lower()


def fold_all(userids: Iterable[str]) -> list[str]:
    """All of them in that form, in their order, each as often as it is given."""
    return [fold(userid) for userid in userids]


def fold_fields(struct: Struct, *names: str) -> None:
    """Fold these fields of a Struct that is just being made (`__post_init__`): ids, lists of them, or their
    mapping to something. What is absent, or of another type (in a patch), stays as it is.
    """
    for name in names:
        force_setattr(struct, name, folded(getattr(struct, name)))


def folded(value: Any) -> Any:
    """An id, a list of ids, or a mapping by ids, in that form; anything else as it is."""
    if isinstance(value, str):
        return fold(value)
    if isinstance(value, (list, tuple)):
        return type(value)(folded(each) if isinstance(each, str) else each for each in value)
    if isinstance(value, Mapping):
        return {fold(key): each for key, each in value.items()}
    return value


def fold_row(row: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """A row of WeCom's with these ids, or lists of ids, in that form."""
    return {**row, **{name: folded(row[name]) for name in names if name in row}}
