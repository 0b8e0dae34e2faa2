"""Write units of one added customer, end to end, as the engine counts them (MiniStack, by AWS's rules).

From the callback's message to a customer who is confirmed, welcomed, tagged, enrolled and counted,
after the scan. WeCom is answered from memory. Prints `name value unit`; the target is 12 in all.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
sys.path.insert(0, str(ROOT / "tests"))

import conftest  # sets the environment that the models read

os.environ["WECOM_CORP_ID"] = "ww1"
import msgspec

from chalicelib.callbacks import service as callbacks
from chalicelib.contactways import service as contactways
from chalicelib.facts import service as facts
from chalicelib.facts import sources
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.types import NewLiveCode
from chalicelib.messaging import service as messaging
from chalicelib.metrics import service as metrics
from chalicelib.platform import clock, queues, storage, timeline
from chalicelib.platform.timeline import Line
from chalicelib.scans import service as scan_service
from chalicelib.sops import service as sops
from chalicelib.sops.types import Plan
from chalicelib.tags import service as tags
from chalicelib.wecom import client as wecom
from chalicelib.wecom import events
from tests.support import engine

WHO = "wmTESTexternal000000000000000001"
AVATAR = "https://wx.qlogo.cn/mmhead/" + "Q3auHgzwzM5Kc0pYtP8cQZtQ" * 3 + "/0"
CODE = {
    "name": "Parcel card",
    "channel": "parcel",
    "tags": ["渠道/包裹卡"],
    "assignment": {"members": [{"staff_id": "lihua"}, {"staff_id": "wangwu"}]},
    "welcome": {"text": "您好 {customer_name}"},
}
SOP = {
    "name": "New customer",
    "audience": "customer",
    "trigger": {"event": "customer_added"},
    "steps": [
        {
            "step_id": "a",
            "after": "PT1H",
            "delivery": "mass_send",
            "content": [{"type": "text", "text": "hi"}],
        }
    ],
}


class Corp:
    """WeCom, answering at once."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_: Any, **__: Any) -> Any:
            self.calls[name] += 1
            contact = {"name": "小王", "avatar": AVATAR, "unionid": "oUNIONtest00000000000000001"}
            tag = {"id": "et1", "name": "包裹卡"}
            return {
                "external_contact": {"external_contact": contact, "follow_user": []},
                "get_corp_tag_list": [{"group_name": "渠道", "tag": [tag]}],
                "add_contact_way": wecom.ContactWay(f"cfg{self.calls[name]}", "https://qr"),
            }.get(name)

        return call


class Meter:
    """What the engine says that each request consumed."""

    def __init__(self) -> None:
        self.writes = 0.0
        self.requests = 0
        hooks = storage.connection().client.meta.events
        hooks.register("provide-client-params.dynamodb", self._ask)
        hooks.register("after-call.dynamodb", self._count)

    def _ask(self, params: dict[str, Any], model: Any, **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "INDEXES"}

    def _count(self, parsed: dict[str, Any], model: Any, **_: Any) -> None:
        self.requests += 1
        if model.name not in ("GetItem", "Query", "BatchGetItem", "TransactGetItems"):
            told = parsed.get("ConsumedCapacity") or []
            self.writes += sum(one["CapacityUnits"] for one in (told if isinstance(told, list) else [told]))

    def of(self, name: str, work: Callable[[], None]) -> float:
        self.writes, self.requests = 0.0, 0
        work()
        print(f"added_customer_{name} {self.writes:g} write_units")
        print(f"added_customer_{name}_requests {self.requests} requests")
        return self.writes


def message(state: str) -> dict[str, Any]:
    xml = (
        f"<xml><ToUserName>ww1</ToUserName><CreateTime>{int(datetime.now(UTC).timestamp())}</CreateTime>"
        "<MsgType>event</MsgType><Event>change_external_contact</Event><ChangeType>add_external_contact"
        f"</ChangeType><UserID>lihua</UserID><ExternalUserID>{WHO}</ExternalUserID><State>{state}</State></xml>"
    )
    return events.parse(xml.encode()).to_message()


def measure() -> float:
    sent: list[dict[str, Any]] = []
    queues.send = lambda queue, message, **_: sent.append(dict(message))  # type: ignore[assignment]
    queues.send_all = lambda queue, messages: None  # type: ignore[assignment]
    corp = Corp()
    wecom.default_client = lambda: corp  # type: ignore[assignment]
    code = livecodes.create(msgspec.to_builtins(msgspec.convert(CODE, NewLiveCode)))
    sops.create(msgspec.convert(SOP, Plan))
    scan = scan_service.scan(code.code)
    while scan.staff_id != "lihua":
        scan = scan_service.scan(code.code)
    added = message(contactways.way(code, "lihua").state)
    now, bond = clock.iso(clock.now()), {"external_userid": WHO, "staff_id": "lihua"}
    welcome = {"code": "WC", **bond, "state": added["values"]["State"], "at": added["at"], "received_at": now}
    tags.apply("lihua", "somebody", CODE["tags"], [])  # type: ignore[arg-type]  # the tag's id is known
    sent.clear()
    meter = Meter()
    total = meter.of("callback", lambda: callbacks.handle(added))
    total += meter.of("welcome", lambda: messaging.welcome(welcome))
    total += meter.of("tag", lambda: tags.apply("lihua", WHO, sent[0]["add"], []))
    found = [
        (Line(WHO, row["type"], clock.parse(row["at"]), "k", row["data"]), str(n).zfill(40))
        for n, row in enumerate(timeline.read(WHO)[0])
    ]
    facts_of_lines = sources.event_types()
    total += meter.of("enrol", lambda: [sops.on_line(line) for line, _ in found] and None)
    heard = [line for line, _ in found if line.type in facts_of_lines]
    total += meter.of("facts", lambda: [facts.on_line(line) for line in heard] and None)
    total += meter.of("project", lambda: metrics.project(found, "shard"))
    return total


def main() -> None:
    with engine.running() as os.environ["AWS_ENDPOINT_URL"]:
        conftest.create_tables()
        print(f"added_customer_total {measure():g} write_units")


if __name__ == "__main__":
    main()
