"""Questions over everybody's facts, asked of the function `lake`, which has the engine.

A capability says in its `questions.py` what it asks: `QUESTIONS = {name: "module:function"}`. The function is
called with the engine, brought up to date, and by name with what was given; it gives a Struct or a dict.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec

from chalicelib.platform import declared, invocations, settings


def ask(question: str, **given: Any) -> dict[str, Any]:
    """The answer, from the function. Invalid, NotFound, Conflict as the answerer raised them; Upstream."""
    event = {"question": question, "given": msgspec.to_builtins(given)}
    return invocations.ask(settings.env("LAKE_FUNCTION"), event)


def answer(event: Mapping[str, Any]) -> dict[str, Any]:
    """In the function: what `ask` gets, or its error (platform/invocations.py)."""
    return invocations.answer(lambda: _answer(event["question"], event["given"]))


def _answer(question: str, given: Mapping[str, Any]) -> dict[str, Any]:
    from chalicelib.lake.engine import current  # DuckDB: only the function has it

    lake = current()
    lake.refresh()
    return dict(msgspec.to_builtins(declared.resolve(_known()[question])(lake, **given)))


@cache
def _known() -> Mapping[str, str]:
    return {name: how for table in declared.find("questions", "QUESTIONS") for name, how in table.items()}
