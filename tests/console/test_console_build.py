"""The console's build: what it makes of a source, and that it refuses what would fail in a browser, by file and line."""

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path

import brotli
import pytest

from chalicelib.platform.http import Door
from infra import console
from infra.console import calls, checks, compiler, sources
from infra.console.sources import Failed

Write = Callable[[str, str], None]
SECTION = {"group": "acquire", "routes": [{"path": "/things", "screen": "List.vue", "name": "things.list"}]}


def test_the_console_has_nothing_that_a_build_refuses() -> None:
    built = console.build()
    assert built.files and not built.problems


def test_the_first_load_is_small() -> None:
    """What stands in the page and what it asks for at once; the API's answers come on top (the benchmark)."""
    built = console.build()
    page = built.pages["zh"]
    asked = [name for name in built.files if name in page]
    assert len(asked) == 7
    sizes = {name: len(brotli.compress(built.files[name])) for name in asked}
    assert sum(sizes.values()) + len(gzip.compress(page.encode())) < 84 * 1024, sizes


def test_the_first_paint_waits_for_little() -> None:
    """Style and script in the page's head, which a browser awaits before it paints: the frame's outline needs no more."""
    built = console.build()
    head = built.pages["zh"].partition("</head>")[0]
    blocking = re.findall(
        r'<link rel="stylesheet" href="/console/assets/([^"]+)">|<script src="/console/assets/([^"]+)">', head
    )
    sizes = {name: len(brotli.compress(built.files[name])) for pair in blocking for name in pair if name}
    assert len(sizes) == 2 and sum(sizes.values()) < 3 * 1024, sizes


def test_every_call_of_the_api_is_in_the_table_and_it_is_small() -> None:
    table = calls.table()
    calls.document()  # loads every door; other tests have made routes of their own
    routes = [route for route in Door.routes if route.view.__module__.startswith("chalicelib.")]
    assert len(table) == sum(route.path.startswith("/api/") for route in routes)
    assert len(set(calls.names(table))) == len(table)
    assert len(gzip.compress("\n".join(table).encode(), 9)) < 6 * 1024


def test_vue_comes_without_its_compiler_and_is_whole() -> None:
    text = compiler.runtime()
    assert len(text) < 0.7 * len(compiler.vue(compiler.PROD))
    assert not compiler.check_syntax(text.rpartition("export{")[0])


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """A console of one section, in a folder of its own; answers how a file of it is written."""
    for module in (sources, checks, console):
        monkeypatch.setattr(module, "SOURCE", tmp_path)
    monkeypatch.setattr(
        calls, "table", lambda: ["GET things.list things", "GET things.picture things/{}/p.png"]
    )

    def write(path: str, text: str) -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    write("index.html", "<html lang='{LANGUAGE}'>{STYLE}{START_STYLE}{START}{FIRST}{VUE}{TEXTS}{TEMPLATES}")
    write("frame/start.classic.js", "")
    write("frame/start.css", "")
    write("kit/tokens.css", "")
    write("frame/main.js", "export function start() {}\n")
    write("kit/Icon.vue", "<template>\n<i></i>\n</template>\n")
    write("sections/things/section.json", json.dumps(SECTION))
    write("sections/things/List.vue", "<template>\n<Icon />\n</template>\n")
    for language in ("zh", "en"):
        write(f"sections/things/{language}.json", '{"things.list.title": "Things"}')
    return write


def test_a_section_is_a_bundle_of_its_own(source: Write) -> None:
    source(
        "sections/things/List.vue",
        """<template>
<p :title="a">{{ t("things.list.title") }} {{ twice(2) }} &amp;</p>
</template>
<script>
import { ref } from "vue";
import {
  twice,
} from "./twice.js";

export default { setup: () => ({ twice, a: ref(1) }) };
</script>
<style>
.things { color: red; }
</style>
""",
    )
    source("sections/things/twice.js", "// Doubles.\nexport const twice = (n) => 2 * n;\n")
    built = console.build()
    (script,) = (
        text.decode()
        for name, text in built.files.items()
        if name.startswith("things-") and b"$module" in text
    )
    (templates,) = (text.decode() for name, text in built.files.items() if name.startswith("things-t-"))
    assert script.index('modules["sections/things/twice.js"]') < script.index(
        'modules["sections/things/List.vue"]'
    )
    assert "import" not in script.replace("imported", "") and "Doubles" not in script
    assert 'millrace.templates["sections/things/List.vue"]' in templates and '" &"' in templates
    assert any(text == b".things { color: red; }" for text in map(bytes.strip, built.files.values()))


