"""YAML as operators write and get it, and where in it a field stands.

Read strictly: no tags, no aliases (a file of a kilobyte could grow to gigabytes), no key twice, and nothing
but numbers, true, false and null is anything else than text (18:00 is no number).
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

from msgspec.structs import replace

from chalicelib.platform.errors import Invalid, Issue, issue

_MAX_EVENTS, _MAX_DEPTH = 300_000, 20
_SCALARS = {
    "null": (re.compile(r"~|null|"), ["~", "n", ""]),
    "bool": (re.compile(r"true|false"), list("tf")),
    "int": (re.compile(r"-?(?:0|[1-9][0-9]{0,18})"), list("-0123456789")),
    "float": (re.compile(r"-?(?:0|[1-9][0-9]{0,18})\.[0-9]{1,18}"), list("-0123456789")),
}


def dumps(value: Any) -> str:
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True, width=110))


def decode(raw: bytes) -> str:
    """A file's text. Invalid for one that is not UTF-8: a guess would spoil its names in silence."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(issue("yaml", "yaml_encoding", line=raw[: error.start].count(b"\n") + 1)) from None


def loads(text: str) -> Any:
    """The text as JSON values. Invalid."""
    import yaml

    try:
        _refuse_hostile(yaml.parse(text, Loader=_loader()))
        return yaml.load(text, Loader=_loader())  # noqa: S506  # nosec B506 (a SafeLoader, and stricter)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Invalid(issue("yaml", "yaml_line", line=line)) from None
    except (yaml.YAMLError, ValueError) as error:
        raise Invalid(issue("yaml", "yaml_unreadable")) from error


def with_lines(text: str, issues: Iterable[Issue]) -> Iterator[Issue]:
    """The issues, each with the `line` of its field in the text, or of what it would stand in."""
    lines = _lines(text)
    for one in issues:
        field = one.field
        while field and field not in lines:
            field = re.sub(r"(\.?[^.\[]+|\[[0-9]+\])\Z", "", field)
        yield replace(one, params={**one.params, "line": lines.get(field, 1)})


def _lines(text: str) -> dict[str, int]:
    """Field → its line, of a text that `loads` took."""
    import yaml

    lines: dict[str, int] = {}

    def walk(node: Any, path: str) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                inner = f"{path}.{key.value}" if path else str(key.value)
                lines[inner] = key.start_mark.line + 1
                walk(value, inner)
        elif isinstance(node, yaml.SequenceNode):
            for number, value in enumerate(node.value):
                lines[f"{path}[{number}]"] = value.start_mark.line + 1
                walk(value, f"{path}[{number}]")

    walk(yaml.compose(text, Loader=_loader()), "")
    return lines


def _refuse_hostile(events: Iterable[Any]) -> None:
    """Invalid for what could harm before it is built, or means more than JSON does."""
    import yaml

    depth = 0
    for number, event in enumerate(events):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        line = event.start_mark.line + 1
        if number > _MAX_EVENTS or depth > _MAX_DEPTH:
            raise Invalid(issue("yaml", "yaml_too_much", line=line))
        if isinstance(event, yaml.AliasEvent):
            raise Invalid(issue("yaml", "yaml_alias", line=line))
        if getattr(event, "tag", None):
            raise Invalid(issue("yaml", "yaml_tag", line=line))


@cache
def _loader() -> Any:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (filled below)

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for key_node, value_node in node.value:
                key = self.construct_object(key_node, deep=True)
                line = key_node.start_mark.line + 1
                if not isinstance(key, str):
                    raise Invalid(issue("yaml", "yaml_line", line=line))
                if key in made:
                    raise Invalid(issue("yaml", "yaml_repeated_key", line=line, key=key))
                made[key] = self.construct_object(value_node, deep=deep)
            return made

    for name, (pattern, first) in _SCALARS.items():
        whole = re.compile(rf"(?:{pattern.pattern})\Z")
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{name}", whole, first)
    return Loader
