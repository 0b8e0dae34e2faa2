"""Of two who edit one thing: what one left alone is the other's, what both changed is chosen between."""

import json
from typing import Any

import pytest
import quickjs

from infra.console.sources import SOURCE


@pytest.fixture(scope="module")
def engine() -> Any:
    context = quickjs.Context()
    context.eval((SOURCE / "kit/values.js").read_text().replace("export ", ""))
    return context


@pytest.mark.parametrize(
    ("before", "mine", "theirs", "kept", "choices"),
    [
        ({"a": 1, "b": 1}, {"a": 2, "b": 1}, {"a": 1, "b": 3}, {"a": 2, "b": 3}, ["a"]),
        ({"a": 1}, {"a": 2}, {"a": 3}, {"a": 2}, ["a"]),
        ({"a": 1}, {"a": 2}, {"a": 2}, {"a": 2}, []),
        ({"w": {"x": 1, "y": 1}}, {"w": {"x": 2, "y": 1}}, {"w": {"x": 1, "y": 9}}, {"w": {"x": 2, "y": 9}}, ["w.x"]),
        ({"tags": []}, {"tags": []}, {"tags": ["t"]}, {"tags": ["t"]}, []),
        ({"tags": ["s"]}, {"tags": ["s", "m"]}, {"tags": ["s", "t"]}, {"tags": ["s", "m"]}, ["tags"]),
        ({"w": None}, {"w": {"x": 1}}, {"w": None}, {"w": {"x": 1}}, ["w"]),
        ({"w": {"x": 1}}, {"w": {"x": 1}}, {"w": None}, {"w": None}, []),
    ],
)  # fmt: skip
def test_edits_are_put_upon_the_others(
    engine: Any, before: Any, mine: Any, theirs: Any, kept: Any, choices: list[str]
) -> None:
    call = f"patched({json.dumps(theirs)}, mergePatch({json.dumps(before)}, {json.dumps(mine)}))"
    assert json.loads(engine.eval(f"JSON.stringify({call})")) == kept
    paths = engine.eval(f"JSON.stringify(differences({json.dumps(theirs)}, {call}).map((one) => one.path))")
    assert json.loads(paths) == choices
