"""Vue, and its compiler in QuickJS: a component's template becomes the text of a render function.

Vue comes from a wheel that carries it, fetched once and kept under build/, so that no Node is needed. The
browser gets it without the compiler, a third of it, which has done its work here.
"""

import hashlib
import html
import json
import re
import subprocess
import sys
import zipfile
from functools import cache
from pathlib import Path

import quickjs

from infra.build import CACHE

WHEEL = "nicegui==3.18.0"  # MIT, as is the Vue 3.5.22 in it
PROD, DEV = "nicegui/static/vue.esm-browser.prod.js", "nicegui/static/vue.esm-browser.js"
SHA256 = "f1dfbe4ca6bdc0f8eac639eea8652654a073433018be9bfd1cc55e75574b78f0"  # of PROD
# The compiler in PROD: between what it is handed (all of Vue as one object) and the exports.
_COMPILER = re.compile(r"var ov,oy,ob,o_=Object\.freeze\(.*?lP\(us\);(?=export\{)", re.DOTALL)

# What the compiler asks of a browser: one element, which decodes HTML's entities.
_HOST = """
var console = {log() {}, info() {}, error() {}, warn() {}};
var document = {createElement: () => ({
  set innerHTML(text) { this.html = text; },
  get textContent() { return unescape_html(this.html); },
  get children() {
    return [{getAttribute: () => unescape_html(this.html.slice('<div foo="'.length, -'">'.length))}];
  },
})};
var RealFunction = Function;
Function = function (...words) {
  return words[0] === "Vue" ? () => ({code: words[1]}) : RealFunction(...words);
};
"""
_CALL = """
function compile_template(template) {
  const errors = [];
  const made = compile(template, {
    comments: false,
    onError: (e) => errors.push({message: e.message, line: e.loc ? e.loc.start.line : 1}),
  });
  return JSON.stringify({code: made.code, errors});
}
function check_syntax(code) {
  try { new RealFunction(code); return ""; } catch (e) { return e.message + "\\n" + (e.stack || ""); }
}
"""


class TemplateError(Exception):
    """line: of the template, 1 its first."""

    def __init__(self, message: str, line: int):
        super().__init__(message)
        self.line = line


@cache
def wheel() -> Path:
    """The wheel, fetched with pip when it is not here yet. RuntimeError when its Vue is another."""
    folder = CACHE / "console"
    folder.mkdir(parents=True, exist_ok=True)
    name, _, version = WHEEL.partition("==")
    pattern = f"{name}-{version}-*.whl"
    if not list(folder.glob(pattern)):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        subprocess.run([*command, "--disable-pip-version-check", "--dest", str(folder), WHEEL], check=True)
    found = next(folder.glob(pattern))
    with zipfile.ZipFile(found) as packed:
        if hashlib.sha256(packed.read(PROD)).hexdigest() != SHA256:
            raise RuntimeError(f"{PROD} of {WHEEL} is not the pinned one")
    return found


@cache
def vue(path: str) -> str:
    with zipfile.ZipFile(wheel()) as packed:
        return packed.read(path).decode()


@cache
def runtime() -> str:
    """Vue for the browser, without its compiler."""
    text, cuts = _COMPILER.subn("var ov,oy,ob;", vue(PROD))
    text, exports = re.subn(r"\bus as compile,", "", text)
    if (cuts, exports) != (1, 1):
        raise RuntimeError("this Vue has its compiler elsewhere")
    return text


@cache
def _context() -> quickjs.Context:
    """The development build of Vue in QuickJS: the one that finds every mistake, and says where."""
    context = quickjs.Context()
    context.add_callable("unescape_html", html.unescape)
    context.eval(_HOST)
    body = re.sub(r"export\s*\{[^}]*\};?\s*$", "", vue(DEV))
    context.eval(f"(function () {{ {body}\nglobalThis.compile = compileToFunction; }})();")
    context.eval(_CALL)
    return context


def compile_template(template: str) -> str:
    """The text of a function's body that takes `Vue` and returns the render function. TemplateError."""
    try:
        compiled = json.loads(_context().eval(f"compile_template({json.dumps(template)})"))
    except quickjs.JSException as error:
        raise TemplateError(str(error).split("\n")[0], 1) from error
    for error in compiled["errors"]:
        raise TemplateError(error["message"].split("\n")[0], error["line"])
    code = re.sub(r" /\* [A-Z_, ]+ \*/", "", compiled["code"])  # the names of its flags
    if wrong := check_syntax(code):
        raise TemplateError(wrong.split("\n")[0], 1)
    return code


def check_syntax(code: str) -> str:
    """What is wrong with the JavaScript of a function's body, with the line in `<input>`; "" for nothing."""
    return str(_context().eval(f"check_syntax({json.dumps(code)})"))
