"""One WeCom in memory, for all tests that need no wire: contact ways, staff, customers, messages, mass sends."""

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from chalicelib.platform import clock
from chalicelib.platform.userids import fold
from chalicelib.wecom.client import ContactWay, MassSend
from chalicelib.wecom.errors import AnswerLost, WeComError

LOST = (AnswerLost("the answer was lost"), "done")


class FakeWeCom:
    """`fail`: what the next calls of a name raise, in their order; None: nothing. `calls`: how often each came.

    A failure given as (error, "done") is raised after the call was carried out. `effect` makes what outlives
    a call; a world that kills processes puts itself there.
    """

    def __init__(self, effect: Callable[[Callable[[], Any]], Any] = lambda make: make()) -> None:
        self.calls: Counter[str] = Counter()
        self.fail: dict[str, list[Any]] = {}
        self._effect, self._lock = effect, threading.Lock()
        self.ways: dict[str, dict[str, Any]] = {}
        self.made = 0
        self.gone: set[str] = set()  # members who have left
        self.not_serving: set[str] = set()  # members without the right to have customers
        self.seen: set[str] = set()  # members it was asked for
        self.departments: list[dict[str, Any]] = []
        self.names: dict[str, str] = {}  # of customers
        self.follows: dict[str, list[dict[str, Any]]] = {}  # of customers
        self.welcomes: list[str] = []
        self.messages: list[dict[str, Any]] = []  # to staff
        self.sends: dict[str, dict[str, Any]] = {}  # mass sends
        self.refuse: set[str] = set()  # customers whom mass sends leave out
        self.dispatch = timedelta(seconds=10)  # until a mass send's results can be asked for
        self.confirm_after: timedelta | None = timedelta(minutes=5)
        self.status: dict[str, int] = {}  # what confirming brings for a customer, if not "sent"
        self._numbers = itertools.count()

    def _plan(self, name: str) -> Any:
        """Count a call; raise what is planned for it, or return what is to be raised once it is done."""
        self.calls[name] += 1
        left = self.fail.get(name)
        planned = left.pop(0) if left else None
        if isinstance(planned, BaseException):
            raise planned
        return planned

    # contact ways

    def add_contact_way(self, fields: Mapping[str, Any], *, deadline: datetime | None = None) -> ContactWay:
        with self._lock:
            planned = self._plan("add_contact_way")
            config_id = f"cfg{self.made}"
            self.made += 1
            qr_code = f"https://wework.qpic.cn/wwpic/{config_id}/0"
            self.ways[config_id] = {**fields, "config_id": config_id, "qr_code": qr_code}
            if planned:
                raise planned[0]
            return ContactWay(config_id, qr_code)

    def list_contact_way(
        self, start: datetime, end: datetime, *, deadline: datetime | None = None
    ) -> Iterator[str]:
        self._plan("list_contact_way")
        yield from list(self.ways)

    def get_contact_way(self, config_id: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        self._plan("get_contact_way")
        if config_id not in self.ways:
            raise WeComError("externalcontact/get_contact_way", 41044)
        return self.ways[config_id]

    def update_contact_way(
        self, config_id: str, changes: Mapping[str, Any], *, deadline: datetime | None = None
    ) -> None:
        self._plan("update_contact_way")
        if config_id not in self.ways:
            raise WeComError("externalcontact/update_contact_way", 41044)
        self.ways[config_id].update(changes)

    def del_contact_way(self, config_id: str, *, deadline: datetime | None = None) -> None:
        self._plan("del_contact_way")
        if self.ways.pop(config_id, None) is None:
            raise WeComError("externalcontact/del_contact_way", 41044)

    # staff and customers

    def get_follow_user_list(self, *, deadline: datetime | None = None) -> list[str]:
        """Whom it was ever asked for, and are there."""
        self._plan("get_follow_user_list")
        return sorted(self.seen - self.gone - self.not_serving)

    def department_list(self) -> list[dict[str, Any]]:
        return self.departments

    def user_get(self, userid: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        self._plan("user_get")
        if userid in self.gone:
            raise WeComError("user/get", 60111)
        self.seen.add(fold(userid))
        return {"userid": userid, "name": f"{userid.capitalize()}女士", "status": 1}

    def external_contact(self, external_userid: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        self._plan("external_contact")
        name = self.names.get(external_userid, "赵敏")
        follows = self.follows.get(external_userid, [])
        return {
            "external_contact": {"external_userid": external_userid, "name": name},
            "follow_user": follows,
        }

    def getuserinfo(self, code: str, *, deadline: datetime | None = None) -> dict[str, Any]:
        """A code is `member:<userid>` or `customer:<external_userid>`."""
        kind, _, who = code.partition(":")
        if kind == "member":
            return {"userid": who}
        if kind == "customer":
            return {"openid": "o1", "external_userid": who}
        raise WeComError("auth/getuserinfo", 40029)

    # messages

    def send_welcome_msg(
        self, code: str, text: str, attachments: Any, *, deadline: datetime | None = None
    ) -> None:
        self._plan("send_welcome_msg")
        self.welcomes.append(text)

    def message_send(self, message: Mapping[str, Any], *, deadline: datetime | None = None) -> dict[str, Any]:
        planned = self._plan("message_send")
        if message not in self.messages:  # enable_duplicate_check
            self._effect(lambda: self.messages.append(dict(message)))
        if planned:
            raise planned[0]
        return {"invaliduser": ""}

    # mass sends

    def add_msg_template(self, message: Mapping[str, Any]) -> MassSend:
        assert len(message["external_userid"]) <= 10_000
        planned = self._plan("add_msg_template")
        msgid = f"msg{next(self._numbers):06d}"

        def send() -> None:
            self.sends[msgid] = {**message, "at": clock.now()}

        self._effect(send)
        if planned:
            raise planned[0]
        return MassSend(msgid, [subject for subject in message["external_userid"] if subject in self.refuse])

    def groupmsg_list(
        self, start: datetime, end: datetime, chat_type: str = "single", filter_type: int = 2
    ) -> Iterator[dict[str, Any]]:
        self._plan("groupmsg_list")
        for msgid, send in list(self.sends.items()):
            if start <= send["at"] <= end:
                yield {"msgid": msgid, "text": send["text"], "attachments": send.get("attachments", [])}

    def groupmsg_send_result(self, msgid: str, staff_id: str) -> Iterator[dict[str, Any]]:
        self._plan("groupmsg_send_result")
        send, now = self.sends[msgid], clock.now()
        if now - send["at"] < self.dispatch:
            raise WeComError("externalcontact/get_groupmsg_send_result", 41063)
        if send["sender"] != staff_id:
            raise WeComError("externalcontact/get_groupmsg_send_result", 40003)
        sent_at = send["at"] + self.confirm_after if self.confirm_after is not None else None
        for subject in send["external_userid"]:
            if subject in self.refuse:
                continue
            row: dict[str, Any] = {"external_userid": subject, "userid": staff_id, "status": 0}
            if sent_at and sent_at <= now:
                row["status"] = self.status.get(subject, 1)
                if row["status"] == 1:
                    row["send_time"] = int(sent_at.timestamp())
            yield row

    def received(self) -> Counter[tuple[str, str]]:
        """How often each person was sent each text."""
        return Counter(
            (subject, send["text"]["content"])
            for send in self.sends.values()
            for subject in send["external_userid"]
        )
