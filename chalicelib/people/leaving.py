"""A member of staff who leaves, or is disabled at WeCom: their sessions end, and they can't sign in.

Each request of a session reads the person's row of `users`, so the mark `gone` there ends all of them. Lines
come in any order; what holds is the row of staff, which their event wrote before its line.

| who | leaves, is disabled | is back |
|---|---|---|
| has a role | `gone`; who left is revoked too: whoever gets that userid next is not an admin | `gone` goes |
| a guide without a role | a row of status `none`, which no list has | the row goes |
"""

from chalicelib.platform import audit, clock, events, storage
from chalicelib.platform.auth import NO_ROLE, REVOKED, UserItem
from chalicelib.platform.storage import Transaction
from chalicelib.platform.timeline_line import Line
from chalicelib.platform.userids import fold
from chalicelib.staff import service as staff

_CHANGES = ("create_user", "update_user", "delete_user")


def on_recorded(line: Line) -> None:
    """Bring a member's access in line with what WeCom said of them. Twice is once."""
    event = line.data_as(events.EventRecorded)
    if event.kind == "change_contact" and event.change in _CHANGES and event.UserID:
        follow(fold(event.UserID))


@storage.retrying("others keep changing this user")
def follow(staff_id: str) -> None:
    """Mark the person's row as gone, or as back."""
    item: UserItem | None = UserItem.find(staff_id)
    if (item is not None and item.renamed_to is not None) or staff.current_id(staff_id) != staff_id:
        return  # known by another userid
    status = staff.status(staff_id)
    is_gone = status in staff.GONE
    if is_gone == bool(item and item.gone):
        return
    tx = Transaction()
    if item is None:
        made = UserItem(
            staff_id,
            staff_id=staff_id,
            role="guide",
            status=NO_ROLE,
            gone=True,
            version=1,
            created_at=clock.iso(clock.now()),
        )
        tx.put("user", made, UserItem.user.does_not_exist())
        audit.add(tx, "users.leave", staff_id, None, {"gone": True})
    elif item.status == NO_ROLE:
        tx.delete("user", UserItem(item.user), UserItem.version == item.version)
        audit.add(tx, "users.return", staff_id, {"gone": True}, None)
    else:
        status_now = REVOKED if status == staff.LEFT else item.status
        actions = [
            UserItem.gone.set(True) if is_gone else UserItem.gone.remove(),
            UserItem.status.set(status_now),
            UserItem.version.add(1),
        ]
        tx.update("user", UserItem(item.user), actions, UserItem.version == item.version)
        before = {"gone": not is_gone, "status": item.status}
        after = {"gone": is_gone, "status": status_now}
        audit.add(tx, "users.leave" if is_gone else "users.return", staff_id, before, after)
    tx.commit()
