"""The console as static files, built from layers/console in Python: no Node, no bundler.

| bundle | holds | loaded |
|---|---|---|
| first | frame, section home, and what of the kit they use | at once |
| more | the rest of the kit | with the first section that is opened |
| a section's | its screens | when one of them is opened |

Of each: its modules, the render functions of its templates (`-t`, a classic script, for what Vue's compiler
makes uses `with`), its style, its texts by language. Names hold the content's hash, so that a browser keeps a
file for ever; only the page itself is asked for anew.

The page paints the frame's outline with `boot` alone, two files of about a kilobyte; all else comes after.
"""

import gzip
import hashlib
import json
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
from pypinyin import Style, lazy_pinyin

from chalicelib.console.pages import LAYER
from chalicelib.platform import permissions
from infra import build as archives
from infra.console import calls, checks, compiler, sources
from infra.console.checks import LANGUAGES, Texts
from infra.console.sources import SOURCE, Failed, Module, Part, Problem

ENTRY = "frame/main.js"
ROUTES = "frame/routes.js"  # made here: the table of calls
# What the first paint waits for.
START, START_STYLES = "frame/start.classic.js", ("kit/tokens.css", "frame/start.css")
MORE = "more"
RULES = "kit/rules"  # its texts come with MORE
GROUPS = ("today", "acquire", "reach", "customers", "spread", "money", "data", "settings")


@dataclass
class Section:
    id: str
    definition: dict[str, Any]
    texts: dict[str, Texts]

    @property
    def folder(self) -> str:
        return f"sections/{self.id}"


@dataclass
class Bundle:
    """modules: in the order in which they are to be run."""

    name: str
    modules: list[Module] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    texts: dict[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True)
class Built:
    """files: name → content, of what is below /console/assets/. pages: language → the page.

    problems: what a lenient build went on in spite of.
    """

    files: dict[str, bytes]
    pages: dict[str, str]
    routes: list[dict[str, Any]]
    problems: list[Problem]


def build(lenient: bool = False, development: bool = False) -> Built:
    """All of it. Failed, with every problem there is; lenient: only if one keeps it from being built.

    development: with the sections that are for who works on the console (`"development": true`).
    """
    problems: list[Problem] = []
    table = calls.table()
    sections = [s for s in _sections(problems) if development or not s.definition.get("development")]
    shared = {folder: checks.texts(folder, problems) for folder in ("frame", "kit", RULES)}
    bundles = _bundles(table, sections, shared, problems)
    screens = {route.get("name") for section in sections for route in section.definition["routes"]}
    _check(bundles, calls.names(table), screens, problems)
    _check_texts(bundles, sections, shared, problems)
    if any(problem.is_broken for problem in problems) or (problems and not lenient):
        raise Failed(problems)
    return _written(bundles, sections, problems)


def _sections(problems: list[Problem]) -> list[Section]:
    found = []
    for folder in sorted(p.parent for p in (SOURCE / "sections").glob("*/section.json")):
        path = f"sections/{folder.name}/section.json"
        try:
            definition = json.loads((SOURCE / path).read_text(encoding="utf-8"))
        except json.JSONDecodeError as error:
            problems.append(Problem(path, error.lineno, error.msg))
            continue
        section = Section(folder.name, definition, checks.texts(f"sections/{folder.name}", problems))
        _check_section(section, path, problems)
        found.append(section)
    paths = [route.get("path") for section in found for route in section.definition["routes"]]
    for path in {path for path in paths if paths.count(path) > 1}:
        problems.append(Problem("sections", 1, f"two screens have the path {path}"))
    return sorted(
        found, key=lambda s: (GROUPS.index(s.definition["group"]), s.definition.get("order", 0), s.id)
    )


