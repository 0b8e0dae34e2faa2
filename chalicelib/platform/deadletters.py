"""Dead-letter queues: what lies in them, and sending it to its queue again.

Our own receive, send, delete, in functions/redrive, the one function that may. A message that was sent
and not deleted (killed in between) is sent once more: every consumer may see a message again, and a
FIFO queue drops it within five minutes.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import msgspec
from msgspec import Struct

from chalicelib.platform import audit, clock, jobs, queues, settings
from chalicelib.platform.errors import Conflict, DomainError, NotFound, Upstream
from chalicelib.platform.principal import SYSTEM, Principal, acting
from chalicelib.platform.storage import Transaction

HIDDEN = 60  # seconds: longer than ten messages take to be sent on
_ENOUGH_MS = 5_000  # of time left, to begin another ten
_KIND = re.compile(r"[a-z][a-z_]{0,39}")


class DeadLetters(Struct, frozen=True, kw_only=True):
    """What lies in a dead-letter queue. oldest_at, kinds: of the first ten.

    redrivable: it has a queue to go back to. What a stream or a schedule gave up has none.
    """

    queue: str
    count: int
    redrivable: bool
    oldest_at: str | None = None
    kinds: dict[str, int] = {}


class Request(Struct, frozen=True, kw_only=True):
    """To functions/redrive: without a queue, what lies in all of them. principal: who asks, for the audit."""

    queue: str | None = None
    principal: Principal = SYSTEM


def listing() -> list[DeadLetters]:
    """Those in which something lies."""
    return [letters for letters in map(_look, _names()) if letters.count]


def redrive(queue: str, milliseconds_left: Callable[[], int]) -> int:
    """Send a queue's dead letters to it again, while there is time; how many. NotFound, Conflict.

    The audit's entry is written before anything is sent, so that none can be missing.
    """
    name = next((name for name in _names() if _plain(name) == queue), None)
    if name is None:
        raise NotFound(code="no_queue", queue=queue)
    if not _is_redrivable(name):
        raise Conflict(code="not_redrivable", queue=queue)
    tx = Transaction()
    audit.add(tx, "dead_letters.redrive", queue, None, {"messages": _count(name)})
    tx.commit()
    begun, sent = clock.now().timestamp() * 1000, 0
    while milliseconds_left() > _ENOUGH_MS:
        messages = _receive(name, HIDDEN)
        if not messages:
            break
        for message in messages:
            _send_again(name, message)
            sent += 1
        if all(float(message["Attributes"]["SentTimestamp"]) > begun for message in messages):
            break  # these failed again meanwhile
    return sent


def ask_listing() -> list[DeadLetters]:
    """`listing`, by functions/redrive, which alone may touch dead letters. Upstream."""
    return msgspec.convert(_ask(Request()), list[DeadLetters])


def ask_redrive(queue: str, principal: Principal) -> int:
    """`redrive`, by functions/redrive, in the name of the principal. NotFound, Conflict, Upstream."""
    return msgspec.convert(_ask(Request(queue=queue, principal=principal)), int)


def answer(request: Mapping[str, Any], milliseconds_left: Callable[[], int]) -> dict[str, Any]:
    """What functions/redrive answers to a `Request`: `{"answer"}` or `{"error"}`."""
    asked = msgspec.convert(request, Request)
    before = acting.set(asked.principal)
    try:
        if asked.queue is None:
            return {"answer": msgspec.to_builtins(listing())}
        return {"answer": redrive(asked.queue, milliseconds_left)}
    except DomainError as error:
        return {"error": {"status": error.status, "code": error.message_code}}
    finally:
        acting.reset(before)


def _ask(request: Request) -> Any:
    response = settings.client("lambda").invoke(
        FunctionName=settings.env("REDRIVE_FUNCTION"), Payload=msgspec.json.encode(request)
    )
    payload = json.loads(response["Payload"].read())
    if response.get("FunctionError"):
        raise Upstream(code="redrive_failed")
    if error := payload.get("error"):
        kind = {kind.status: kind for kind in (NotFound, Conflict)}.get(error["status"], Upstream)
        raise kind(code=error["code"] or "redrive_failed", queue=request.queue)
    return payload["answer"]


def _send_again(name: str, message: Mapping[str, Any]) -> None:
    extra, attributes = {}, message["Attributes"]
    group = attributes.get("MessageGroupId")
    if name.endswith(".fifo"):  # its own id: what failed, was redriven and failed again is another message
        extra = {"MessageGroupId": group, "MessageDeduplicationId": message["MessageId"]}
    sqs = settings.client("sqs")
    sqs.send_message(QueueUrl=_url(name), MessageBody=message["Body"], **extra)
    body = _parsed(message["Body"])
    if body.get("job_id"):
        jobs.take_up(_plain(name), group, body)
    sqs.delete_message(QueueUrl=_url(_dlq(name)), ReceiptHandle=message["ReceiptHandle"])


def _look(name: str) -> DeadLetters:
    count = _count(name)
    messages = _receive(name, 0) if count else []
    sent = [int(message["Attributes"]["SentTimestamp"]) for message in messages]
    return DeadLetters(
        queue=_plain(name),
        count=count,
        redrivable=_is_redrivable(name),
        oldest_at=clock.iso(datetime.fromtimestamp(min(sent) / 1000, UTC)) if sent else None,
        kinds=dict(Counter(_kind(_parsed(message["Body"])) for message in messages)),
    )


def _count(name: str) -> int:
    attribute = "ApproximateNumberOfMessages"
    response = settings.client("sqs").get_queue_attributes(
        QueueUrl=_url(_dlq(name)), AttributeNames=[attribute]
    )
    return int(response["Attributes"][attribute])


def _receive(name: str, hidden: int) -> list[dict[str, Any]]:
    response = settings.client("sqs").receive_message(
        QueueUrl=_url(_dlq(name)),
        MaxNumberOfMessages=queues.BATCH,
        VisibilityTimeout=hidden,
        MessageSystemAttributeNames=["SentTimestamp", "MessageGroupId"],
    )
    return list(response.get("Messages", []))


def _kind(body: Mapping[str, Any]) -> str:
    """What a message is, in a word of ours, never what it says."""
    word = body.get("kind") or body.get("type")
    return word if isinstance(word, str) and _KIND.fullmatch(word) else "other"


def _parsed(body: str) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except ValueError:
        parsed = None
    return parsed if isinstance(parsed, dict) else {}


def _names() -> list[str]:
    """What has a dead-letter queue: `assign`, `callback.fifo`; `route-stream`, `settle-schedule`."""
    return settings.env("DEAD_LETTERS").split()


def _is_redrivable(name: str) -> bool:
    return not name.endswith(("-stream", "-schedule"))


def _plain(name: str) -> str:
    return name.removesuffix(".fifo")


def _dlq(name: str) -> str:
    return f"{_plain(name)}-dlq" + (".fifo" if name.endswith(".fifo") else "")


@cache
def _url(name: str) -> str:
    return str(settings.client("sqs").get_queue_url(QueueName=settings.table(name))["QueueUrl"])
