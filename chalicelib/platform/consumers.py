"""Queue and stream consumers: from Lambda's event to our work, and back to a partial-batch answer.

One record that fails is handed out again alone (in a FIFO queue with those of its group behind
it); the others are done. After the queue's maxReceiveCount it lies in the dead-letter queue. What is
part of a job is not worked at its last receive: there the job notes that it is given up, since the
work before may have been killed each time, before it could note anything.
Powertools has the same and costs 35 ms of each cold start (asyncio, data classes); these are 15 lines.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from chalicelib.platform import declared, listeners, log, settings, timeline
from chalicelib.platform import works as kinds
from chalicelib.platform.listeners import Listener
from chalicelib.platform.timeline import Line

Handler = Callable[[dict[str, Any], Any], Any]
Work = Callable[[dict[str, Any]], None]
Item = TypeVar("Item")


class GivenUp(RuntimeError):
    """A piece of a job that failed at every attempt."""


def sqs(work: Work) -> Handler:
    """A handler that gives each message's JSON to `work`. An exception fails that record."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        failed: list[str] = []
        stopped: set[str] = set()  # FIFO groups in which a message failed: none may overtake it
        for record in event["Records"]:
            group = record.get("attributes", {}).get("MessageGroupId")
            try:
                if group in stopped:
                    failed.append(record["messageId"])
                else:
                    _work_record(record, work)
            except Exception as error:  # noqa: BLE001 (told to Lambda by the answer)
                log.failure("message failed", error, message_id=record["messageId"])
                failed.append(record["messageId"])
                if group is not None and record["eventSourceARN"].endswith(".fifo"):
                    stopped.add(group)
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def batch(read: Callable[[dict[str, Any]], Item], work: Callable[[Sequence[Item]], None]) -> Handler:
    """A handler that gives what it reads of a standard queue's batch to `work`, all at once.

    What can't be read fails alone; an exception of `work` fails all.
    """

    def handler(event: dict[str, Any], context: Any) -> Any:
        items: dict[str, Item] = {}
        failed: list[str] = []
        for record in event["Records"]:
            try:
                items[record["messageId"]] = read(json.loads(record["body"]))
            except Exception as error:  # noqa: BLE001 (reported to Lambda by the answer)
                log.failure("message unreadable", error, message_id=record["messageId"])
                failed.append(record["messageId"])
        try:
            if items:
                work(list(items.values()))
        except Exception as error:  # noqa: BLE001 (reported to Lambda by the answer)
            log.failure("batch failed", error, messages=len(items))
            failed += items
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    return handler


def _work_record(record: Mapping[str, Any], work: Work) -> None:
    message = json.loads(record["body"])
    if not message.get("job_id"):
        work(message)
        return
    from chalicelib.platform import jobs  # only those who have some: it brings S3

    attributes = record["attributes"]
    if int(attributes["ApproximateReceiveCount"]) >= int(settings.env("RECEIVES")):
        jobs.give_up(_queue(record["eventSourceARN"]), attributes.get("MessageGroupId"), message)
        raise GivenUp
    try:
        work(message)
    except Exception as error:
        jobs.note_failure(message, error)
        raise


def _queue(arn: str) -> str:
    """A queue's name as stack.yaml has it."""
    return arn.rsplit(":", 1)[-1].removeprefix(settings.table("")).removesuffix(".fifo")


def lines(listener: Listener) -> Handler:
    """A listener's handler: each line of its queue to what it declares for the line's type."""
    handlers = {type_: declared.resolve(handler) for type_, handler in listener.handlers.items()}

    def work(message: dict[str, Any]) -> None:
        line = listeners.from_message(message)
        handlers[line.type](line)

    return sqs(work)


def lines_and_works(listener: Listener) -> Handler:
    """The handler of a listener that has later work in its own queue."""
    kinds.load(listener.name)
    on_lines = {type_: declared.resolve(handler) for type_, handler in listener.handlers.items()}

    def work(message: dict[str, Any]) -> None:
        if "kind" in message:
            kinds.do(message)
            return
        line = listeners.from_message(message)
        on_lines[line.type](line)

    return sqs(work)


def works(queue: str) -> Handler:
    """The handler of a queue of works: each message to what its kind's owner declares."""
    kinds.load(queue)

    def handler(event: dict[str, Any], context: Any) -> Any:
        left = getattr(context, "get_remaining_time_in_millis", None)
        return sqs(lambda message: kinds.do(message, left))(event, context)

    return handler


def stream_to(route: Callable[[list[tuple[Line, str]]], str | None]) -> Handler:
    """A handler that gives a batch's lines to `route`, which says from which of them on to come again."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        parsed = [(timeline.from_stream(record), _sequence(record)) for record in event["Records"]]
        failed = route([(line, sequence) for line, sequence in parsed if line is not None])
        return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}

    return handler


def stream(work: Callable[[list[tuple[Line, str]], str], None]) -> Handler:
    """A handler that gives a whole batch to `work(lines with sequence numbers, shard)`: all or nothing.

    The sequence is padded to 40 digits, so that text compares as numbers do; it grows within a shard.
    Lambda names the shard when the mapping has a tumbling window; without one the stream is taken as one.
    """

    def handler(event: dict[str, Any], context: Any) -> Any:
        records = event["Records"]
        answer: dict[str, Any] = {
            "state": event.get("state") or {},
            "batchItemFailures": [],
        }
        if not records:  # a window's end without news
            return answer
        shard = event.get("shardId") or records[0]["eventSourceARN"].rsplit("/", 1)[-1]
        parsed = [(timeline.from_stream(record), _sequence(record).zfill(40)) for record in records]
        lines = [(line, sequence) for line, sequence in parsed if line is not None]
        try:
            if lines:
                work(lines, shard)
        except Exception as error:  # noqa: BLE001 (told to Lambda by the answer)
            log.failure("batch failed", error, lines=len(lines))
            answer["batchItemFailures"] = [{"itemIdentifier": _sequence(records[0])}]
        return answer

    return handler


def _sequence(record: dict[str, Any]) -> str:
    return str(record["dynamodb"]["SequenceNumber"])