def _check_section(section: Section, path: str, problems: list[Problem]) -> None:
    def wrong(message: str) -> None:
        problems.append(Problem(path, 1, message))

    if section.definition.get("group") not in GROUPS:
        wrong(f"group is one of {', '.join(GROUPS)}")
        section.definition["group"] = GROUPS[0]
    if "routes" not in section.definition:
        wrong("no routes")
        section.definition["routes"] = []
    section.definition["id"] = section.id
    if unknown := set(section.definition) - {"id", "group", "order", "routes", "development"}:
        wrong(f"unknown {', '.join(sorted(unknown))}")
    for route in section.definition["routes"]:
        if unknown := set(route) - {"path", "screen", "name", "permission", "nav", "icon", "bare"}:
            wrong(f"{route.get('path')}: unknown {', '.join(sorted(unknown))}")
        if not (SOURCE / section.folder / str(route.get("screen"))).is_file():
            wrong(f"{route.get('path')}: no file {route.get('screen')}")
        if route.get("permission") not in permissions.ALL | {None}:
            wrong(f"{route['path']}: no permission {route['permission']}")
        if route.get("name") and f"{route['name']}.title" not in section.texts["zh"]:
            wrong(f"{route['path']}: no text {route['name']}.title")
        if route.get("nav") and not route.get("name"):
            wrong(f"{route['path']}: what is in the navigation has a name")


def _bundles(
    table: list[str], sections: list[Section], shared: dict[str, dict[str, Texts]], problems: list[Problem]
) -> list[Bundle]:
    first, more = Bundle("first"), Bundle(MORE, texts=shared[RULES])
    titles: dict[str, Texts] = {language: {} for language in LANGUAGES}  # of every screen, for the navigation
    for section in sections:
        for route in section.definition["routes"]:
            if name := route.get("name"):
                for language in LANGUAGES:
                    titles[language][f"{name}.title"] = section.texts[language].get(f"{name}.title", "")
    home = next((s.texts for s in sections if s.id == "home"), {language: {} for language in LANGUAGES})
    for language in LANGUAGES:
        parts = (shared["frame"][language], shared["kit"][language], home[language], titles[language])
        first.texts[language] = {key: text for part in parts for key, text in part.items()}
    made = sources.Module(ROUTES, body=f'"use strict";return {{default: {json.dumps(chr(10).join(table))}}};')
    first.modules, more.modules = _shared_modules(made, problems)
    shared_styles = sources.files("kit", ".css") + sources.files("frame", ".css")
    first.styles = [path for path in shared_styles if path not in START_STYLES]
    first.styles += sources.files("sections/home", ".css")
    made_bundles = [first, more]
    for section in (s for s in sections if s.id != "home"):
        modules = _ordered(sources.files(section.folder, ".vue"), {}, section.id, problems)
        styles = sources.files(section.folder, ".css")
        made_bundles.append(Bundle(section.id, modules, styles, section.texts))
    return made_bundles


def _shared_modules(routes: Module, problems: list[Problem]) -> tuple[list[Module], list[Module]]:
    """What is loaded at once, and what only sections need: each use of a component counts."""
    kit = {path.rpartition("/")[2].partition(".")[0]: path for path in sources.files("kit", ".vue")}
    starts = [*sources.files("frame", ".vue"), *sources.files("sections/home", ".vue"), ENTRY]
    while True:
        first = _ordered(starts, {ROUTES: routes}, "first", problems)
        inside = {one.path for one in first}
        used = {kit[name] for one in first for name in checks.components_of(one) if name in kit}
        if used <= inside:
            break
        starts = [*sorted(used - inside), *starts]
    rest = _ordered(sources.files("kit", ".js", ".vue"), {ROUTES: routes}, "first", problems)
    return first, [one for one in rest if one.path not in inside]


def _ordered(
    starts: Iterable[str], made: dict[str, Module], bundle: str, problems: list[Problem]
) -> list[Module]:
    """The modules of one bundle that these need, each after what it imports."""
    done: dict[str, Module] = {}
    open_now: list[str] = []

    def visit(path: str) -> None:
        if path in done:
            return
        one = made.get(path) or sources.read(path)
        open_now.append(path)
        for wanted in one.imports:
            if wanted == "vue":
                continue
            inside = sources.folder_of(wanted)
            if wanted in open_now:
                problems.append(Problem(path, 1, f"imports in a circle: {' → '.join([*open_now, wanted])}"))
            elif wanted not in made and not (SOURCE / wanted).is_file():
                problems.append(Problem(path, _import_line(one, wanted), f"no file {wanted}"))
            elif inside not in (bundle, "first"):
                problems.append(Problem(path, _import_line(one, wanted), f"{wanted} is another section's"))
            elif inside == bundle:
                visit(wanted)
            # else it is in `first`, which is there already
        open_now.pop()
        done[path] = one
        problems.extend(one.problems)

    for path in starts:
        visit(path)
    return list(done.values())


