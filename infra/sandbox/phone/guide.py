"""A guide's WeCom: words of the app, what waits for their tap, their customers and groups."""

import re
import urllib.parse
from html import escape
from typing import TYPE_CHECKING, Any

from infra.sandbox import mass_api, moment_api, transfer_api
from infra.sandbox.phone import frame
from infra.sandbox.phone.customer import WRITING, act, last_words, private, row, section
from infra.sandbox.phone.frame import Page, both
from infra.sandbox.world import World

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

_MOST = 50
_TAG = re.compile(r"<[^>]+>")
_A_MINUTE = 30


def _settle(world: World) -> None:
    for part in (transfer_api, mass_api, moment_api):
        part.settle(world, world.ts())


def home(sandbox: "Sandbox", method: str, userid: str, raw: bytes) -> Page:
    """What a guide sees when they open WeCom; a POST taps on one of the tasks."""
    world = sandbox.world
    member = world.state.staff.get(userid.lower())
    if member is None:
        return frame.notice("没有这位导购", ("请从首页选择", "Please choose on the first screen"), 404)
    _settle(world)
    if method == "POST":
        given = urllib.parse.parse_qs(raw.decode(errors="replace"))
        if msgid := given.get("msgid", [""])[0]:
            sandbox.confirm_mass_send(msgid, member.userid)
        if moment_id := given.get("moment_id", [""])[0]:
            sandbox.actions.publish_moment(moment_id, member.userid)
        return frame.go(frame.path("guide", member.userid))
    told = words(world, member.userid)
    last = _TAG.sub("", last_words(told)) or "应用消息会出现在这里"
    at = told[-1]["at"] if told else None
    own_app = row(
        frame.path("guide", member.userid, "app"), frame.face("应", "app", "app"), "客户助手", last, at
    )
    body = f'<ul class="cells">{own_app}</ul>{_tasks(world, member.userid)}{_moments(world, member.userid)}'
    body += _groups(world, member.userid) + _customers(world, member.userid)
    return frame.page(f"{member.name} 的企业微信", body, english="WeCom", back="/")


def _tasks(world: World, userid: str) -> str:
    """Mass sends that wait for the guide's tap."""
    rows = ""
    for task in world.state.mass_tasks.values():
        send = world.state.mass_sends[task.msgid]
        if task.userid.lower() != userid.lower() or task.sent_at is not None or send.cancelled:
            continue
        text = str(send.content["text"]["content"]) or "图文消息"
        target = "个客户" if send.chat_type == "single" else "个群"
        rows += _tap("msgid", task.msgid, text, f"将发给 {len(task.results)} {target}", "发送")
    return section("待发送的群发", "Mass sends to confirm", rows)


def _moments(world: World, userid: str) -> str:
    rows = ""
    for moment in world.state.moments.values():
        task = moment.tasks.get(userid.lower())
        if task is None or task["published_at"] is not None or moment.cancelled:
            continue
        text = moment.content["text"]["content"] or "图文内容"
        rows += _tap("moment_id", moment.moment_id, text, f"{len(task['audience'])} 位客户可见", "发表")
    return section("待发表的朋友圈", "Moments to publish", rows)


def _tap(name: str, value: str, text: str, more: str, button: str) -> str:
    tap = f'<button class="act" name="{name}" value="{escape(value)}">{button}</button>'
    return (
        f'<li><span class="text"><b>{escape(text)}</b><small>{escape(more)}</small></span>'
        f'<form method="post">{tap}</form></li>'
    )


def _groups(world: World, userid: str) -> str:
    rows = "".join(
        row(frame.path("group", chat.chat_id, userid), frame.face("群", "", "group"), chat.name,
            f"{len(chat.members)} 人")
        for chat in world.state.groups.values()
        if any(m["userid"].lower() == userid.lower() for m in chat.members)
    )  # fmt: skip
    return section("客户群", "Groups", rows)


