"""Corp tags: put on customers at WeCom by name; names that WeCom lacks are made there.

Setting a tag twice is the same as once. WeCom tells us nothing of what we ourselves change, so our
mirror of the customer is brought up to date here.
"""

from collections.abc import Collection

from chalicelib.customers import service as customers
from chalicelib.platform import clock, log, queues
from chalicelib.platform.plain_text import tag_names
from chalicelib.tags import models, rules
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.events import Event

_EXISTS = 40071
_UNKNOWN_TAG = 40068


def apply(staff_id: str, external_userid: str, add: Collection[str], remove: Collection[str]) -> None:
    """Set and clear tags (`group/name`) on one bond at WeCom, then in our mirror.

    What can never succeed (no bond any more, a name that WeCom does not take) is taken out of the
    mirror, with a line saying so. Upstream for what may pass: the message is handed out again.
    """
    add, remove = tag_names(add), tag_names(remove)
    wanted = [name for name in add if rules.valid(name)]
    if impossible := set(add) - set(wanted):
        customers.remove_tags(external_userid, impossible, staff_id)
    try:
        _mark(staff_id, external_userid, wanted, remove)
    except WeComError as error:
        if error.retryable:
            raise
        log.logger.warning("tags refused", extra={"errcode": error.errcode, "path": error.path})
        customers.remove_tags(external_userid, wanted, staff_id)
        return
    customers.add_tags(external_userid, wanted, staff_id)
    if remove:
        customers.remove_tags(external_userid, remove, staff_id)


def changed(event: Event) -> None:
    """Somebody made, renamed, ordered or deleted tags in WeCom: ids are void, groups are read anew."""
    forget_ids()
    queues.send("push", {"kind": "tag_sync"}, group="tag_sync", key=event.digest)


def forget_ids() -> None:
    """What we know of tags' ids by their names is void."""
    models.void(clock.now())


def _mark(staff_id: str, external_userid: str, add: Collection[str], remove: Collection[str]) -> None:
    for last in (False, True):
        ids = _ids(add, fresh=last)
        gone = _known([name for name in dict.fromkeys(remove) if rules.valid(name)], fresh=last)
        try:
            wecom.default_client().mark_tag(
                staff_id, external_userid, list(ids.values()), list(gone.values())
            )
            return
        except WeComError as error:
            if last or error.errcode != _UNKNOWN_TAG:  # deleted behind our back: once more, read anew
                raise


def _ids(names: Collection[str], fresh: bool) -> dict[str, str]:
    """The ids of all the names; missing ones are made."""
    known_ids = _known(names, fresh)
    missing = [name for name in names if name not in known_ids]
    if not missing:
        return known_ids
    read_at = clock.now()
    made: dict[str, str] = {}
    for group, tags in rules.by_group(missing).items():
        try:
            made |= rules.ids([wecom.default_client().add_corp_tag(group, tags)])
        except WeComError as error:
            if error.errcode != _EXISTS:
                raise
            made |= _make_each(group, tags)
    made = {name: tag_id for name, tag_id in made.items() if name in missing}
    models.keep(made, read_at)
    return known_ids | made


def _make_each(group: str, tags: Collection[str]) -> dict[str, str]:
    """One of them was made by somebody else meanwhile: read the list, make the rest one by one."""
    made = rules.ids(wecom.default_client().get_corp_tag_list())
    for tag in tags:
        if f"{group}/{tag}" not in made:
            made |= rules.ids([wecom.default_client().add_corp_tag(group, [tag])])
    return made


def _known(names: Collection[str], fresh: bool) -> dict[str, str]:
    """The ids of those names that exist: from the cache, else (or when `fresh`) from WeCom."""
    known_ids = {} if fresh or not names else models.known(names)
    missing = [name for name in names if name not in known_ids]
    if not missing:
        return known_ids
    read_at = clock.now()
    there = rules.ids(wecom.default_client().get_corp_tag_list())
    read = {name: there[name] for name in missing if name in there}
    models.keep(read, read_at)
    return known_ids | read