def _import_line(one: Module, wanted: str) -> int:
    name = wanted.rpartition("/")[2]
    at = one.script.text.find(name)
    return one.script.line + sources.line_of(one.script.text, max(at, 0)) - 1


def _check(bundles: list[Bundle], names: list[str], screens: set[str], problems: list[Problem]) -> None:
    first, shared = bundles[0], [*bundles[0].modules, *bundles[1].modules]
    kit = {one.name for one in shared if one.path.startswith("kit/") and one.template}
    for bundle in bundles:
        known = first.texts["zh"] | bundles[1].texts["zh"] | bundle.texts["zh"]
        for one in bundle.modules:
            problems += checks.module(one, known, names, kit, screens)
    for path in (*START_STYLES, *(path for bundle in bundles for path in bundle.styles)):
        problems += checks.css(path, Part(_source(path)))
    inside = {one.path for one in shared}
    for bundle in bundles[1:]:
        for one in bundle.modules:
            for wanted in one.imports:
                is_there = wanted in inside or wanted == "vue" or not (SOURCE / wanted).is_file()
                if sources.folder_of(wanted) == "first" and not is_there:
                    problems.append(Problem(one.path, _import_line(one, wanted), f"no module {wanted}"))


def _check_texts(
    bundles: list[Bundle],
    sections: list[Section],
    shared: dict[str, dict[str, Texts]],
    problems: list[Problem],
) -> None:
    modules = [one for bundle in bundles for one in bundle.modules]
    titles = {f"{route.get('name')}.title" for section in sections for route in section.definition["routes"]}
    for folder, texts in [*shared.items(), *((section.folder, section.texts) for section in sections)]:
        near = (f"{folder}/", "frame/", "kit/")
        seeing = modules if folder in shared else [one for one in modules if one.path.startswith(near)]
        problems += checks.unused_texts(folder, texts["zh"], seeing, titles)


def _written(bundles: list[Bundle], sections: list[Section], problems: list[Problem]) -> Built:
    files: dict[str, bytes] = {}

    def add(stem: str, suffix: str, text: str) -> str:
        content = text.encode()
        name = f"{stem}-{hashlib.sha256(content).hexdigest()[:10]}{suffix}"
        files[name] = content
        return name

    vue = add("vue", ".js", compiler.runtime())
    names: dict[str, dict[str, str]] = {}
    for bundle in bundles[1:]:
        names[bundle.name] = {
            "js": add(bundle.name, ".js", f"export default (modules) => {{\n{_defined(bundle)}}};\n"),
            "templates": add(f"{bundle.name}-t", ".js", _templates(bundle)),
            "css": add(bundle.name, ".css", _style(bundle.styles, bundle.modules)),
        } | _texts(bundle, add)
    first = bundles[0]
    first_texts = _texts(first, add)
    manifest = {
        "sections": [
            {**section.definition, "routes": _with_sounds(section), "files": names.get(section.id)}
            for section in sections
            if section.definition["routes"]
        ],
        "texts": first_texts,
        "more": names[MORE],
    }
    text = json.dumps(manifest, ensure_ascii=False, separators=(",", ":"))
    script = f'import * as vue from "./{vue}";\nconst modules = {{vue}};\n{_defined(first)}'
    script += f"modules[{json.dumps(ENTRY)}].start(modules);\n"
    loads = {
        "VUE": vue,
        "FIRST": add("first", ".js", script),
        "START": add("boot", ".js", sources.without_comments(_source(START))),
        "START_STYLE": add("boot", ".css", _style(START_STYLES)),
        "TEMPLATES": add("first-t", ".js", f"millrace.manifest = {text};\n{_templates(first)}"),
        "STYLE": add("first", ".css", _style(first.styles, first.modules)),
    }
    pages = {language: _page(language, loads, first_texts[language]) for language in LANGUAGES}
    routes = [{**route, "section": s.id} for s in sections for route in s.definition["routes"]]
    return Built(files, pages, routes, problems)


