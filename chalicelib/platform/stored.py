"""Stored values as Structs. What was taken under the rules of its day is read under today's: a limit,
a pattern or a field that came later must not hide a row, nor the list that it stands in.
"""

import types
from functools import cache
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

_Kind = TypeVar("_Kind")


def read_stored(value: Any, kind: type[_Kind]) -> _Kind:
    """A stored value as `kind`, or as a subclass of it. msgspec.ValidationError when a type is another one
    or a field that has no default is missing; limits and patterns of `kind` do not count, nor fields that it
    does not know.
    """
    loose: type[_Kind] = without_limits(kind)  # type: ignore[arg-type]  # a type has a hash
    return msgspec.convert(value, loose, from_attributes=True)


@cache
def without_limits(kind: Any) -> Any:
    """The type without what `Annotated` asks of its values; of Structs, subclasses whose fields are so."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _struct_without_limits(kind)
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return without_limits(parts[0])
    if origin in (Union, types.UnionType):
        return Union[tuple(without_limits(part) for part in parts)]  # noqa: UP007 (made at run time)
    if origin in (list, dict, tuple, set, frozenset):
        return origin[tuple(without_limits(part) if part is not Ellipsis else part for part in parts)]
    return kind


def _struct_without_limits(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    config, hints = kind.__struct_config__, get_type_hints(kind, include_extras=True)
    fields: list[Any] = []
    for field in msgspec.structs.fields(kind):
        loose = without_limits(hints[field.name])
        if field.required:
            fields.append((field.name, loose, msgspec.field(name=field.encode_name)))
        elif field.default_factory is not msgspec.NODEFAULT:
            default = msgspec.field(default_factory=field.default_factory, name=field.encode_name)
            fields.append((field.name, loose, default))
        else:
            fields.append((field.name, loose, msgspec.field(default=field.default, name=field.encode_name)))
    return msgspec.defstruct(
        kind.__name__,
        fields,
        bases=(kind,),
        module=kind.__module__,
        tag=config.tag,
        tag_field=config.tag_field,
        frozen=config.frozen,
        kw_only=True,
        forbid_unknown_fields=False,
    )
