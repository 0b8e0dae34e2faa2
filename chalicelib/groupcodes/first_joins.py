"""People who came into a group by a group code: each counts once in the code."""

from datetime import datetime

from chalicelib.groupcodes.models import PersonItem
from chalicelib.platform import clock
from chalicelib.platform.storage import Transaction


def group_of(live_code_id: str, external_userid: str) -> str | None:
    """The group into which they first came by the code; the read may lag by moments."""
    row = PersonItem.find(_key(live_code_id, external_userid), consistent=False)
    return row.chat_id if row else None


def count_once(
    tx: Transaction,
    live_code_id: str,
    external_userid: str,
    chat_id: str,
    at: datetime,
    assignment_id: str | None,
) -> bool:
    """Add them to `tx`, as `person`, unless they came before. Whether it is their first time in this code."""
    key = _key(live_code_id, external_userid)
    if PersonItem.find(key) is not None:
        return False
    row = PersonItem(key, chat_id=chat_id, at=clock.iso(at), assignment_id=assignment_id)
    tx.put("person", row, PersonItem.person.does_not_exist())
    return True


def _key(live_code_id: str, external_userid: str) -> str:
    return f"{live_code_id}#{external_userid}"
