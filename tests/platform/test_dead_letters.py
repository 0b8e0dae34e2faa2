"""Dead letters: what lies in them is told without what it says, and goes back to its queue."""

import json
from types import SimpleNamespace
from typing import Any

import pytest
from chalice.test import Client

from app import app as product
from chalicelib.platform import audit, deadletters, jobs, settings
from chalicelib.platform.errors import Conflict, NotFound
from infra import build, package, template
from tests.support.api import Api
from tests.support.sops_world import load

PLENTY = SimpleNamespace(get_remaining_time_in_millis=lambda: 25_000)
PHONE = "13800138000"


@pytest.fixture
def sqs(tables: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The queues of an account: one standard, one FIFO, with their dead letters."""
    client = settings.client("sqs")
    monkeypatch.setenv("DEAD_LETTERS", "assign callback.fifo route-stream")
    for name in ("assign", "assign-dlq", "route-stream-dlq", "callback.fifo", "callback-dlq.fifo"):
        attributes = {"FifoQueue": "true"} if name.endswith(".fifo") else {}
        client.create_queue(QueueName=f"test-{name}", Attributes=attributes)
    deadletters._url.cache_clear()
    return client


def put(sqs: Any, name: str, message: Any, group: str | None = None) -> None:
    fifo = {"MessageGroupId": group, "MessageDeduplicationId": json.dumps(message)[-100:]} if group else {}
    sqs.send_message(QueueUrl=deadletters._url(name), MessageBody=json.dumps(message), **fifo)


def bodies(sqs: Any, name: str) -> list[dict[str, Any]]:
    """All that is in a queue, taken out."""
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=deadletters._url(name), MaxNumberOfMessages=10).get(
        "Messages"
    ):
        for message in messages:
            found.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=deadletters._url(name), ReceiptHandle=message["ReceiptHandle"])
    return found


def ask(**request: Any) -> Any:
    return load("redrive").handler(request, PLENTY)


def test_what_lies_there_is_told_by_count_age_and_kind_and_nothing_else(sqs: Any) -> None:
    for n in range(3):
        put(sqs, "assign-dlq", {"kind": "lapse", "phone": PHONE, "n": n})
    put(sqs, "assign-dlq", {"type": "customer_added", "subject": "wm1"})
    put(sqs, "callback-dlq.fifo", {"kind": f"call {PHONE}"}, "wm1")
    first, second = ask()["answer"]
    assert first.pop("oldest_at").startswith("20")
    kinds = {"lapse": 3, "customer_added": 1}
    assert first == {"queue": "assign", "count": 4, "redrivable": True, "kinds": kinds}
    assert second["queue"] == "callback" and second["kinds"] == {"other": 1}
    assert ask()["answer"][0]["count"] == 4  # looking takes nothing


def test_a_message_shows_our_ids_and_nothing_that_says_who_somebody_is(sqs: Any) -> None:
    said = {
        "kind": "notify",
        "staff_id": "lihua",
        "order_id": f"M{PHONE}",
        "external_userid": "wm1",
        "name": "林晓",
        "phone": int(PHONE),
        "count": 3,
        "known": True,
        "data": {
            "unionid": "o1",
            "live_code_id": "lc_1",
            "at": "2026-11-23T04:00:00+00:00",
            "notes": ["x", 2],
        },
        "status": "a text with spaces",
    }
    put(sqs, "assign-dlq", said)
    (letter,) = ask(queue="assign", look=True)["answer"]
    assert letter["content"] == {
        "kind": "notify",
        "staff_id": "lihua",
        "order_id": "***",
        "external_userid": "***",
        "name": "***",
        "phone": "***",
        "count": 3,
        "known": True,
        "data": {
            "unionid": "***",
            "live_code_id": "lc_1",
            "at": "2026-11-23T04:00:00+00:00",
            "notes": ["***", 2],
        },
        "status": "***",
    }
    assert ask()["answer"][0]["count"] == 1  # it stays


def test_all_of_a_queue_go_back_whole_and_none_stays(sqs: Any) -> None:
    wanted = [{"kind": "lapse", "n": n} for n in range(25)]
    for message in wanted:
        put(sqs, "assign-dlq", message)
    assert ask(queue="assign") == {"answer": 25}
    assert sorted(bodies(sqs, "assign"), key=lambda body: body["n"]) == wanted
    assert ask() == {"answer": []} and ask(queue="assign") == {"answer": 0}


def test_a_customers_messages_go_back_in_their_order_and_group(sqs: Any) -> None:
    for n in range(12):
        put(sqs, "callback-dlq.fifo", {"n": n}, "wm1")
    assert ask(queue="callback") == {"answer": 12}
    assert [body["n"] for body in bodies(sqs, "callback.fifo")] == list(range(12))


@pytest.mark.parametrize("operation", ["send_message", "delete_message"])
def test_one_that_dies_on_the_way_loses_nothing(
    sqs: Any, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    for n in range(3):
        put(sqs, "assign-dlq", {"n": n})
    calls, through = [], getattr(sqs, operation)

    def dies(**arguments: Any) -> Any:
        calls.append(operation)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return through(**arguments)

    monkeypatch.setattr(sqs, operation, dies)
    monkeypatch.setattr(deadletters, "HIDDEN", 0)  # whoever died hid the rest for a minute
    with pytest.raises(KeyboardInterrupt):
        ask(queue="assign")
    assert ask(queue="assign") == {"answer": 2}
    assert {body["n"] for body in bodies(sqs, "assign")} == {0, 1, 2}


def test_a_piece_of_a_job_is_not_lost_any_more(sqs: Any) -> None:
    job_id = jobs.start("stores_rebuild", 1)
    message = {"kind": "store_map", "job_id": job_id}
    jobs.give_up("assign", None, message)
    assert jobs.get(job_id).status == "failed"
    put(sqs, "assign-dlq", message)
    assert ask(queue="assign") == {"answer": 1}
    assert jobs.get(job_id).status == "running"


def test_it_ends_while_there_is_time(sqs: Any) -> None:
    for n in range(15):
        put(sqs, "assign-dlq", {"n": n})
    left = iter([25_000, 4_000])
    assert deadletters.redrive("assign", lambda: next(left)) == 10


def test_only_what_has_a_queue_is_sent_to_it(sqs: Any) -> None:
    put(sqs, "route-stream-dlq", {"DDBStreamBatchInfo": {}})
    ((found),) = ask()["answer"]
    assert (found["queue"], found["redrivable"]) == ("route-stream", False)
    with pytest.raises(Conflict):
        deadletters.redrive("route-stream", lambda: 25_000)
    with pytest.raises(NotFound):
        deadletters.redrive("sonstwas", lambda: 25_000)


class Lambda:
    """functions/redrive, invoked in process."""

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:
        assert FunctionName == "test-redrive"
        answer = json.dumps(load("redrive").handler(json.loads(Payload), PLENTY)).encode()
        return {"Payload": SimpleNamespace(read=lambda: answer)}


def test_an_admin_sees_and_redrives_them_by_the_api(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDRIVE_FUNCTION", "test-redrive")
    monkeypatch.setattr(settings, "client", lambda service: {"sqs": sqs, "lambda": Lambda()}[service])
    put(sqs, "assign-dlq", {"kind": "lapse"})
    with Client(product) as client:
        api = Api(client, "admin")
        _, page = api.get("/api/dead-letters")
        (letters,) = page["items"]
        assert (letters["queue"], letters["count"], letters["kinds"]) == ("assign", 1, {"lapse": 1})
        assert letters["name"] == "Places of scans, contact codes" and "send them again" in letters["cure"]
        (letter,) = api.get("/api/dead-letters/assign/messages")[1]["items"]
        assert (letter["kind"], letter["content"]) == ("lapse", {"kind": "lapse"})
        assert api.get("/api/dead-letters/nothing/messages")[0] == 404
        status, problem = api.post("/api/dead-letters/nothing/redrive", Accept_Language="zh")
        assert (status, problem["detail"]) == (404, "没有队列 nothing")
        assert api.post("/api/dead-letters/route-stream/redrive")[0] == 409
        assert not list(audit.AuditItem.scan())  # what was refused has changed nothing
        assert api.post("/api/dead-letters/assign/redrive") == (200, {"queue": "assign", "count": 1})
        assert bodies(sqs, "assign") == [{"kind": "lapse"}]
        (entry,) = audit.AuditItem.scan()
        assert (entry.action, entry.object, entry.actor_kind) == ("dead_letters.redrive", "assign", "key")
        assert entry.changes == [{"field": "messages", "from": None, "to": 1}]
        operator, manager = api.acting_as("operator"), api.acting_as("store_manager")
        assert operator.post("/api/dead-letters/assign/redrive") == (200, {"queue": "assign", "count": 0})
        assert manager.get("/api/dead-letters")[0] == 403
        assert manager.post("/api/dead-letters/assign/redrive")[0] == 403


def test_it_knows_every_dead_letter_queue_that_is_deployed() -> None:
    stack = package.parsed("stack.yaml")
    made: dict[str, Any] = {}
    for name, spec in stack["functions"].items():
        made |= template.function(name, spec, stack, "archive.zip", build.aws())
    names = {
        resource["Properties"]["QueueName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for resource in made.values()
        if resource.get("Type") == "AWS::SQS::Queue"
    }
    known = template.dead_letter_names(stack)
    assert {deadletters._dlq(name) for name in known} == {name for name in names if "-dlq" in name}
    assert {name for name in known if deadletters._is_redrivable(name)} == {
        n for n in names if "-dlq" not in n
    }
