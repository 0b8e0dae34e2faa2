"""The console's source files: components in their three parts, modules and what they import and export.

A bundle is made of modules by their text alone: an import is one statement at the start of a line, an export
stands before its declaration. What is written otherwise is an error that names file and line.
"""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from infra.build import ROOT
from infra.console import compiler

SOURCE = ROOT / "layers" / "console"

# A block's end stands at the start of a line, or at the end of the line that it begins in.
_BLOCK = re.compile(
    r"^<(template|script|style)([^>]*)>(?:([^\n]*)</\1>[ \t]*$|\n(.*?)^</\1>)", re.DOTALL | re.MULTILINE
)
_IMPORT = re.compile(r"^import\s+(?:([^\"';]+?)\s+from\s+)?[\"']([^\"']+)[\"'];?[ \t]*$", re.MULTILINE)
_DECLARED = re.compile(r"^export\s+((?:async\s+)?function\*?|const|class)\s+(\w+)", re.MULTILINE)
_DEFAULT = re.compile(r"^export\s+default\s+", re.MULTILINE)
_LIST = re.compile(r"^export\s*\{([^}]*)\}\s*;?", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)
_ANY_COMMENT = re.compile(r"(?<![:\"'`\w])//[^\n]*|/\*.*?\*/|<!--.*?-->", re.DOTALL)
_COMMENTS = re.compile(r"^[ \t]*(?://[^\n]*|/\*.*?\*/[ \t]*)\n", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Problem:
    """What a build says: `layers/console/kit/Field.vue:12: …`. is_broken: nothing can be built with it."""

    path: str
    line: int
    message: str
    is_broken: bool = True

    def __str__(self) -> str:
        return f"layers/console/{self.path}:{self.line}: {self.message}"


class Failed(Exception):
    """The console can't be built; all that is wrong with it."""

    def __init__(self, problems: list[Problem]):
        super().__init__("\n".join(map(str, sorted(set(problems), key=str))))
        self.problems = problems


@dataclass(frozen=True)
class Part:
    """A part of a file. line: where it begins."""

    text: str = ""
    line: int = 1


@dataclass(frozen=True)
class Module:
    """A file of the console. `path` is from its source's root, and its name in imports: `frame/api.js`.

    body: a function's, which takes `$module` and answers the module's exports. render: that of its template.
    """

    path: str
    script: Part = Part()
    template: Part | None = None
    style: Part = Part()
    imports: tuple[str, ...] = ()
    body: str = ""
    render: str = ""
    problems: tuple[Problem, ...] = field(default=())

    @property
    def name(self) -> str:
        """Of a component: the file's."""
        return self.path.rpartition("/")[2].partition(".")[0]


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def read(path: str) -> Module:
    """A .vue or .js file, compiled."""
    return _read(path, (SOURCE / path).read_text(encoding="utf-8"))


@lru_cache(1000)
def _read(path: str, text: str) -> Module:
    problems: list[Problem] = []
    parts = {"script": Part(text)} if path.endswith(".js") else _parts(path, text, problems)
    template, script = parts.get("template"), parts.get("script", Part())
    render = _compiled(path, template, problems) if template else ""
    imports, body = _module(path, script, problems, is_component=path.endswith(".vue"))
    return Module(path, script, template, parts.get("style", Part()), imports, body, render, tuple(problems))


def _parts(path: str, text: str, problems: list[Problem]) -> dict[str, Part]:
    parts: dict[str, Part] = {}
    for found in _BLOCK.finditer(text):
        kind, attributes = found[1], found[2].strip()
        line = line_of(text, found.start())
        if attributes or kind in parts:
            problems.append(Problem(path, line, f"one plain <{kind}>, nothing else"))
        group = 3 if found[3] is not None else 4
        parts[kind] = Part(found[group], line_of(text, found.start(group)))
    if "template" not in parts:
        problems.append(Problem(path, 1, "no <template> at the start of a line"))
    return parts


def _compiled(path: str, template: Part, problems: list[Problem]) -> str:
    for wrong in re.finditer(r"\sv-html\b|\sstyle=\"|\son\w+=\"", template.text):
        line = template.line + template.text.count("\n", 0, wrong.start() + 1)
        words = wrong[0].strip().rstrip('="')
        problems.append(Problem(path, line, f"{words}: the policy lets nothing inline in", False))
    try:
        return re.sub(r"\n\s+", "\n", compiler.compile_template(template.text))
    except compiler.TemplateError as error:
        problems.append(Problem(path, template.line + error.line - 1, str(error)))
        return ""


def _module(
    path: str, script: Part, problems: list[Problem], is_component: bool
) -> tuple[tuple[str, ...], str]:
    """What it imports, and its body with imports and exports as plain JavaScript, line by line as before."""
    imports: list[str] = []
    exports: list[str] = []

    def imported(found: re.Match[str]) -> str:
        names, specifier = found[1], _resolved(path, found[2])
        imports.append(specifier)
        return _keep_lines(found[0], _binding(names, specifier))

    def declared(found: re.Match[str]) -> str:
        exports.append(f"{found[2]}")
        return f"{found[1]} {found[2]}"

    def listed(found: re.Match[str]) -> str:
        for each in filter(None, (name.strip() for name in found[1].split(","))):
            inner, _, outer = each.partition(" as ")
            exports.append(f"{outer.strip()}: {inner.strip()}" if outer else inner)
        return "\n" * found[0].count("\n")

    text = _IMPORT.sub(imported, script.text)
    text = _DECLARED.sub(declared, text)
    text = _LIST.sub(listed, text)
    text, defaults = _DEFAULT.subn("const default_export = ", text)
    if defaults:
        exports.append("default: default_export")
    elif is_component:
        text, exports = text + "\nconst default_export = {};", [*exports, "default: default_export"]
    for odd in _OTHER.finditer(text):
        line = script.line + line_of(text, odd.start()) - 1
        problems.append(Problem(path, line, f"written in a way that the build does not read: {odd[0]}"))
    body = f'"use strict";\n{text}\nreturn {{ {", ".join(exports)} }};'
    if not problems and (wrong := compiler.check_syntax(f"(function ($module) {{ {body} }})")):
        message, _, stack = wrong.partition("\n")
        # QuickJS counts the two lines that it puts before a function's body, and there is ours.
        at = re.search(r"<input>:(\d+)", stack)
        problems.append(Problem(path, script.line + max(int(at[1]) - 4, 0) if at else 1, message))
    return tuple(imports), body


def _binding(names: str | None, specifier: str) -> str:
    """The statement that takes what is imported from another module."""
    loaded = f'$module("{specifier}")'
    if names is None:
        return f"{loaded};"
    if names.startswith("* as "):
        return f"const {names.removeprefix('* as ').strip()} = {loaded};"
    default, _, braced = names.partition("{")
    named = [f"default: {default.strip().rstrip(',').strip()}"] if default.strip() else []
    named += [name.strip().replace(" as ", ": ") for name in braced.rstrip("} \n").split(",") if name.strip()]
    return f"const {{ {', '.join(named)} }} = {loaded};"


def _keep_lines(before: str, after: str) -> str:
    return after + "\n" * before.count("\n")


def _resolved(path: str, specifier: str) -> str:
    """`./rows.js` of a module by its path."""
    if not specifier.startswith("."):
        return specifier
    parts = path.split("/")[:-1]
    for step in specifier.split("/"):
        if step == "..":
            parts = parts[:-1]
        elif step != ".":
            parts.append(step)
    return "/".join(parts)


def blanked(text: str) -> str:
    """Comments as spaces, so that nothing is read in them and places stay."""
    return _ANY_COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def without_comments(text: str) -> str:
    """Comments that have lines of their own go; a browser does not read them."""
    return _COMMENTS.sub("", text)


def files(folder: str, *suffixes: str) -> list[str]:
    """Paths below a folder of the source, in order."""
    base = SOURCE / folder
    found = (p for p in base.rglob("*") if p.suffix in suffixes)
    return sorted(p.relative_to(SOURCE).as_posix() for p in found if not p.name.startswith("."))


def folder_of(path: str | Path) -> str:
    """`first` for frame, kit and home; else the section's id."""
    parts = Path(path).parts
    return parts[1] if parts[0] == "sections" and parts[1] != "home" else "first"