def _with_sounds(section: Section) -> list[dict[str, Any]]:
    """The routes; those of the navigation with how their Chinese title is said, by syllables."""
    return [
        {**route, "said": _said(section.texts["zh"][f"{route['name']}.title"])} if route.get("nav") else route
        for route in section.definition["routes"]
    ]


def _said(title: str) -> str:
    return " ".join(lazy_pinyin(title, style=Style.NORMAL)).lower()


def _defined(bundle: Bundle) -> str:
    head = "const $module = (name) => modules[name];\n"
    parts = [
        f"modules[{json.dumps(one.path)}] = (() => {{{sources.without_comments(one.body)}}})();\n"
        for one in bundle.modules
    ]
    return head + "".join(parts)


def _templates(bundle: Bundle) -> str:
    return "".join(
        f"millrace.templates[{json.dumps(one.path)}] = function (Vue) {{{one.render}}};\n"
        for one in bundle.modules
        if one.template
    )


def _source(path: str) -> str:
    return (SOURCE / path).read_text(encoding="utf-8")


def _style(paths: Iterable[str], modules: Iterable[Module] = ()) -> str:
    texts = [*map(_source, paths), *(one.style.text for one in modules)]
    text = re.sub(r"/\*.*?\*/", "", "\n".join(texts), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", text)


def _texts(bundle: Bundle, add: Any) -> dict[str, str]:
    return {
        language: add(
            f"{bundle.name}-{language}",
            ".js",
            "export default " + json.dumps(texts, ensure_ascii=False, separators=(",", ":")) + ";\n",
        )
        for language, texts in bundle.texts.items()
    }


def _page(language: str, loads: dict[str, str], texts: str) -> str:
    page = _source("index.html")
    html = {"zh": "zh-CN", "en": "en"}[language]
    for mark, name in {**loads, "TEXTS": texts, "LANGUAGE": html}.items():
        page = page.replace("{" + mark + "}", name)
    return page


def write(into: Path, lenient: bool = False) -> Built:
    """The layer's files: what is compressed once need not be at each request."""
    built = build(lenient)
    assets = into / "assets"
    assets.mkdir(parents=True, exist_ok=True)
    for name, content in built.files.items():
        (assets / f"{name}.gz").write_bytes(gzip.compress(content, 9, mtime=0))
        (assets / f"{name}.br").write_bytes(brotli.compress(content))
    for language, page in built.pages.items():
        (into / f"index.{language}.html").write_text(page, encoding="utf-8")
    return built


def archive(lenient: bool) -> Path:
    """The layer. lenient: with texts or calls that are missing it is built all the same, and says so."""
    digest = archives.fingerprint(source_files(), archives.Target("", "", (), False))
    cached = archives.CACHE / f"console-{digest}.zip"
    if cached.exists():
        return cached
    with tempfile.TemporaryDirectory() as temporary:
        built = write(Path(temporary) / "python" / LAYER, lenient)
        if built.problems:
            refusal = Failed(built.problems)
            print(f"`make package` will refuse this console:\n{refusal}", file=sys.stderr)
            cached = archives.CACHE / f"console-{digest}-lenient.zip"
        return archives.write_zip(cached, Path(temporary))


def source_files() -> list[Path]:
    """All that the built files are made of."""
    trees = [SOURCE, archives.ROOT / "infra" / "console", archives.ROOT / "chalicelib"]
    found = [path for tree in trees for path in archives.source_files(tree)]
    return [*found, archives.ROOT / "app.py", archives.ROOT / "infra" / "cli" / "spec.py"]
