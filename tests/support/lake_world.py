"""One process that is every function: what goes to the lake is written at once, and asked there."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.customers import models as customer_models
from chalicelib.customers import rules as customer_rules
from chalicelib.facts import service as facts
from chalicelib.facts.types import Change
from chalicelib.lake import asking, engine, writing
from chalicelib.platform import invocations, settings
from chalicelib.platform.timeline import TimelineItem
from chalicelib.segments import looking

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
VIP = {"tag": {"any": ["等级/VIP"]}}
Ask = Callable[..., Any]
_honest_ask = invocations.ask


def ask_the_lake(function: str, event: Any) -> dict[str, Any]:
    """What the function would answer, by way of JSON."""
    given = json.dumps(asking.answer(json.loads(json.dumps(event)))).encode()

    class Lambda:
        def read(self) -> bytes:
            return given

        def invoke(self, **_: Any) -> Any:
            return {"Payload": self}

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settings, "client", lambda _: Lambda())
        return _honest_ask(function, event)


def add(who: str, staff_id: str = "ann", *tags: str, minutes: int = 0) -> None:
    """A customer, as the sources know them, in the lake."""
    at = NOW + timedelta(minutes=minutes)
    customer = customer_rules.added(customer_models.load(who), staff_id, at, False, None).customer
    customer_models.save(customer_rules.with_tags(customer, add=tags))
    to_lake(who)


def untag(who: str, *tags: str) -> None:
    customer = customer_models.load(who)
    assert customer is not None
    customer_models.save(customer_rules.with_tags(customer, remove=tags))
    to_lake(who)


def to_lake(who: str) -> None:
    sent: list[Change] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facts, "send_change", sent.append)
        facts.refresh(who)
    writing.write_changes(engine.current(), sent)


def look(left: int = 300_000) -> None:
    looking.look(milliseconds_left=lambda: left)


def said() -> list[tuple[str, str]]:
    rows = [row for row in TimelineItem.scan() if row.type.startswith("segment_")]
    return sorted((row.subject, row.type) for row in rows)


def make(ask: Ask, rule: Any = VIP, **more: Any) -> str:
    status, made = ask("POST", "/api/segments", {"name": "VIP", "rule": rule, **more})
    assert status == 201, made
    return str(made["segment_id"])
