"""What a guide calls a customer (备注): ours at once, with the intent to tell WeCom in the same transaction.

The work reads what the remark is now, so that it may come twice or late. What WeCom refuses for good is taken
back to what WeCom has.
"""

from chalicelib.customers import lookup, models, rules
from chalicelib.customers.rules import Customer
from chalicelib.platform import audit, clock, due, log, queues, storage, timeline
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.platform.versions import IfMatch
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

_BUSY = "others keep changing this customer"


def set_remark(
    external_userid: str, remark: str, staff_id: str | None, principal: Principal, if_match: IfMatch
) -> Customer:
    """The customer with that remark of one guide. NotFound, Invalid, Conflict, Stale, Upstream."""
    customer, guide = _store(external_userid, remark, staff_id, principal, if_match)
    queues.send("push", _work(external_userid, guide), group=external_userid)
    return customer


@storage.retrying(_BUSY)
def _store(
    external_userid: str, remark: str, staff_id: str | None, principal: Principal, if_match: IfMatch
) -> tuple[Customer, str]:
    customer = lookup.find_in_scope(external_userid, principal)
    if_match.check(customer.version, lambda: customer)
    guide = lookup.bond(customer, principal, staff_id)
    before = customer.follows[guide].remark
    if remark == before:
        return customer, guide
    now = clock.now()
    tx = Transaction()
    models.add(tx, rules.with_remark(customer, guide, remark))
    timeline.add(tx, _line(customer, guide))
    audit.add(tx, "customers.change", external_userid, {"remark": before}, {"remark": remark})
    due.add(tx, "remark", now, f"{external_userid}#{customer.version + 1}", _work(external_userid, guide))
    tx.commit()
    return models.load(external_userid), guide


def tell(external_userid: str, staff_id: str) -> None:
    """Have WeCom call the customer what we do. Upstream for what may pass."""
    customer = models.load(external_userid)
    follow = customer.follows.get(staff_id)
    if follow is None or not follow.stands:
        return
    client = wecom.default_client()
    try:
        client.remark(staff_id, external_userid, follow.remark)
    except WeComError as error:
        if error.retryable:
            raise
        log.logger.warning("remark refused", extra={"errcode": error.errcode})
        _take_back(external_userid, client.external_contact(external_userid)["follow_user"])


@storage.retrying(_BUSY)
def _take_back(external_userid: str, follow_user: list[dict[str, object]]) -> None:
    customer = models.load(external_userid)
    now = rules.with_remarks(customer, follow_user)
    if now != customer:
        models.save(now)


def _line(customer: Customer, staff_id: str) -> Line:
    """One line for each version that changes a remark; what it is stands in the customer."""
    data = {"staff_id": staff_id}
    return Line(customer.external_userid, "remark_changed", clock.now(), f"v{customer.version + 1}", data)


def _work(external_userid: str, staff_id: str) -> dict[str, str]:
    return {"kind": "remark", "external_userid": external_userid, "staff_id": staff_id}
