"""The row of one contact way: WeCom's answer stored under the maker's lease, deleted, counted."""

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypeVar

from chalicelib.contactways import usage
from chalicelib.contactways.models import MAKING, READY, ContactWayItem
from chalicelib.platform import storage
from chalicelib.platform.errors import Upstream
from chalicelib.platform.storage import Base, ConditionFailed, Transaction
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

DEADLINE = timedelta(seconds=10)  # for making one, retries and search and all: a person is waiting
LEASE = timedelta(seconds=30)  # longer than making one takes: a call, a search
NATIVE = "mn"  # what the state of a code's own way begins with
GONE = 41044  # WeCom: there is no way of that config_id
_WAIT_SECONDS, _POLL_SECONDS = 3.0, 0.2  # for another process that is making the same way
_Row = TypeVar("_Row", bound=Base)


def kind(state: str) -> str:
    """How a way counts: `native`, or `staff` (one guide's)."""
    return "native" if state.startswith(NATIVE) else "staff"


def store_answer(
    row: ContactWayItem, lease: str, config_id: str, qr_url: str, known: Mapping[str, Any] | None = None
) -> bool:
    """Store WeCom's answer in the row. False: it is not held under that lease any more."""
    actions = [
        ContactWayItem.status.set(READY),
        ContactWayItem.config_id.set(config_id),
        ContactWayItem.qr_url.set(qr_url),
    ]
    actions += [getattr(ContactWayItem, name).set(value) for name, value in (known or {}).items()]
    held = (ContactWayItem.lease == lease) & (ContactWayItem.status == MAKING)
    return storage.update_if(row, actions, held, lambda row: row.config_id == config_id)


def remove(row: ContactWayItem, condition: Any, tx: Transaction | None = None) -> bool:
    """Delete the row, and count it out. False when the condition does not hold any more."""
    tx = tx or Transaction()
    tx.delete("way", row, condition)
    usage.count(tx, kind(row.state), row.state, -1)
    try:
        tx.commit()
    except ConditionFailed:
        return False
    return True


def delete_at_wecom(config_id: str) -> None:
    """Delete a contact way at WeCom; one that is gone is deleted. WeComError, Upstream."""
    try:
        wecom.default_client().del_contact_way(config_id)
    except WeComError as error:
        if error.errcode != GONE:
            raise


def wait_for_maker(model: type[_Row], state: str) -> _Row:
    """The row of a way, a contact way or a join way, when the process that makes it is done. Upstream."""
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        row = model.find(state)
        if row is None:
            break
        if row.status == READY:
            return row  # type: ignore[no-any-return]
        time.sleep(_POLL_SECONDS)
    raise Upstream(code="way_being_made")
