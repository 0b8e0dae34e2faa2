"""What a push asks of WeCom, and how to find out whether it was asked already."""

from datetime import timedelta
from typing import Any

from msgspec import Struct

from chalicelib.customers import service as customers
from chalicelib.notices import rules as notice_rules
from chalicelib.notices import service as notices
from chalicelib.platform import clock, storage
from chalicelib.platform.clock import SHANGHAI
from chalicelib.sops import rules
from chalicelib.sops.models import PushItem
from chalicelib.sops.types import Link, MiniProgram, Plan, Step
from chalicelib.wecom.client import default_client
from chalicelib.wecom.errors import WeComError

_SKEW = timedelta(minutes=1)  # between our clock and WeCom's
_LISTED = timedelta(days=28)  # WeCom lists a month at most
_BY_CORP = 0  # of get_groupmsg_list_v2: made through the API or the console, not by a member
_NAMES = 20  # of customers, in a text to staff


class Taken(Struct, frozen=True):
    """WeCom has it. `msgid`: None for a task to staff. `refused`: those it cannot send to."""

    msgid: str | None
    refused: frozenset[str]


class Unreachable(Exception):
    """The guide gets no messages from the app: left, or not in its visible range."""


def call(push: PushItem, plan: Plan, step: Step, to: list[str]) -> Taken:
    """Make the mass send (or tell the guide). WeComError, AnswerLost, Upstream; Unreachable."""
    if step.delivery == "staff_task":
        return _ask_guide(push, plan, step, to)
    content = rules.message(step)
    body: dict[str, Any] = {"chat_type": "single", "sender": push.staff_id, "external_userid": to}
    if content.text:
        body["text"] = {"content": content.text}
    if content.attachments:
        body["attachments"] = content.attachments
    sent = default_client().add_msg_template(body)
    return Taken(sent.msgid, frozenset(sent.fail_list))


def find(push: PushItem, step: Step, to: list[str]) -> Taken | None:
    """The mass send that an earlier call of this push has made: same time, text and recipients.

    Upstream (WeComError 41063) while WeCom is still handing it out and cannot tell.
    """
    client, wanted = default_client(), rules.message(step)
    since = max(clock.parse(push.created_at) - _SKEW, clock.now() - _LISTED)
    for row in client.groupmsg_list(since, clock.now() + _SKEW, "single", _BY_CORP):
        text = (row.get("text") or {}).get("content") or None
        if text != wanted.text or len(row.get("attachments") or []) != len(wanted.attachments):
            continue
        try:
            results = client.groupmsg_send_result(row["msgid"], push.staff_id)
            got = {result["external_userid"] for result in results}
        except WeComError as error:
            if error.retryable:
                raise
            continue  # another guide's
        if got and got <= set(to) and own(row["msgid"], push.push_id):
            return Taken(row["msgid"], frozenset(to) - got)
    return None


def own(msgid: str, push_id: str) -> bool:
    """Mark a WeCom task as this push's. False when it is another's."""
    mark = PushItem(f"msgid#{msgid}", owner=push_id)
    if storage.put_once(mark, PushItem.push_id.does_not_exist()):
        return True
    known = PushItem.find(mark.push_id)
    return known is not None and known.owner == push_id


def _ask_guide(push: PushItem, plan: Plan, step: Step, to: list[str]) -> Taken:
    """Tell the guide what to send to whom. Asked again within four hours, WeCom drops the equal text."""
    names = [customer.name for customer in map(customers.get, to[:_NAMES]) if customer and customer.name]
    made = clock.parse(push.created_at).astimezone(SHANGHAI)
    whom = "、".join(names) + (" 等" if len(to) > len(names) and names else "")
    head = f"【{plan.name}】{made:%m-%d %H:%M} 请发送给 {len(to)} 位客户" + (f"：{whom}" if whom else "")
    content = notice_rules.cut(f"{head}\n{_as_text(step)}")
    if not notices.send_now(push.staff_id, {"msgtype": "text", "text": {"content": content}}):
        raise Unreachable
    return Taken(None, frozenset())


def _as_text(step: Step) -> str:
    """The content as a guide reads it."""
    lines = []
    for piece in step.content:
        if isinstance(piece, Link):
            lines.append(f"{piece.title} {piece.url}")
        elif isinstance(piece, MiniProgram):
            lines.append(piece.title)
        else:
            kind = {"image": "[图片]", "video": "[视频]", "file": "[文件]"}
            lines.append(getattr(piece, "text", "") or kind[str(piece.__struct_config__.tag)])
    return "\n".join(lines)
