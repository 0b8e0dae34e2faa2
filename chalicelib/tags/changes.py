"""Tags that somebody of us puts on a customer, or takes off.

Ours at once, with the intent to tell WeCom in the same transaction. The work is in change_work.py.
"""

from typing import Any

from chalicelib.customers import lookup
from chalicelib.customers import service as customers
from chalicelib.platform import audit, clock, due, queues, storage
from chalicelib.platform.errors import Invalid, issue
from chalicelib.platform.plain_text import tag_names
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.tags import rules
from chalicelib.tags.types import TagsPatch


def change(external_userid: str, patch: TagsPatch, principal: Principal) -> list[str]:
    """The tags that the customer has by then. NotFound, Invalid, Conflict, Upstream."""
    wrong = [
        issue(f"{field}[{index}]", "not_a_tag", maximum=rules.MOST)
        for field in ("add", "remove")
        for index, name in enumerate(getattr(patch, field))
        if name.count("/") != 1 or not all(rules.valid(each) for each in tag_names([name]))
    ]
    if wrong:
        raise Invalid(*wrong)
    if not patch.add and not patch.remove:
        raise Invalid(issue("add", "one_of_fields", fields=["add", "remove"]))
    tags, work = _store(external_userid, patch, principal)
    queues.send("push", work, group=external_userid)
    return tags


@storage.retrying("others keep changing this customer")
def _store(external_userid: str, patch: TagsPatch, principal: Principal) -> tuple[list[str], dict[str, Any]]:
    customer = lookup.find_in_scope(external_userid, principal)
    guide = lookup.bond(customer, principal, patch.staff_id)
    add, remove = tag_names(patch.add), tag_names(patch.remove)
    work = {
        "kind": "tag_change",
        "external_userid": external_userid,
        "on": guide,
        "off": lookup.bonds(customer, principal),
        "add": add,
        "remove": remove,
    }
    tx = Transaction()
    now = customers.add_retag(tx, customer, add, remove, guide)
    if now.tags == customer.tags:
        return list(now.tags), work
    audit.add(tx, "customers.tag", external_userid, {"tags": list(customer.tags)}, {"tags": list(now.tags)})
    due.add(tx, "tag_change", clock.now(), f"{external_userid}#{customer.version + 1}", work)
    tx.commit()
    return list(now.tags), work
