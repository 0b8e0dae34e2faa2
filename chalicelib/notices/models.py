"""Notices that wait for a guide, and the guide's count of messages. Keys: userids in small letters.

What was sent, refused or given up stays two days under `done#<staff_id>`, without its words, so that a
notice that is ordered again is known. `#state` of a guide: `counts` of messages by minute; when the last
bundle went; `sending`, the bundle that is being sent, and whose answer is not known yet.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.notices import rules
from chalicelib.notices.rules import Bundle
from chalicelib.platform import clock, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, ConditionFailed, Transaction

READ = 500  # notices of a guide that are looked at together
_STATE = "#state"
_KEPT = timedelta(days=2)
_CHUNK = 40  # notices in one transaction, of two writes each


class NoticeItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("notices")

    staff_id = UnicodeAttribute(hash_key=True)
    notice_id = UnicodeAttribute(range_key=True)
    kind = UnicodeAttribute(null=True)
    at = UnicodeAttribute(null=True)
    address = UnicodeAttribute(null=True)  # the userid as it was given
    data = JSONAttribute(null=True)
    outcome = UnicodeAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    counts = JSONAttribute(null=True)
    bundled_at = UnicodeAttribute(null=True)
    sending = JSONAttribute(null=True)
    version = NumberAttribute(null=True)


def add(staff_id: str, notice_id: str, kind: str, data: Mapping[str, Any]) -> None:
    """Store a notice, once."""
    owner = staff_id.lower()
    tx = Transaction()
    tx.check("done", NoticeItem(_done(owner), notice_id), NoticeItem.staff_id.does_not_exist())
    item = NoticeItem(
        owner, notice_id, kind=kind, at=clock.iso(clock.now()), address=staff_id, data=dict(data)
    )
    tx.put("notice", item, NoticeItem.staff_id.does_not_exist())
    try:
        tx.commit()
    except ConditionFailed:
        return


def waiting(owner: str) -> list[NoticeItem]:
    """The notices of a guide, oldest first; of very many, some."""
    rows = NoticeItem.query(owner, NoticeItem.notice_id > _STATE, consistent_read=True, limit=READ)
    return sorted((row for row in rows if row.kind), key=lambda row: (row.at, row.notice_id))


def state(owner: str) -> NoticeItem:
    return NoticeItem.find(owner, _STATE) or NoticeItem(owner, _STATE, counts={}, version=0)


@storage.retrying("others keep sending to this guide")
def count(owner: str, now: datetime, bundle: Bundle | None = None) -> bool:
    """Count one more message to the guide; False when that would be over WeCom's limit.

    bundle: what is about to be sent, stored with it.
    """
    known = state(owner)
    version, counts = int(known.version), rules.counted(known.counts, now)
    if counts is None:
        return False
    actions = [NoticeItem.counts.set(counts), NoticeItem.version.set(version + 1)]
    if bundle is not None:
        sending = {"message": dict(bundle.message), "notice_ids": list(bundle.notice_ids)}
        begun = (known.sending or {}).get("at") or clock.iso(now)
        actions += [
            NoticeItem.sending.set({**sending, "at": begun}),
            NoticeItem.bundled_at.set(clock.iso(now)),
        ]
    unchanged = NoticeItem.version == version if version else NoticeItem.staff_id.does_not_exist()
    if not storage.update_if(known, actions, unchanged):
        raise ConditionFailed({"state"})
    return True


def forget_bundle(owner: str) -> None:
    """Nothing is being sent (any more)."""
    storage.update_if(NoticeItem(owner, _STATE), [NoticeItem.sending.remove()], NoticeItem.staff_id.exists())


def finish(owner: str, notice_ids: Collection[str], outcome: str, at: datetime) -> None:
    """They wait no longer."""
    ids, expires_at = list(notice_ids), int((at + _KEPT).timestamp())
    for start in range(0, len(ids), _CHUNK):
        tx = Transaction()
        for notice_id in ids[start : start + _CHUNK]:
            tx.delete(f"notice {notice_id}", NoticeItem(owner, notice_id))
            done = NoticeItem(
                _done(owner), notice_id, outcome=outcome, at=clock.iso(at), expires_at=expires_at
            )
            tx.put(f"done {notice_id}", done)
        tx.commit()


def _done(owner: str) -> str:
    return f"done#{owner}"
