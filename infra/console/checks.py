"""What a build refuses beside what does not compile: texts, calls, components that are not there, and what
the oldest browser that is promised does not know."""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from infra.console import sources
from infra.console.sources import SOURCE, Module, Part, Problem, line_of

Texts = dict[str, str]
LANGUAGES = ("zh", "en")

_KEYS = re.compile(r"(?<![\w.$])t\(\s*(['\"])([\w.-]+)\1\s*[,)]")
_ENUMS = re.compile(r"(?<![\w.$])t\.enum\(\s*(['\"])([\w.-]+)\1")
_CALLS = re.compile(r"(?<![\w.$])api((?:\.\w+)+)\(")
_LINKS = re.compile(r"(?<![\w.$])link\(\s*(['\"])([\w.-]+)\1")
_COMPONENTS = re.compile(r"_resolveComponent\(\"([^\"]+)\"")
_LOCAL = re.compile(r"\bcomponents:\s*\{([^}]*)\}")
_WORDS = re.compile(r"[\w.\[\]-]+")
_MADE = re.compile(r"`(\w+\.[\w.]*\$\{[^}`]*\}[\w.${}]*)`")
_PLACE = re.compile(r"\$\{[^}]*\}")
_BUILT_IN = {"Transition", "TransitionGroup", "KeepAlive", "Teleport", "Suspense", "component"}
# Chromium 107: WeCom for Windows.
_TOO_NEW_CSS = re.compile(
    r"color-mix\(|\boklch\(|\boklab\(|light-dark\(|@starting-style|@scope\b|\bsubgrid\b|:popover-open|anchor-name"
    r"|\d(?:[dsl]v[hwib]|lh|rlh)\b|^\s*&",
    re.MULTILINE,
)
_TOO_NEW_JS = re.compile(
    r"\.to(?:Sorted|Reversed|Spliced)\(|Object\.groupBy|Map\.groupBy|Promise\.withResolvers|Array\.fromAsync"
    r"|URL\.canParse|showPopover|hidePopover|togglePopover|\.isSubsetOf\(|\.symmetricDifference\("
)
_TOO_NEW_TEMPLATE = re.compile(r"\spopover(?:target)?\b")


def texts(folder: str, problems: list[Problem]) -> dict[str, Texts]:
    """A folder's texts by language; what one of them lacks, or says with other places, is a problem."""
    found = {language: _texts(f"{folder}/{language}.json", problems) for language in LANGUAGES}
    zh, en = (found[language] for language in LANGUAGES)
    for key in sorted(set(zh) ^ set(en)):
        has, lacks = ("zh", "en") if key in zh else ("en", "zh")
        path = f"{folder}/{has}.json"
        problems.append(Problem(path, _line(path, key), f"{lacks}.json has no {key}", False))
    for key in sorted(set(zh) & set(en)):
        if _places(zh[key]) != _places(en[key]):
            path = f"{folder}/en.json"
            problems.append(
                Problem(path, _line(path, key), f"{key}: other {{places}} than in zh.json", False)
            )
    return found


def _texts(path: str, problems: list[Problem]) -> Texts:
    file = SOURCE / path
    if not file.exists():
        return {}

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key in {key for key, _ in pairs if [k for k, _ in pairs].count(key) > 1}:
            problems.append(Problem(path, _line(path, key), f"{key} stands here twice"))
        return dict(pairs)

    try:
        texts = json.loads(file.read_text(encoding="utf-8"), object_pairs_hook=once)
    except json.JSONDecodeError as error:
        problems.append(Problem(path, error.lineno, error.msg))
        return {}
    for key, text in texts.items():
        if not isinstance(text, str):
            problems.append(Problem(path, _line(path, key), f"{key} is no text"))
    return {key: text for key, text in texts.items() if isinstance(text, str)}


def _places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def _line(path: str, key: str) -> int:
    text = (SOURCE / path).read_text(encoding="utf-8")
    return line_of(text, max(text.find(json.dumps(key, ensure_ascii=False)), 0))


