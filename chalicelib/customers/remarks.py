"""What a guide calls a customer (备注): ours at once, with the intent to tell WeCom in the same transaction.

The work is in remark_work.py.
"""

from chalicelib.customers import lookup, models, rules
from chalicelib.customers.rules import Customer
from chalicelib.platform import audit, clock, due, queues, storage, timeline
from chalicelib.platform.principal import Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline import Line
from chalicelib.platform.versions import IfMatch

BUSY = "others keep changing this customer"


def set_remark(
    external_userid: str, remark: str, staff_id: str | None, principal: Principal, if_match: IfMatch
) -> Customer:
    """The customer with that remark of one guide. NotFound, Invalid, Conflict, Stale, Upstream."""
    customer, guide = _store(external_userid, remark, staff_id, principal, if_match)
    queues.send("push", _work(external_userid, guide), group=external_userid)
    return customer


@storage.retrying(BUSY)
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


def _line(customer: Customer, staff_id: str) -> Line:
    """One line for each version that changes a remark; what it is stands in the customer."""
    data = {"staff_id": staff_id}
    return Line(customer.external_userid, "remark_changed", clock.now(), f"v{customer.version + 1}", data)


def _work(external_userid: str, staff_id: str) -> dict[str, str]:
    return {"kind": "remark", "external_userid": external_userid, "staff_id": staff_id}
