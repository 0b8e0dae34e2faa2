"""`Idempotency-Key` on POST: the same key and body give the first answer again; another body, 409.

The key belongs to the caller and the path. An answer is kept a day. While the first call is at
work a second one gets 409; a call that died frees its key after the API's own time-out.
"""

import hashlib
from collections.abc import Callable
from datetime import timedelta

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.platform import clock, settings, storage
from chalicelib.platform.errors import Conflict, Invalid
from chalicelib.platform.storage import Base, BaseMeta

_KEEP = timedelta(days=1)
_AT_WORK = timedelta(seconds=30)
_MAX_KEY = 255


class IdempotencyItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("idempotency")

    key = UnicodeAttribute(hash_key=True)
    body_hash = UnicodeAttribute()
    free_at = NumberAttribute()  # epoch seconds; until then a call is at work, or its answer is kept
    answer = JSONAttribute(null=True)
    expires_at = NumberAttribute()


def once(
    owner: str, path: str, key: str, body: bytes, work: Callable[[], tuple[int, str]]
) -> tuple[int, str, bool]:
    """Run `work` (→ status, JSON text) once for this key. The third value: it is the first answer again.

    Answers of 5xx are not kept: the caller should try those again.
    """
    if not 0 < len(key) <= _MAX_KEY:
        raise Invalid(("Idempotency-Key", f"1 to {_MAX_KEY} characters"))
    now = int(clock.now().timestamp())
    name = hashlib.sha256(f"{owner}\n{path}\n{key}".encode()).hexdigest()
    item = IdempotencyItem(
        name,
        body_hash=hashlib.sha256(body).hexdigest(),
        free_at=now + int(_AT_WORK.total_seconds()),
        expires_at=now + int(_KEEP.total_seconds()),
    )
    free = IdempotencyItem.key.does_not_exist() | (IdempotencyItem.free_at < now)
    if not storage.put_once(item, free):
        return _first_answer(name, item.body_hash)
    try:
        status, text = work()
    except BaseException:
        item.delete()
        raise
    if status >= 500:
        item.delete()
    else:
        item.answer = {"status": status, "text": text}
        item.free_at = item.expires_at
        item.save()
    return status, text, False


def _first_answer(name: str, body_hash: str) -> tuple[int, str, bool]:
    first = IdempotencyItem.find(name)
    if first is not None and first.body_hash != body_hash:
        raise Conflict("this Idempotency-Key was used with another body")
    if first is None or first.answer is None:
        raise Conflict("a call with this Idempotency-Key is at work")
    return first.answer["status"], first.answer["text"], True
