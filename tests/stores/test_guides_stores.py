"""Which store an order's guide is of."""

import time
from typing import Any

import pytest

from chalicelib.stores import guides
from chalicelib.stores.models import StoreItem
from tests.orders.test_orders_scopes import staff_store


def test_the_first_guide_who_is_of_a_store_and_of_several_the_first(
    tables: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    guides.forget()
    staff_store("s2", "ann", "bob")
    staff_store("s1", "ann")
    assert guides.store_of(["nobody", "bob", "ann"]) == "s2"
    assert guides.store_of(["ann", "bob"]) == "s1"
    assert guides.store_of(["nobody"]) is guides.store_of([]) is None
    asked: list[Any] = []
    real = StoreItem.by_id.query
    monkeypatch.setattr(StoreItem.by_id, "query", lambda *a, **k: asked.append(a) or real(*a, **k))
    staff_store("s0", "bob")
    assert guides.store_of(["bob"]) == "s2" and not asked  # a process asks every five minutes at most
    later = time.monotonic() + 301
    monkeypatch.setattr(guides.time, "monotonic", lambda: later)
    assert guides.store_of(["bob"]) == "s0" and len(asked) == 1
    guides.forget()
