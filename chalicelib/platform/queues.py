"""SQS, sending side. A queue's address is in the environment of the functions that may send to it."""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.platform import log, settings
from chalicelib.platform.errors import Upstream

BATCH = 10  # SQS: messages in one call
_REFUSED = re.compile("[\ud800-\udfff\ufffe\uffff]")  # SQS takes the characters of XML 1.0
MAX_BYTES = 1_048_576  # SQS: one message, and one batch


def send(
    queue: str,
    message: Mapping[str, Any],
    *,
    group: str | None = None,
    key: str | None = None,
) -> None:
    """Send one JSON message. `queue`: its name, e.g. "callback" (QUEUE_CALLBACK holds the URL).

    FIFO queues take `group` (what is kept in order) and `key` (the same key within five minutes is
    one message; default: the message's own SHA-256). Upstream if SQS did not take it.
    """
    body = _body(message)
    extra: dict[str, str] = {}
    if group is not None:
        extra["MessageGroupId"] = _plain(group)
        extra["MessageDeduplicationId"] = key or hashlib.sha256(body.encode()).hexdigest()
    try:
        settings.client("sqs").send_message(QueueUrl=_url(queue), MessageBody=body, **extra)
    except Exception as error:
        raise Upstream(code="queue_refused", queue=queue) from error


def send_all(queue: str, messages: Iterable[tuple[Mapping[str, Any], str | None]]) -> None:
    """Send (message, group) pairs, ten a call. Upstream if any was refused: send all of them again."""
    for batch in _batches(messages):
        answer = settings.client("sqs").send_message_batch(QueueUrl=_url(queue), Entries=batch)
        if answer.get("Failed"):
            raise Upstream(code="queue_refused", queue=queue)


def send_until_refused(queue: str, messages: Sequence[tuple[Mapping[str, Any], str | None]]) -> int | None:
    """Send (message, group) pairs; the index of the first that was refused, None where none was."""
    taken = 0
    for batch in _batches(messages):
        try:
            answer = settings.client("sqs").send_message_batch(QueueUrl=_url(queue), Entries=batch)
        except (BotoCoreError, ClientError) as error:
            log.failure("queue refused", error, queue=queue)
            return taken
        if failed := answer.get("Failed"):
            log.logger.error("queue refused", extra={"queue": queue, "messages": len(failed)})
            return taken + min(int(entry["Id"]) for entry in failed)
        taken += len(batch)
    return None


def count(queue: str) -> int:
    """About how many messages lie in it, those in work and those that wait included."""
    names = ["ApproximateNumberOfMessages" + kind for kind in ("", "NotVisible", "Delayed")]
    answer = settings.client("sqs").get_queue_attributes(QueueUrl=_url(queue), AttributeNames=names)
    return sum(int(number) for number in answer["Attributes"].values())


def _body(message: Mapping[str, Any]) -> str:
    """JSON, with what SQS refuses in a body escaped: it would be refused for ever, and hold up the rest."""
    text = json.dumps(message, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return _REFUSED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _batches(messages: Iterable[tuple[Mapping[str, Any], str | None]]) -> Iterator[list[dict[str, Any]]]:
    """Entries of one call each; an entry's Id is its place in it."""
    batch: list[dict[str, Any]] = []
    size = 0
    for message, group in messages:
        body = _body(message)
        length = len(body.encode())
        if batch and (len(batch) == BATCH or size + length > MAX_BYTES):
            yield batch
            batch, size = [], 0
        entry = {"Id": str(len(batch)), "MessageBody": body}
        if group is not None:
            entry["MessageGroupId"] = _plain(group)
            entry["MessageDeduplicationId"] = hashlib.sha256(body.encode()).hexdigest()
        batch.append(entry)
        size += length
    if batch:
        yield batch


def _url(queue: str) -> str:
    return settings.env(f"QUEUE_{queue.upper()}")


def _plain(group: str) -> str:
    """A group id that SQS takes (128 of its characters): ours if it is one, else its hash."""
    if 0 < len(group) <= 128 and group.isascii() and group.isprintable() and " " not in group:
        return group
    return hashlib.sha256(group.encode(errors="surrogatepass")).hexdigest()
