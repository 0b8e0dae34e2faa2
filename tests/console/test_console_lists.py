"""Every list of the console can be had as a file, as the operators' book says."""

import re
from pathlib import Path

from chalicelib.platform.http import Door
from infra.console import calls
from infra.console.sources import SOURCE

OTHERWISE = {
    "sections/prospects/List.vue": "phone numbers go by an export of their own, in the menu beside it",
    "sections/posters/List.vue": "pictures",
    "sections/funnel/Days.vue": "what a figure is the sum of",
    "sections/funnel/Funnel.vue": "the table of a chart",
    "sections/channels/List.vue": "few, with their results in the funnel",
    "sections/printruns/List.vue": "each run has its own files",
    "sections/printruns/Run.vue": "the run's files hold its cards",
}


def lists() -> list[tuple[str, str | None]]:
    """(file, the list that is exported, with {} for what is put in)."""
    found = []
    for path in sorted(Path(SOURCE).rglob("sections/**/*.vue")):
        for tag in re.findall(r"<DataList\b(?:[^>\"]|\"[^\"]*\")*>", path.read_text()):
            export = re.search(r'\bexport-path="`?/api/([^"`]+)`?"', tag)
            found.append((str(path.relative_to(SOURCE)), export and re.sub(r"\$\{.*?\}", "{}", export[1])))
    return found


def test_every_list_can_be_had_as_a_file() -> None:
    without = {file for file, export in lists() if export is None}
    assert not without - OTHERWISE.keys()


def test_what_is_exported_is_a_list_of_the_api() -> None:
    calls.document()  # loads every door
    known = {re.sub(r"\{.*?\}", "{}", route.path) for route in Door.routes if route.is_list}
    exported = {f"/api/{export}" for _, export in lists() if export}
    assert len(exported) > 20 and not exported - known
