"""Queue and stream consumers: from Lambda's event to our work, and back to a partial-batch answer.

One record that fails is handed out again alone (in a FIFO queue with those of its group behind
it); the others are done. After the queue's maxReceiveCount it lies in the dead-letter queue.
"""

import json
from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,
)

from chalicelib.platform import log, timeline
from chalicelib.platform.timeline import Line

Handler = Callable[[dict[str, Any], Any], Any]


def sqs(work: Callable[[dict[str, Any]], None]) -> Handler:
    """A handler that gives each message's JSON to `work`. An exception fails that record."""

    def one(record: Any) -> None:
        try:
            work(json.loads(record["body"] if isinstance(record, dict) else record.body))
        except Exception as error:
            log.failure("message failed", error, message_id=_message_id(record))
            raise

    def handler(event: dict[str, Any], context: Any) -> Any:
        fifo = event["Records"][0]["eventSourceARN"].endswith(".fifo")
        processor = (
            SqsFifoPartialProcessor(skip_group_on_error=True) if fifo else BatchProcessor(EventType.SQS)
        )
        processor.raise_on_entire_batch_failure = False  # the answer names the failed, be it all of them
        return process_partial_response(event, one, processor, context)

    return handler


def stream_each(work: Callable[[Line], None]) -> Handler:
    """A handler that gives each new line of the timeline to `work`, in order, stopping at a failure."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        for record in event["Records"]:
            line = timeline.from_stream(record)
            try:
                if line is not None:
                    work(line)
            except Exception as error:  # noqa: BLE001 (told to Lambda by the answer)
                log.failure("line failed", error, type=line.type if line else None)
                return {"batchItemFailures": [{"itemIdentifier": _sequence(record)}]}
        return {"batchItemFailures": []}

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


def _message_id(record: Any) -> str:
    return str(record["messageId"] if isinstance(record, dict) else record.message_id)
