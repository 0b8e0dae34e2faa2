"""What an explanation says of stores, and of groups that were not given."""

from typing import Any

import pytest

from chalicelib.assignments.why import explain

SKIPPED = [{"store_id": f"S{n}", "reason": reason} for n, reason in enumerate(("full", "closed", "no_staff"))]


@pytest.mark.parametrize(
    ("why", "chinese", "english"),
    [
        ({"store_id": "A", "distance_m": 120}, "门店 A，相距 120 米", "store A, 120 m away"),
        ({"store_id": "A", "distance_m": None}, "门店 A（顾客所选）", "store A, chosen by the customer"),
        (
            {"store_id": "A", "distance_m": None, "from_chosen_m": 900},
            "门店 A，距顾客所选门店 900 米",
            "store A, 900 m from the chosen one",
        ),
        (
            {"store_id": "A", "distance_m": 1, "skipped": SKIPPED},
            "未选的门店：S0（名额已满）、S1（未营业）、S2（没有导购）",
            "stores passed over: S0 (full), S1 (closed), S2 (nobody there)",
        ),
        ({"groups": "full"}, "客户群都已满", "all groups are full"),
        ({"groups": "refused"}, "入群码暂时取不到", "no group's code could be had"),
        (
            {"kind": "fallback", "skipped": [*SKIPPED, {"store_id": "S3", "reason": "full"}]},
            "等4家",
            "and others, 4 in all",
        ),
    ],
)
def test_which_store_and_which_not(why: dict[str, Any], chinese: str, english: str) -> None:
    told = explain({"kind": "member", "rule": "round_robin", **why}, "a", str)
    assert chinese in told[0]
    assert english in told[1]
