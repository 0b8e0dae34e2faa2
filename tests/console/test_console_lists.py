"""Every list of the console can be had as a file, as the operators' book says."""

import re
from pathlib import Path

from chalicelib.platform.http import Door
from infra.console import calls
from infra.console.sources import SOURCE

OTHERWISE = {
    "sections/prospects/List.vue": "phone numbers go by an export of their own, in the menu beside it",
    "sections/posters/List.vue": "pictures",
}


def lists() -> list[tuple[str, list[str]]]:
    """(file, the lists that it exports, with {} for what is put in)."""
    found = []
    for path in sorted(Path(SOURCE).rglob("sections/**/*.vue")):
        for tag in re.findall(r"<DataList\b(?:[^>\"]|\"[^\"]*\")*>", path.read_text()):
            export = re.search(r'\bexport-path="([^"]*)"', tag)
            paths = re.findall(r"/?api/([^`'\" ]+)", export[1]) if export else []
            found.append((str(path.relative_to(SOURCE)), [re.sub(r"\$\{.*?\}", "{}", one) for one in paths]))
    return found


def test_every_list_can_be_had_as_a_file() -> None:
    assert {file for file, exports in lists() if not exports} == OTHERWISE.keys()


def test_what_is_exported_is_a_list_of_the_api() -> None:
    calls.document()  # loads every door
    known = {re.sub(r"\{.*?\}", "{}", route.path) for route in Door.routes if route.is_list}
    exported = {f"/api/{export}" for _, exports in lists() for export in exports}
    assert len(exported) > 20 and not exported - known
