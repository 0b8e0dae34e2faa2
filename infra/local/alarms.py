"""The alarms on dead letters, in the local stack: the emulator measures no queues, so what CloudWatch would
say of them is said here, on the same topic.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

_EVERY = 10.0  # seconds between looks


class Watch:
    """Goes off when something lies where nothing lay at the last look. counts: dead letters by queue."""

    def __init__(self, counts: Callable[[], Mapping[str, int]], sns: Any):
        self._counts, self._sns = counts, sns
        self._lying: set[str] = set()
        self._ended = threading.Event()

    def run(self) -> None:
        threading.Thread(target=self._keep_looking, daemon=True).start()

    def close(self) -> None:
        self._ended.set()

    def look(self) -> None:
        """Say of which queues that had no dead letters some have come."""
        lying = {name for name, count in self._counts().items() if count}
        self._lying &= lying
        for name in sorted(lying - self._lying):
            self._publish_alarm(name)
            self._lying.add(name)

    def _keep_looking(self) -> None:
        while not self._ended.wait(_EVERY):
            try:
                self.look()
            except Exception as error:  # the next look says it
                if not self._ended.is_set():
                    print(f"dead letters not looked for: {error!r}", file=sys.stderr)

    def _publish_alarm(self, name: str) -> None:
        from chalicelib.platform import clock

        topics = [topic["TopicArn"] for topic in self._sns.list_topics()["Topics"]]
        topic = next(arn for arn in topics if "AlarmTopic" in arn)
        message = {
            "AlarmName": f"{name}-local",
            "NewStateValue": "ALARM",
            "StateChangeTime": clock.iso(clock.now()),
            "Trigger": {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Dimensions": [{"name": "QueueName", "value": name}],
            },
        }
        self._sns.publish(TopicArn=topic, Message=json.dumps(message))