def _broken(
    source: Write, template: str = "<p />", script: str = "export default {};", style: str = ""
) -> str:
    source(
        "sections/things/List.vue",
        f"<template>\n{template}\n</template>\n<script>\n{script}\n</script>\n<style>\n{style}\n</style>\n",
    )
    with pytest.raises(Failed) as failed:
        console.build()
    (problem,) = failed.value.problems
    assert str(problem) == str(failed.value)
    return str(problem).removeprefix("layers/console/sections/things/List.vue:")


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("<p>\n<b></p>", "3: Element is missing end tag."),
        ("<p>\n{{ a + }}</p>", "3: Error parsing JavaScript expression: unexpected token in expression: ')'"),
        ("<p />\n<Thing />", "3: no component Thing in the kit, and none of that name here"),
        ('<p>\n{{ t("things.none") }}</p>', "3: no text things.none"),
        ("<p />\n<a :href=\"link('things.none')\" />", "3: no screen things.none"),
        ("<p>\n{{ t.enum('mood', a) }}</p>", "3: no texts enum.mood.…"),
        ('<p\nv-html="a" />', "3: v-html: the policy lets nothing inline in"),
        ('<p style="color: red" />', "2: style: the policy lets nothing inline in"),
        ("<p popover />", "2: popover: Chromium 107 does not know it"),
    ],
)
def test_a_template_that_would_fail_is_refused(source: Write, template: str, says: str) -> None:
    assert _broken(source, template) == says


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("export default {\n  a: ,\n};", "6: unexpected token in expression: ','"),
        ('import { a } from "frame/none.js";\nexport default {};', "5: no file frame/none.js"),
        ('import a from "sections/other/a.js";\nexport default {};', "5: no file sections/other/a.js"),
        (
            "export let a = 1;\nexport default {};",
            "5: written in a way that the build does not read: export let a = 1;",
        ),
        ("api.things.list();\napi.things.lists();\nexport default {};", "6: the API has no api.things.lists"),
        ("export default { a: [].toSorted() };", "5: .toSorted(: Chromium 107 does not know it"),
        ('export default { a: () => t("things.none") };', "5: no text things.none"),
    ],
)
def test_a_script_that_would_fail_is_refused(source: Write, script: str, says: str) -> None:
    assert _broken(source, script=script) == says


@pytest.mark.parametrize(
    "style",
    [".a { color: color-mix(in srgb, red, blue); }", ".a { height: 100dvh; }", ".a {\n  & b { top: 0; }\n}"],
)
def test_a_style_that_the_oldest_browser_does_not_know_is_refused(source: Write, style: str) -> None:
    assert _broken(source, style=style).endswith("Chromium 107 does not know it")


def test_comments_and_addresses_of_calls_are_no_mistakes(source: Write) -> None:
    source(
        "sections/things/List.vue",
        '<template>\n<!-- {{ t("none") }} -->\n<p />\n</template>\n<script>\n// api.none() and t("none")\n'
        'export default { a: (id) => `https://x/${api.things.picture.url(id)}` }; /* t("none") */\n</script>\n',
    )
    console.build()


@pytest.mark.parametrize(
    ("language", "texts", "says"),
    [
        ("zh", '{"things.list.title": "A", "a": "甲"}', "zh.json:1: en.json has no a"),
        (
            "en",
            '{"things.list.title": "A {b}"}',
            "en.json:1: things.list.title: other {places} than in zh.json",
        ),
        ("en", '{"things.list.title": "A",\n}', "en.json:"),
        (
            "en",
            '{"things.list.title": "A",\n "things.list.title": "B"}',
            "en.json:1: things.list.title stands here twice",
        ),
    ],
)
def test_texts_are_the_same_in_both_languages(source: Write, language: str, texts: str, says: str) -> None:
    source(f"sections/things/{language}.json", texts)
    with pytest.raises(Failed, match="sections/things/") as failed:
        console.build()
    assert says in str(failed.value)


def test_a_text_may_choose_by_number_in_one_language(source: Write) -> None:
    source("sections/things/zh.json", '{"things.list.title": "{count} 个"}')
    source("sections/things/en.json", '{"things.list.title": "{count} {count|thing|things}"}')
    console.build()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"permission": "things.eat"}, "no permission things.eat"),
        ({"screen": "None.vue"}, "no file None.vue"),
        ({"name": "things.none"}, "no text things.none.title"),
        ({"titel": "a"}, "unknown titel"),
    ],
)
def test_a_route_that_leads_nowhere_is_refused(source: Write, change: dict[str, str], says: str) -> None:
    route = {"path": "/things", "screen": "List.vue", "name": "things.list"}
    source("sections/things/section.json", json.dumps({"group": "acquire", "routes": [route | change]}))
    with pytest.raises(Failed, match=says):
        console.build()


def test_a_section_without_routes_is_refused(source: Write) -> None:
    source("sections/others/section.json", json.dumps({"group": "acquire"}))
    with pytest.raises(Failed, match="no routes"):
        console.build()


def test_imports_in_a_circle_are_refused(source: Write) -> None:
    source("sections/things/a.js", 'import { b } from "./b.js";\nexport const a = 1;\n')
    source("sections/things/b.js", 'import { a } from "./a.js";\nexport const b = 1;\n')
    says = _broken(source, script='import { a } from "./a.js";\nexport default {};')
    assert "imports in a circle" in says and says.endswith(
        "a.js → sections/things/b.js → sections/things/a.js"
    )


def test_a_screen_takes_nothing_from_another_section(source: Write) -> None:
    source("sections/others/section.json", json.dumps({"group": "acquire", "routes": []}))
    source("sections/others/a.js", "export const a = 1;\n")
    says = _broken(source, script='import { a } from "../others/a.js";\nexport default {};')
    assert says == "5: sections/others/a.js is another section's"


def test_a_text_that_nothing_shows_is_refused(source: Write) -> None:
    source(
        "sections/things/List.vue",
        '<template>\n<p :title="t(`things.mood.${a}`)">{{ t.enum("mood", a) }}</p>\n</template>\n',
    )
    for language in ("zh", "en"):
        texts = {"things.list.title": "T", "things.mood.good": "G", "enum.mood.good": "G", "things.odd": "O"}
        source(f"sections/things/{language}.json", json.dumps(texts, indent=0))
    with pytest.raises(Failed) as failed:
        console.build()
    assert [str(problem).rpartition("/")[2] for problem in failed.value.problems] == [
        "zh.json:5: nothing shows things.odd"
    ]
