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
from msgspec.structs import asdict

from chalicelib.platform import audit, clock, invocations, jobs, messages, queues, settings
from chalicelib.platform.errors import Conflict, NotFound
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import SYSTEM, Principal, acting
from chalicelib.platform.storage import Transaction

HIDDEN = 60  # seconds: longer than ten messages take to be sent on
_ENOUGH_MS = 5_000  # of time left, to begin another ten
_KIND = re.compile(r"[a-z][a-z_]{0,39}")
_PLAIN = frozenset(  # fields whose texts say nothing of a person outside of the corp
    (
        "kind type change status level source connection queue bucket minute day at due_at created_at"
        " occurred_at received_at job_id result_id live_code_id assignment_id staff_id store_id chat_id"
        " sop_id step_id push_id order_id settlement_id payout_id plan_id distributor_id print_run_id"
        " import_id prospect_id batch_id template_id task_id ad_campaign_id conversion_id notice_id config_id"
    ).split()
)
_WORD = re.compile(r"[A-Za-z0-9_.:#@+/-]{1,120}")
_PHONE = re.compile(r"1[3-9][0-9]{9}")
_MOST_FIELDS = 40
_LONGEST_FIGURE = 10_000_000_000


class DeadLetters(Struct, frozen=True, kw_only=True):
    """What lies in a dead-letter queue. oldest_at, kinds: of the first ten.

    redrivable: it has a queue to go back to. What a stream or a schedule gave up has none.
    """

    queue: str
    count: int
    redrivable: bool
    oldest_at: str | None = None
    kinds: dict[str, int] = {}


class DeadLettersInWords(DeadLetters, frozen=True, kw_only=True):
    """name, cure: what the queue is for, and what to do."""

    name: str
    cure: str


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A message that was given up. content: as it is, but for all that may say who somebody is (`***`)."""

    message_id: str
    at: str
    kind: str
    content: dict[str, Any]


class Request(Struct, frozen=True, kw_only=True):
    """To functions/redrive: without a queue, what lies in all of them. principal: who asks, for the audit.

    look: what the queue's messages say, masked, rather than send them on.
    """

    queue: str | None = None
    principal: Principal = SYSTEM
    look: bool = False


def listing() -> list[DeadLetters]:
    """Those in which something lies."""
    return [letters for letters in map(_look, _names()) if letters.count]


def letters(queue: str) -> list[DeadLetter]:
    """The first ten of a queue's dead letters, the oldest first; they stay. NotFound."""
    found = [_letter(message) for message in _receive(_name(queue), 0)]
    return sorted(found, key=lambda letter: letter.at)


def redrive(queue: str, milliseconds_left: Callable[[], int]) -> int:
    """Send a queue's dead letters to it again, while there is time; how many. NotFound, Conflict.

    The audit's entry is written before anything is sent, so that none can be missing.
    """
    name = _name(queue)
    if not _is_redrivable(name):
        raise Conflict(code="not_redrivable", queue=queue)
    tx = Transaction()
    what = {"messages": _count(name)}
    audit.add(tx, "dead_letters.redrive", queue, None, what, label=queue_words("queue", queue, "zh"))
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


def ask_listing(language: Language) -> list[DeadLettersInWords]:
    """`listing`, by functions/redrive, which alone may touch dead letters, in words. Upstream."""
    return [
        DeadLettersInWords(
            **asdict(each),
            name=_begun(queue_words("queue", each.queue, language)),
            cure=_begun(queue_words("queue_cure", each.queue, language)),
        )
        for each in msgspec.convert(_ask(Request()), list[DeadLetters])
    ]


def ask_letters(queue: str) -> list[DeadLetter]:
    """`letters`, likewise. NotFound, Upstream."""
    return msgspec.convert(_ask(Request(queue=queue, look=True)), list[DeadLetter])


def _begun(text: str) -> str:
    """As a sentence or a heading begins."""
    return text[:1].upper() + text[1:]


def queue_words(what: str, queue: str, language: Language) -> str:
    """The name of a queue (`queue`), or what to do about its dead letters (`queue_cure`), in words."""
    code = f"{what}_{queue.replace('-', '_')}"
    if not messages.known(code):
        code = f"{what}_other"
    return messages.text(code, language, {"queue": queue})


def ask_redrive(queue: str, principal: Principal) -> int:
    """`redrive`, by functions/redrive, in the name of the principal. NotFound, Conflict, Upstream."""
    return msgspec.convert(_ask(Request(queue=queue, principal=principal)), int)


def answer(request: Mapping[str, Any], milliseconds_left: Callable[[], int]) -> dict[str, Any]:
    """What functions/redrive answers to a `Request`: `{"answer"}`, or its error (invocations.py)."""
    asked = msgspec.convert(request, Request)
    before = acting.set(asked.principal)
    try:
        return invocations.answer(lambda: {"answer": _answer(asked, milliseconds_left)})
    finally:
        acting.reset(before)


def _answer(asked: Request, milliseconds_left: Callable[[], int]) -> Any:
    if asked.queue is None:
        return msgspec.to_builtins(listing())
    if asked.look:
        return msgspec.to_builtins(letters(asked.queue))
    return redrive(asked.queue, milliseconds_left)


def _ask(request: Request) -> Any:
    return invocations.ask(settings.env("REDRIVE_FUNCTION"), msgspec.to_builtins(request))["answer"]


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


def _letter(message: Mapping[str, Any]) -> DeadLetter:
    body = _parsed(message["Body"])
    sent = datetime.fromtimestamp(int(message["Attributes"]["SentTimestamp"]) / 1000, UTC)
    return DeadLetter(
        message_id=message["MessageId"], at=clock.iso(sent), kind=_kind(body), content=shown(body)
    )


def shown(body: Mapping[str, Any]) -> dict[str, Any]:
    """What a message says: ids of ours and figures; all else, whatever it is called, is hidden."""
    return {name: _shown(name, value) for name, value in list(body.items())[:_MOST_FIELDS]}


def _shown(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return shown(value)
    if isinstance(value, (list, tuple)):
        return [_shown(name, each) for each in value[:_MOST_FIELDS]]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if abs(value) < _LONGEST_FIGURE else audit.MASK  # a phone number is none
    is_plain = name in _PLAIN and isinstance(value, str) and _WORD.fullmatch(value)
    return value if is_plain and not _PHONE.search(value) else audit.MASK


def _name(queue: str) -> str:
    name = next((name for name in _names() if _plain(name) == queue), None)
    if name is None:
        raise NotFound(code="no_queue", queue=queue)
    return name


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
