"""Losses in words, with names as they are known."""

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.churn import rules
from chalicelib.customers import service as customers
from chalicelib.notices import rules as notice_rules
from chalicelib.staff import service as staff

_NAMES = 100  # of customers that are looked up for one text


def to_guide(several: Sequence[Mapping[str, Any]]) -> str:
    wanted = [data["external_userid"] for data in several[:_NAMES]]
    people = customers.several(wanted)
    known = [people[who].name for who in wanted if who in people]
    return rules.guide_words(notice_rules.names(known, len(several)))


def to_manager(several: Sequence[Mapping[str, Any]]) -> str:
    return rules.manager_words(several, staff.names({data["staff_id"] for data in several}))
