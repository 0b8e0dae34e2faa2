"""`Idempotency-Key` on POST: the same key and body give the first answer again; another body, 409.

The key belongs to the caller and the path, for a day. A call that fails frees its key. One that was
killed does not: nobody knows how far it came, so the same key never does the work a second time, and
its repeat is answered with a 409 that says so. So is that of an answer too large to be kept.

| call | its repeat, at the same time |
|---|---|
| puts the key's row, if there is none | |
| works | puts the row: it is there, and another call's: reads it |
| | no answer in it yet: 409 |
| stores its answer in the row | |
| | the next repeat: reads the row, gives its answer |

Where the answer of the put itself was lost, the row's `call` says whose it is.
"""

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute

from chalicelib.platform import clock, settings, storage, vault
from chalicelib.platform.errors import Conflict, Invalid, issue
from chalicelib.platform.storage import Base, BaseMeta

_KEEP = timedelta(days=1)
_MAX_KEY = 255
_MAX_ANSWER = 300_000  # bytes; DynamoDB takes 409,600 an item
_PURPOSE = "idempotency"


class IdempotencyItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("idempotency")

    key = UnicodeAttribute(hash_key=True)
    body_hash = UnicodeAttribute()
    call = UnicodeAttribute()  # a new id of each call
    answer = JSONAttribute(null=True)  # status, and the text, or it sealed, unless it was too large
    expires_at = NumberAttribute()


def once(
    owner: str,
    path: str,
    key: str,
    body: bytes,
    work: Callable[[], tuple[int, str]],
    secret: bool = False,
) -> tuple[int, str, bool]:
    """Run `work` (→ status, JSON text) once for this key. The third value: it is the first answer again.

    Answers of 5xx are not kept: the caller should try those again. secret: it is kept sealed.
    """
    if not 0 < len(key) <= _MAX_KEY:
        raise Invalid(issue("Idempotency-Key", "length", minimum=1, maximum=_MAX_KEY))
    now = int(clock.now().timestamp())
    name = hashlib.sha256(f"{owner}\n{path}\n{key}".encode()).hexdigest()
    item = IdempotencyItem(
        name,
        body_hash=hashlib.sha256(body).hexdigest(),
        call=uuid.uuid4().hex,
        expires_at=now + int(_KEEP.total_seconds()),
    )
    # DynamoDB removes what has expired within days only: it no longer counts at once.
    free = IdempotencyItem.key.does_not_exist() | (IdempotencyItem.expires_at < now)
    call, body_hash = item.call, item.body_hash
    if not storage.put_once(item, free, lambda first: first.call == call):
        return _first_answer(IdempotencyItem.find(name), body_hash)
    try:
        status, text = work()
    except Exception:
        item.delete()
        raise
    if status >= 500:
        item.delete()
    else:
        stored = {"sealed": vault.seal(_PURPOSE, text, name)} if secret else {"text": text}
        fits = len(text.encode()) <= _MAX_ANSWER
        item.answer = {"status": status, **(stored if fits else {})}
        item.save()
    return status, text, False


def _first_answer(first: IdempotencyItem | None, body_hash: str) -> tuple[int, str, bool]:
    if first is not None and first.body_hash != body_hash:
        raise Conflict(code="idempotency_other_body")
    if first is None or first.answer is None:
        raise Conflict(code="idempotency_unknown")
    if "sealed" in first.answer:
        return first.answer["status"], vault.unseal(_PURPOSE, first.answer["sealed"], str(first.key)), True
    if "text" not in first.answer:
        raise Conflict(code="idempotency_too_large")
    return first.answer["status"], first.answer["text"], True
