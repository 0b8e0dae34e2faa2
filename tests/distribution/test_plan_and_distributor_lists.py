"""Plans and distributors: whole lists, with search, sort and exact totals."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.distribution import distributors, plans
from chalicelib.distribution.distributors import DistributorsQuery
from chalicelib.distribution.plans import PlansQuery
from chalicelib.distribution.types import NewDistributor
from chalicelib.platform.principal import SYSTEM
from tests.support.money_world import T0, World


@pytest.fixture
def world(tables: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch) -> World:
    return World(at, sent, monkeypatch)


def test_plans(world: World) -> None:
    for n, (name, every) in enumerate((("春季分销", None), ("夏季", "P1M"), ("Autumn", "P1D"))):
        world.at(T0 + timedelta(minutes=n))
        world.plan(name=name, settle_every=every)

    def names(**query: Any) -> list[str]:
        page = plans.page(PlansQuery(**query))
        assert (page.total, page.total_is) == (len(page.items), "exact")
        return [plan.name for plan in page.items]

    assert names() == ["Autumn", "夏季", "春季分销"] == list(reversed(names(sort="created_at")))
    assert names(sort="name")[0] == "Autumn" == names(sort="-name")[-1]
    assert names(q="cj") == ["春季分销"] and names(q="季", sort="created_at") == ["春季分销", "夏季"]
    assert names(settle_every="P1M") == ["夏季"]


def test_distributors(world: World) -> None:
    first, second = world.plan(), world.plan()
    made = {}
    for n, (name, plan_id) in enumerate((("王小明", first), ("李雷", second), ("Zoe", first))):
        world.at(T0 + timedelta(minutes=n))
        new = NewDistributor(name=name, openid=f"o{n}", plan_id=plan_id, external_userid=f"wm{n}")
        made[name] = distributors.create(new)

    def names(**query: Any) -> list[str]:
        page = distributors.page(DistributorsQuery(**query), SYSTEM)
        assert page.total == len(page.items)
        return [who.name for who in page.items]

    assert names() == ["王小明", "李雷", "Zoe"]
    assert names(sort="-created_at", plan_id=first) == ["Zoe", "王小明"]
    assert names(q="wxm") == ["王小明"] and names(q=made["李雷"].distributor_id) == ["李雷"]
    assert names(sort="name")[0] == "Zoe" and names(status="active") == names()
    page = distributors.page(DistributorsQuery(limit=2), SYSTEM)
    rest = distributors.page(DistributorsQuery(limit=2, cursor=page.next_cursor), SYSTEM)
    assert [who.name for who in page.items + rest.items] == names() and page.total == 3
