"""The local stack's alarms: said once when dead letters come, again when they come again, late rather than never."""

import json
from typing import Any

import pytest

from infra.local.alarms import Watch


class Topics:
    """SNS with one topic, which refuses as often as it is told to."""

    def __init__(self) -> None:
        self.queues: list[str] = []
        self.refusals = 0

    def list_topics(self) -> dict[str, Any]:
        return {"Topics": [{"TopicArn": "arn:aws:sns:x:1:millrace-AlarmTopic-1"}]}

    def publish(self, TopicArn: str, Message: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise ConnectionError
        self.queues.append(json.loads(Message)["Trigger"]["Dimensions"][0]["value"])


def test_an_alarm_goes_off_when_dead_letters_come() -> None:
    counts, sns = {"a-dlq": 1, "b-dlq": 0}, Topics()
    watch = Watch(lambda: counts, sns)
    watch.look()
    watch.look()
    assert sns.queues == ["a-dlq"]
    counts.update({"a-dlq": 0, "b-dlq": 2})
    watch.look()
    counts["a-dlq"] = 1
    watch.look()
    assert sns.queues == ["a-dlq", "b-dlq", "a-dlq"]


def test_one_that_could_not_be_said_is_said_at_the_next_look() -> None:
    sns = Topics()
    sns.refusals = 1
    watch = Watch(lambda: {"a-dlq": 1}, sns)
    with pytest.raises(ConnectionError):
        watch.look()
    watch.look()
    assert sns.queues == ["a-dlq"]
