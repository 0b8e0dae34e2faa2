"""Who reacts to what, through the stream's handler."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chalicelib.platform import timeline
from chalicelib.platform.timeline import Line

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture
def react() -> Any:
    spec = importlib.util.spec_from_file_location("react_handler", ROOT / "functions/react/handler.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def records(*lines: Line) -> dict[str, Any]:
    """Lambda's event for new lines of the timeline."""
    found = []
    for number, line in enumerate(lines):
        item = timeline._item(line)
        image = {name: {"S": value["S"]} for name, value in item.serialize().items()}
        found.append({"eventName": "INSERT", "dynamodb": {"SequenceNumber": str(number), "NewImage": image}})
    return {"Records": found}


def test_each_line_reaches_those_named_for_it_and_no_others(react: Any) -> None:
    heard: list[Line] = []
    react.REACTIONS.clear()
    react.REACTIONS["customer_added"] = [heard.append, heard.append]
    added = Line("wm1", "customer_added", NOW, "k", {"staff_id": "lihua"})
    answer = react.handler(records(added, Line("wm1", "welcome_sent", NOW, "k")), None)
    assert answer == {"batchItemFailures": []}
    assert heard == [added, added]


def test_a_reaction_that_fails_is_asked_again_from_there(react: Any) -> None:
    heard: list[str] = []

    def fails_on_b(line: Line) -> None:
        if line.key == "b":
            raise ConnectionError
        heard.append(line.key)

    react.REACTIONS["order_paid"] = [fails_on_b]
    lines = [Line("wm1", "order_paid", NOW, key) for key in "abc"]
    assert react.handler(records(*lines), None) == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert heard == ["a"]


def test_the_table_names_lines_that_there_are(react: Any) -> None:
    architecture = (ROOT / "docs/architecture.md").read_text()
    for kind in react.REACTIONS:
        assert kind in architecture