def module(
    one: Module, known: Mapping[str, str], calls: Iterable[str], components: Iterable[str], screens: set[str]
) -> list[Problem]:
    """Of a file. known: the texts at hand where it is shown; components: those of the kit; screens: names."""
    problems: list[Problem] = []
    enums = {key.split(".")[1] for key in known if key.startswith("enum.")}
    callable_names = set(calls)

    def check(pattern: re.Pattern[str], part: Part | None, group: int, message: str, allowed: Any) -> None:
        for found in pattern.finditer(sources.blanked(part.text) if part else ""):
            if part and not allowed(found[group]):
                line = part.line + line_of(part.text, found.start()) - 1
                problems.append(Problem(one.path, line, message.format(found[group].strip()), False))

    for part in (one.script, one.template):
        check(_KEYS, part, 2, "no text {0}", known.__contains__)
        check(_ENUMS, part, 2, "no texts enum.{0}.…", enums.__contains__)
        check(_LINKS, part, 2, "no screen {0}", screens.__contains__)
    check(_CALLS, one.script, 1, "the API has no api{0}", lambda name: _call(name) in callable_names)
    check(_TOO_NEW_JS, one.script, 0, "{0}: Chromium 107 does not know it", lambda _: False)
    check(_TOO_NEW_TEMPLATE, one.template, 0, "{0}: Chromium 107 does not know it", lambda _: False)
    problems += _unknown_components(one, set(components))
    return problems + css(one.path, one.style)


def unused_texts(
    folder: str, texts: Mapping[str, str], modules: Iterable[Module], titles: set[str]
) -> list[Problem]:
    """A folder's texts that none of these modules names: in full, as `prefix.${…}`, or by an enum's field."""
    parts = [part for one in modules for part in (one.script, one.template)]
    source = "\n".join(sources.blanked(part.text) for part in parts if part)
    words = set(_WORDS.findall(source)) | titles
    made = [re.compile(_made_key(text)) for text in _MADE.findall(source)]

    def is_used(key: str) -> bool:
        is_enum = key.startswith("enum.") and key.split(".")[1] in words
        return is_enum or key in words or any(pattern.fullmatch(key) for pattern in made)

    path = f"{folder}/zh.json"
    return [
        Problem(path, _line(path, key), f"nothing shows {key}", False) for key in texts if not is_used(key)
    ]


def _made_key(text: str) -> str:
    """A pattern of what `prefix.${…}` may be: of `sops.${…}` one word, of `sops.field.${…}` any path."""
    place = r"[\w:.-]+" if text.partition("${")[0].count(".") > 1 else r"\w+"
    return place.join(map(re.escape, _PLACE.split(text)))


def _call(name: str) -> str:
    """`.live_codes.list` as it is named in the table of calls."""
    return name.removeprefix(".").removesuffix(".url")


def css(path: str, part: Part) -> list[Problem]:
    text = re.sub(r"/\*.*?\*/", lambda comment: "\n" * comment[0].count("\n"), part.text, flags=re.DOTALL)
    return [
        Problem(
            path,
            part.line + line_of(text, found.start()) - 1,
            f"{found[0].strip()}: Chromium 107 does not know it",
            False,
        )
        for found in _TOO_NEW_CSS.finditer(text)
    ]


def components_of(one: Module) -> set[str]:
    """Names of the components that its template uses."""
    return {_pascal(name) for name in _COMPONENTS.findall(one.render)}


def _unknown_components(one: Module, kit: set[str]) -> list[Problem]:
    if one.template is None:
        return []
    local = {
        name.partition(":")[0].strip()
        for found in _LOCAL.findall(one.script.text)
        for name in found.split(",")
    }
    names = set(_COMPONENTS.findall(one.render))
    unknown = sorted(n for n in names if _pascal(n) not in kit | local | _BUILT_IN | {one.name})
    problems = []
    for name in unknown:
        at = re.search(rf"<{re.escape(name)}\b", one.template.text)
        line = one.template.line + (line_of(one.template.text, at.start()) - 1 if at else 0)
        problems.append(
            Problem(one.path, line, f"no component {name} in the kit, and none of that name here", False)
        )
    return problems


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in name.split("-"))