def _customers(world: World, userid: str) -> str:
    rows = ""
    bonds = world.bonds_of(userid)
    for bond in reversed(bonds[-_MOST:]):
        name = frame.name_of(world, bond.external_userid)
        said = private(world, bond.external_userid, userid)
        gone = "已将你删除" if bond.kind == "one_way" else ""
        link = frame.path("guide", userid, bond.external_userid)
        text = gone or last_words(said) or f"来源 {bond.state or '手动添加'}"
        rows += row(link, frame.face(name, bond.external_userid), name, text, bond.createtime)
    return section(f"客户 {len(bonds)}", "Customers", rows)


# What the app told them


def words(world: World, userid: str) -> list[dict[str, Any]]:
    """The app's messages to a guide, oldest first."""
    rows = []
    for found in world.state.received.values():
        if found["kind"] in ("app_message", "app_chat") and found["receiver"].lower() == userid.lower():
            rows.append({"at": found["at"], "kind": "app", "from": "", **_content(found)})
    return rows


def _content(found: dict[str, Any]) -> dict[str, Any]:
    """An app message as text, and a card where it is one."""
    kind = found["msgtype"]
    body = found[kind]
    match kind:
        case "text" | "markdown":
            return {"text": body["content"], "attachments": []}
        case "textcard":
            link = {"title": body.get("title", ""), "url": body.get("url", "")}
            link["desc"] = _TAG.sub(" ", body.get("description", "")).strip()
            return {"text": "", "attachments": [{"msgtype": "link", "link": link}]}
        case "news":
            links = [{**a, "desc": a.get("description", "")} for a in body.get("articles", [])]
            return {"text": "", "attachments": [{"msgtype": "link", "link": link} for link in links]}
        case "template_card":
            title = body.get("main_title", {})
            link = {"title": title.get("title", ""), "desc": title.get("desc", ""), "url": ""}
            return {"text": "", "attachments": [{"msgtype": "link", "link": link}]}
        case "image" | "video" | "file":
            return {"text": "", "attachments": [{"msgtype": kind, kind: body}]}
    return {"text": str(body.get("title", "")) or kind, "attachments": []}


def app(sandbox: "Sandbox", userid: str) -> Page:
    """The app's chat with a guide, and how much of it WeCom dropped."""
    world = sandbox.world
    if userid.lower() not in world.state.staff:
        return frame.notice("没有这位导购", ("请从首页选择", "Please choose on the first screen"), 404)
    body = frame.talk(world, words(world, userid), userid)
    lost = [r for r in world.state.dropped if r["receiver"].lower() == userid.lower()]
    if lost:
        at = frame.day_and_time(lost[-1]["at"])
        zh = f"另有 {len(lost)} 条没有送达（最近一条 {at}）：每位成员每分钟最多收到 {_A_MINUTE} 条"
        en = f"{len(lost)} more were dropped: a member gets {_A_MINUTE} a minute at most"
        body += f'<p class="note warn">{both(zh, en)}</p>'
    return frame.page("客户助手", body, english="App messages", back=frame.path("guide", userid), lively=True)


def chat(sandbox: "Sandbox", method: str, userid: str, external: str, raw: bytes) -> Page:
    """A guide's chat with a customer."""
    world = sandbox.world
    member, contact = world.state.staff.get(userid.lower()), world.state.contacts.get(external)
    if member is None or contact is None:
        return frame.notice("没有这个聊天", ("请从首页选择", "Please choose on the first screen"), 404)
    if method == "POST":
        act(sandbox, urllib.parse.parse_qs(raw.decode(errors="replace")), member.userid, external, by="staff")
        return frame.go(frame.path("guide", member.userid, external))
    body = frame.talk(world, private(world, external, userid), member.userid)
    bond = world.bond(userid, external)
    if bond is None or bond.kind == "one_way":
        body += f'<p class="note warn">{both("对方已不是你的好友", "Not a friend any more")}</p>'
    foot = "" if bond is None or bond.kind == "one_way" else WRITING
    more = frame.path("guide", member.userid, external, "more")
    return frame.page(
        contact.name, body, english="@WeChat", back=frame.path("guide", member.userid), lively=True,
        foot=foot, more=more if foot else "",
    )  # fmt: skip
