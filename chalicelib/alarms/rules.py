"""What CloudWatch says of an alarm, read: which it is and what it is about. Pure."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

_BY_METRIC = {  # metric → (our code, the dimension that names what it is about)
    "ApproximateNumberOfMessagesVisible": ("given_up", "QueueName"),
    "ApproximateAgeOfOldestMessage": ("waits", "QueueName"),
    "Errors": ("function_fails", "FunctionName"),
    "IteratorAge": ("behind", "FunctionName"),
}
_STREAMS = {"route": "route_stream", "project": "project_stream"}


class Alarm(Struct, frozen=True):
    """about: a queue or function, as stack.yaml has it; "" for none. key: of this time that it went off."""

    code: str
    about: str
    name: str
    key: str


def alarm_of(message: Mapping[str, Any], prefix: str, known: frozenset[str]) -> Alarm | None:
    """The alarm of a message from its topic; None where nothing went off. prefix: of the stack's names."""
    if message.get("NewStateValue") != "ALARM":
        return None
    trigger = message.get("Trigger") or {}
    metric = str(trigger.get("MetricName"))
    code, dimension = _BY_METRIC.get(metric, (metric if metric in known else "other", ""))
    named = {each.get("name"): str(each.get("value")) for each in trigger.get("Dimensions") or ()}
    about = named.get(dimension, "").removeprefix(prefix).removesuffix(".fifo").removesuffix("-dlq")
    if code == "behind":
        about = _STREAMS.get(about, about)
    title = str(message.get("AlarmDescription") or message.get("AlarmName") or "")
    key = f"{message.get('AlarmArn') or message.get('AlarmName')}#{message.get('StateChangeTime')}"
    return Alarm(code, about.replace("-", "_"), title[:200], key)
