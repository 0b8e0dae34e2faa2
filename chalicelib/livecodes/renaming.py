"""A member of codes has another userid: their codes name it from now on."""

from collections.abc import Mapping
from typing import Any

from chalicelib.livecodes import rules, service
from chalicelib.livecodes.models import LiveCodeItem


def move(old: str, new: str) -> bool:
    """Every code that names the old id. Conflict when one is changed at this moment: come again."""
    for partition in (service.ACTIVE, service.ARCHIVED):
        for row in LiveCodeItem.by_creation.query(partition):
            if _names(row.definition, old):
                service.rename_member(row.live_code_id, lambda definition: renamed(definition, old, new))
    return False


def renamed(definition: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """With the new id where the old one was; once, where the new one was there already."""
    assignment = definition["assignment"]
    ids = [member["staff_id"] for member in assignment["members"]]
    members = [
        {**member, "staff_id": new if member["staff_id"] == old else member["staff_id"]}
        for member in assignment["members"]
        if member["staff_id"] != old or new not in ids
    ]
    fallback = [new if one == old else one for one in assignment["fallback_staff_ids"]]
    made = {**assignment, "members": members, "fallback_staff_ids": list(dict.fromkeys(fallback))}
    return rules.with_folded_ids({**definition, "assignment": made})


def _names(definition: Mapping[str, Any], staff_id: str) -> bool:
    assignment = definition["assignment"]
    ids = [member["staff_id"] for member in assignment["members"]]
    return staff_id in (*ids, *assignment["fallback_staff_ids"])
