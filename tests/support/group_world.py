"""What the tests of groups share: the sandbox as WeCom without a wire, its people, and what runs later."""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.assignments import types as assignment_types
from chalicelib.callbacks import service as callbacks
from chalicelib.groups.models import ChatItem, MemberItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform import due, timeline, works
from chalicelib.platform.due import DueItem
from chalicelib.wecom import client, events
from chalicelib.wecom.errors import AnswerLost, WeComError
from infra.sandbox import Config, Sandbox
from infra.sandbox.api import ENDPOINTS
from tests.support.scan_support import definition, new_process

CORP = Config().corp_id
NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)  # Monday, 12:00 in Shanghai
Sent = list[tuple[str, dict[str, Any], str | None]]


class Wire:
    """WeCom's wire, in process. `fail`: what calls whose path ends so raise next; (error, True): after."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.calls: Counter[str] = Counter()
        self.fail: dict[str, list[Any]] = {}
        self.bodies: list[tuple[str, Any]] = []

    def call(
        self,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, str] | None = None,
        *,
        repeatable: bool,
        deadline: datetime | None,
    ) -> dict[str, Any]:
        name = path.rsplit("/", 1)[-1]
        self.calls[name] += 1
        self.bodies.append((name, body))
        planned = (self.fail.get(name) or [None]).pop(0)
        if isinstance(planned, Exception):
            raise planned
        config = self.sandbox.config
        token = self.sandbox.wecom.answer(
            "GET", "/cgi-bin/gettoken", {"corpid": config.corp_id, "corpsecret": config.secret}, "", b"", "ip"
        )[1]["access_token"]
        raw = json.dumps(body or {}, ensure_ascii=False).encode()
        query = {"access_token": token, **(params or {})}
        answer = self.sandbox.wecom.answer(ENDPOINTS[path].method, "/cgi-bin/" + path, query, "", raw, "ip")[
            1
        ]
        if planned is not None:
            raise planned[0]
        if answer["errcode"]:
            raise WeComError(path, answer["errcode"])
        return answer


class Corp(client.WeCom):
    def __init__(self, sandbox: Sandbox) -> None:
        self.agent_id = str(sandbox.config.agent_id)
        self.wire = Wire(sandbox)
        self._wire = self.wire  # type: ignore[assignment]
        self._app = lambda: None


class World:
    """A corp with groups. `now` is the clock of all; `run` does what was sent, `forward` what falls due."""

    def __init__(self, sent: Sent, set_clock: Callable[[datetime], None], keys: dict[str, str]) -> None:
        self.sent, self._set = sent, set_clock
        self.now = NOON
        set_clock(NOON)
        self.sandbox = Sandbox(Config(now=lambda: self.now, run_by_itself=False, **keys))
        self.corp = Corp(self.sandbox)
        self.actions = self.sandbox.actions
        new_process()
        self.held: list[str] = []

    def group(self, owner: str = "lihua", name: str = "福利群1", members: int = 0) -> str:
        people = [f"wm{owner}{'0' * 20}{n:04}" for n in range(members)]
        return str(self.actions.add_group(owner, name, people)["chat_id"])

    def code(self, *chat_ids: str, **rest: Any) -> livecodes.LiveCode:
        groups = {"chat_ids": list(chat_ids)} | {
            k: rest.pop(k) for k in ("limit", "auto_create", "room_base_name") if k in rest
        }
        members = [{"staff_id": one} for one in rest.pop("staff", ())]
        made = livecodes.create(definition(*members, kind="group", groups=groups, **rest))
        self.run()
        return made

    def at(self, moment: datetime) -> None:
        self.now = moment
        self._set(moment)

    def run(self) -> None:
        """What the consumers of assign and notify would do."""
        while mine := [m for queue, m, _ in self.sent if queue in ("assign", "notify")]:
            self.sent[:] = [one for one in self.sent if one[0] not in ("assign", "notify")]
            for message in mine:
                if message["kind"] != "contact_way":
                    works.do(message)

    def forward(self, by: timedelta, without: str = "") -> None:
        """What falls due, in its order, as the ticker hands it out; but for one kind."""
        end = self.now + by
        while True:
            rows = [row for row in DueItem.scan() if row.kind != without]
            waiting = sorted((row.due_at, row.sort, row.bucket) for row in rows)
            if not waiting or datetime.fromisoformat(waiting[0][0]) > end:
                break
            self.at(max(self.now, datetime.fromisoformat(waiting[0][0])))
            row = DueItem.get(waiting[0][2], waiting[0][1])
            due.remove([row])
            self.sent.append(("assign", {"kind": row.kind, "due_at": row.due_at, **row.work}, None))
            self.run()
        self.at(end)

    def hear(self, done: dict[str, Any], run: bool = True) -> dict[str, Any]:
        """The callback of what somebody did."""
        self.tell(done["xml"], run)
        return done

    def tell(self, xml: str, run: bool = True) -> None:
        callbacks.handle(events.parse(xml.encode()).to_message())
        if run:
            self.run()

    def join(self, scan: assignment_types.Scan, person: str, **options: Any) -> dict[str, Any]:
        return self.actions.join(qr_code=str(scan.qr_url), external_userid=person, **options)

    def told(self, staff_id: str) -> list[str]:
        """App messages to somebody."""
        return [m["text"]["content"] for m in self.sandbox.messages(staff_id) if m["kind"] == "app_message"]


def chat(chat_id: str) -> ChatItem:
    return ChatItem.get(chat_id, consistent_read=True)


def counts(chat_id: str) -> tuple[int, int, int]:
    """(people, reserved, taken); also that they agree with each other and with the rows."""
    row = chat(chat_id)
    inside = [m for m in MemberItem.query(chat_id, consistent_read=True) if m.left_at is None]
    assert len(inside) == row.people
    assert row.taken == row.people + row.reserved
    return int(row.people), int(row.reserved), int(row.taken)


def lines(subject: str, kind: str) -> list[dict[str, Any]]:
    return [row["data"] for row in timeline.read(subject, 100)[0] if row["type"] == kind]


def person(number: int) -> str:
    return f"wm{number:030}"


def lost(path: str) -> tuple[Exception, bool]:
    return AnswerLost(path), True
