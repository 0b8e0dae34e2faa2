"""An alarm reaches those who look after the stack, once, with what to do about it."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from chalice.test import Client

from chalicelib.alarms import messages, rules, words
from chalicelib.platform import auth, clock, deadletters
from functions.alarm import handler
from infra import build, package, template
from tests.support.api import Api
from tests.support.notices_world import Sent, pass_minutes
from tests.support.wecom import FakeWeCom

AT = "2026-11-23T04:00:00.000+0000"


def alarm(metric: str, about: str = "", state: str = "ALARM", at: str = AT) -> str:
    """What CloudWatch says on the topic."""
    dimension = {"Errors": "FunctionName", "IteratorAge": "FunctionName"}.get(metric, "QueueName")
    return json.dumps(
        {
            "AlarmName": f"millrace-{metric}-1ABC",
            "AlarmDescription": f"something with {metric}",
            "AlarmArn": f"arn:aws-cn:cloudwatch:cn-north-1:1:alarm:{metric}{about}",
            "NewStateValue": state,
            "StateChangeTime": at,
            "Trigger": {
                "MetricName": metric,
                "Dimensions": [{"name": dimension, "value": f"test-{about}"}] if about else [],
            },
        }
    )


def publish(*texts: str) -> None:
    handler.handler({"Records": [{"Sns": {"Message": text}} for text in texts]}, None)


@pytest.fixture
def people(client: Client) -> None:
    rows: list[tuple[str, str, dict[str, Any]]] = [
        ("boss", "admin", {}),
        ("ops", "operator", {}),
        ("store", "operator", {"scope": {"store_ids": ["s1"]}}),
        ("left", "operator", {"gone": True}),
        ("fin", "finance", {}),
    ]
    for staff_id, role, more in rows:
        auth.UserItem(staff_id, staff_id=staff_id, role=role, version=1, created_at="2026", **more).save()


def texts_by_guide(wecom: FakeWeCom) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for message in wecom.messages:
        found.setdefault(message["touser"], []).append(message["text"]["content"])
    return found


def test_dead_letters_reach_admins_and_operators_of_the_whole_corp_with_the_cure(
    people: None, wecom: FakeWeCom, sent: Sent, at: Callable[..., None]
) -> None:
    publish(alarm("ApproximateNumberOfMessagesVisible", "callback-dlq.fifo"))
    pass_minutes(sent, at, 1)
    got = texts_by_guide(wecom)
    assert got.keys() == {"boss", "ops"} and all(len(texts) == 1 for texts in got.values())
    text = got["boss"][0]
    assert "「企业微信回调事件」有消息多次处理失败，已搁置" in text and "重新处理" in text
    assert "/console/settings/dead-letters" in text and "Events from WeCom: messages were given up" in text


def test_alarms_of_one_minute_are_one_message_and_none_comes_twice(
    people: None, wecom: FakeWeCom, sent: Sent, at: Callable[..., None]
) -> None:
    first = alarm("ApproximateNumberOfMessagesVisible", "orders-dlq.fifo")
    publish(first, first)
    pass_minutes(sent, at, 1)
    publish(
        first, alarm("Errors", "welcome"), alarm("IteratorAge", "route"), alarm("Errors", "welcome", "OK")
    )
    publish("no json", '["x"]', alarm("Errors", "push", "INSUFFICIENT_DATA"))
    pass_minutes(sent, at, 2)
    texts = texts_by_guide(wecom)["ops"]
    assert len(texts) == 2 and "【系统提醒】2 项" in texts[1]
    assert "「新客欢迎语」运行出错" in texts[1] and "「客户动态的分发」处理落后" in texts[1]
    at(clock.now() + timedelta(hours=1))
    publish(alarm("ApproximateNumberOfMessagesVisible", "orders-dlq.fifo", at="2026-11-23T05:00:00.000+0000"))
    pass_minutes(sent, at, 1)
    assert len(texts_by_guide(wecom)["ops"]) == 3  # it went off again


def test_who_hears_of_them_is_a_setting(
    people: None, client: Client, wecom: FakeWeCom, sent: Sent, at: Callable[..., None]
) -> None:
    api = Api(client, "operator")
    assert api.get("/api/settings/alarms")[1] == {"roles": ["admin", "operator"]}
    assert api("PUT", "/api/settings/alarms", {"roles": ["guide"]})[0] == 422
    assert api("PUT", "/api/settings/alarms", {"roles": ["admin", "admin"]})[1] == {"roles": ["admin"]}
    publish(alarm("due_lag_seconds"))
    pass_minutes(sent, at, 1)
    assert texts_by_guide(wecom).keys() == {"boss"}
    assert api("PUT", "/api/settings/alarms", {"roles": []})[0] == 200
    publish(alarm("due_lag_seconds", at="later"))
    pass_minutes(sent, at, 2)
    assert len(wecom.messages) == 1


def test_every_alarm_that_is_deployed_has_words_of_its_own() -> None:
    stack = package.parsed("stack.yaml")
    made: dict[str, Any] = dict(package.parsed("resources.yaml")["Resources"])
    for name, spec in stack["functions"].items():
        made |= template.function(name, spec, stack, "archive.zip", build.aws())
    alarms = [r["Properties"] for r in made.values() if r.get("Type") == "AWS::CloudWatch::Alarm"]
    assert len(alarms) > 50
    for properties in alarms:
        (dimension,) = properties["Dimensions"]
        value = dimension["Value"]
        if "Fn::GetAtt" in value if isinstance(value, dict) else False:
            value = made[value["Fn::GetAtt"][0]]["Properties"]["QueueName"]
        value = value["Fn::Sub"] if isinstance(value, dict) and "Fn::Sub" in value else str(value)
        message = {
            "NewStateValue": "ALARM",
            "AlarmName": "x",
            "Trigger": {
                "MetricName": properties["MetricName"],
                "Dimensions": [{"name": dimension["Name"], "value": value}],
            },
        }
        found = rules.alarm_of(message, "${AWS::StackName}-", messages.KNOWN)
        assert found is not None and found.code != "other", properties
        text = words.text_of({"code": found.code, "about": found.about, "name": found.name}, "zh")
        assert "{" not in text and "None" not in text
        assert not found.about or f"queue_{found.about}" in messages.TEXTS, found


def test_an_unknown_alarm_is_told_by_its_own_description() -> None:
    found = rules.alarm_of(json.loads(alarm("DiskFull")), "test-", messages.KNOWN)
    assert found is not None
    assert words.text_of({"code": found.code, "about": found.about, "name": found.name}, "zh").startswith(
        "something with DiskFull"
    )
    assert deadletters.queue_words("queue", "new-thing", "en") == "work of new-thing"
