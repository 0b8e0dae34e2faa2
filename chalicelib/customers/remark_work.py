"""WeCom is told what a guide calls a customer. The work reads what the remark is now, so that it may come
twice or late; what WeCom refuses for good is taken back to what WeCom has. It is apart from remarks.py, whose
scope brings the stores, so that the function that does it starts without them.
"""

from chalicelib.customers import models, rules
from chalicelib.platform import log, storage
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError


def write_remark(external_userid: str, staff_id: str) -> None:
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
        _take_back(external_userid, client)


def _take_back(external_userid: str, client: wecom.WeCom) -> None:
    try:
        follow_user = client.external_contact(external_userid)["follow_user"]
    except WeComError as error:
        if error.retryable:
            raise
        return  # nobody's friend any more: the event that says so is on its way
    _store_remarks(external_userid, follow_user)


@storage.retrying("others keep changing this customer")
def _store_remarks(external_userid: str, follow_user: list[dict[str, object]]) -> None:
    customer = models.load(external_userid)
    now = rules.with_remarks(customer, follow_user)
    if now != customer:
        models.save(now)
