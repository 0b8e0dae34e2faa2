"""Partial batches: who fails, who waits behind whom, and what a stream's batch answers."""

import io
import json
from typing import Any

import pytest

from chalicelib.platform import consumers

FIFO, STANDARD = "arn:aws:sqs:cn-north-1:1:push.fifo", "arn:aws:sqs:cn-north-1:1:assign"


def sqs_event(arn: str, *messages: tuple[str, Any, str | None]) -> dict[str, Any]:
    """(message id, body, group) as Lambda gives them."""
    records = []
    for message_id, body, group in messages:
        attributes = {"ApproximateReceiveCount": "1"} | ({"MessageGroupId": group} if group else {})
        text = body if isinstance(body, str) else json.dumps(body)
        record = {"messageId": message_id, "body": text, "attributes": attributes, "eventSourceARN": arn}
        records.append(record)
    return {"Records": records}


def line(sequence: str, event: str = "INSERT") -> dict[str, Any]:
    image = {
        "subject": {"S": "wm1"},
        "sort": {"S": f"2026-11-22T10:00:00.000000+00:00#scanned#k{sequence}"},
        "type": {"S": "scanned"},
        "at": {"S": "2026-11-22T10:00:00.000000+00:00"},
        "data": {"S": '{"n":1}'},
    }
    return {
        "eventName": event,
        "eventSourceARN": "arn:aws:dynamodb:cn-north-1:1:table/timeline/stream/2026",
        "dynamodb": {"SequenceNumber": sequence, "NewImage": image},
    }


def failures(answer: dict[str, Any]) -> list[str]:
    return [one["itemIdentifier"] for one in answer["batchItemFailures"]]


def refuse_bad(message: dict[str, Any]) -> None:
    if message.get("bad"):
        raise KeyError("13800138000")


@pytest.mark.parametrize("body", [{"bad": 1}, "not json", '"\\ud800'])
def test_in_a_standard_queue_only_the_bad_one_fails(body: Any) -> None:
    done: list[int] = []

    def work(message: dict[str, Any]) -> None:
        refuse_bad(message)
        done.append(message["n"])

    event = sqs_event(STANDARD, ("m1", {"n": 1}, None), ("m2", body, None), ("m3", {"n": 3}, None))
    assert failures(consumers.sqs(work)(event, None)) == ["m2"]
    assert done == [1, 3]


def test_in_a_fifo_queue_nothing_of_its_group_overtakes_the_bad_one() -> None:
    done: list[int] = []

    def work(message: dict[str, Any]) -> None:
        refuse_bad(message)
        done.append(message["n"])

    event = sqs_event(
        FIFO, ("a1", {"n": 1}, "a"), ("a2", {"bad": 1}, "a"), ("b1", {"n": 2}, "b"), ("a3", {"n": 3}, "a")
    )
    assert failures(consumers.sqs(work)(event, None)) == ["a2", "a3"]
    assert done == [1, 2]


def test_all_bad_is_an_answer_and_no_crash() -> None:
    event = sqs_event(STANDARD, ("m1", {"bad": 1}, None), ("m2", {"bad": 1}, None))
    assert failures(consumers.sqs(refuse_bad)(event, None)) == ["m1", "m2"]


def test_the_log_of_a_failure_holds_no_message(logged: io.StringIO) -> None:
    consumers.sqs(refuse_bad)(sqs_event(STANDARD, ("m1", {"bad": "13800138000"}, None)), None)
    assert "KeyError" in logged.getvalue()
    assert "13800138000" not in logged.getvalue()


def test_a_batch_names_its_shard_and_pads_its_sequences() -> None:
    seen: list[Any] = []
    handler = consumers.stream(lambda lines, shard: seen.append((shard, [s for _, s in lines])))
    answer = handler({"Records": [line("9"), line("10")], "shardId": "shard-1", "state": {"a": 1}}, None)
    assert answer == {"state": {"a": 1}, "batchItemFailures": []}
    ((shard, sequences),) = seen
    assert shard == "shard-1" and sequences == sorted(sequences) and len(sequences[0]) == 40
    handler({"Records": [line("11")]}, None)
    assert seen[1][0] == "2026"
    assert handler({"Records": [], "isFinalInvokeForWindow": True}, None)["batchItemFailures"] == []


def test_a_batch_that_fails_is_given_again_whole() -> None:
    def work(lines: Any, shard: str) -> None:
        raise ValueError

    assert failures(consumers.stream(work)({"Records": [line("7"), line("8")]}, None)) == ["7"]
