"""WeCom's list of the corp's tags, as an import reads it."""

from collections.abc import Mapping
from datetime import datetime

from msgspec import Struct

from chalicelib.platform import clock
from chalicelib.tags import models, rules
from chalicelib.wecom import client as wecom


class Listed(Struct, frozen=True):
    """WeCom's list of the corp's tags: their ids by `group/name`, and when it was asked for."""

    ids: Mapping[str, str]
    read_at: datetime


def read_list() -> Listed:
    """WeComError, Upstream."""
    read_at = clock.now()
    return Listed(rules.ids(wecom.default_client().get_corp_tag_list()), read_at)


def names_by_id() -> dict[str, str]:
    """`group/name` of each of the corp's tags, by WeCom's id of it. WeComError, Upstream."""
    return {tag_id: name for name, tag_id in read_list().ids.items()}


def compare(listed: Listed) -> tuple[int, int, int]:
    """How many tags there are, how many we did not know, of how many we knew another id."""
    before = models.stored(listed.ids)
    changed_ids = sum(name in before and before[name] != tag_id for name, tag_id in listed.ids.items())
    return len(listed.ids), len(listed.ids.keys() - before.keys()), changed_ids


def keep_list(listed: Listed) -> None:
    """Know these ids from now on. Twice is once."""
    models.keep(listed.ids, listed.read_at)
