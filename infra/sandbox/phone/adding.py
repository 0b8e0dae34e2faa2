"""Where a code or a link leads: the contact card, the group's card, the acquisition link."""

import urllib.parse
from html import escape
from typing import TYPE_CHECKING, Any

from infra.sandbox.acquisition_api import usable
from infra.sandbox.phone import frame
from infra.sandbox.phone.frame import Page, both

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox


def _form(raw: bytes) -> dict[str, str]:
    return {key: values[0] for key, values in urllib.parse.parse_qs(raw.decode(errors="replace")).items()}


def _person(sandbox: "Sandbox", raw: bytes, phone: str) -> dict[str, Any]:
    """Who scans: the phone's person while the name stays theirs; another name is another person."""
    name = _form(raw).get("name", "").strip()
    known = sandbox.world.state.contacts.get(phone)
    if known is not None and name in ("", known.name):
        return {"external_userid": phone}
    return {"name": name}


def _name_field(sandbox: "Sandbox", phone: str) -> str:
    known = sandbox.world.state.contacts.get(phone)
    value = escape(known.name) if known is not None else ""
    return (
        '<ul class="cells"><li><label for="name">我的昵称</label>'
        f'<input id="name" name="name" value="{value}" placeholder="不填就取一个" maxlength="32" '
        'autocomplete="off"></li></ul>'
    )


def _card(sandbox: "Sandbox", userids: list[str]) -> str:
    """Who is to be added."""
    names = [frame.name_of(sandbox.world, userid) for userid in userids]
    shown = "、".join(names[:3]) + (f" 等 {len(names)} 位" if len(names) > 3 else "")
    corp = escape(sandbox.config.corp_name)
    picture = frame.face(names[0] if names else "客", userids[0].lower() if userids else "", "big")
    return (
        f'<section class="who">{picture}<div><h2>{escape(shown)}</h2>'
        f'<p class="corp">@{corp}</p><p>企业微信用户 <span lang="en">WeCom</span></p></div></section>'
    )


def contact(sandbox: "Sandbox", method: str, config_id: str, raw: bytes, phone: str) -> Page:
    """A contact way: the card, and the chat once they are added."""
    way = sandbox.world.state.ways.get(config_id)
    if way is None:
        return gone()
    if method == "POST":
        added = sandbox.actions.add(config_id=config_id, **_person(sandbox, raw, phone))
        return frame.go(
            frame.path("chat", added["external_userid"], added["userid"]), added["external_userid"]
        )
    form = f'<form method="post">{_name_field(sandbox, phone)}{_add()}</form>'
    body = _card(sandbox, way.fields["user"]) + form
    return frame.page("详细资料", body, english="Contact", back="/")


def _add() -> str:
    return f'<button class="do">{both("添加到通讯录", "Add to contacts")}</button>'


def group(sandbox: "Sandbox", method: str, config_id: str, raw: bytes, phone: str) -> Page:
    """A join way: the group that a scan leads into."""
    world = sandbox.world
    way = world.state.join_ways.get(config_id)
    if way is None:
        return gone()
    if method == "POST":
        joined = sandbox.actions.join(config_id=config_id, **_person(sandbox, raw, phone))
        if joined["full"]:
            text = ("群聊人数已满，只可通过邀请进群", "The group is full: you can only be invited")
            return frame.notice("无法加入", text)
        external = joined["external_userid"]
        return frame.go(frame.path("group", joined["chat_id"], external), external)
    chats = [world.state.groups[c] for c in way.fields["chat_id_list"] if c in world.state.groups]
    name = chats[0].name if chats else "群聊"
    size = len(chats[0].members) if chats else 0
    corp = escape(sandbox.config.corp_name)
    card = (
        f'<section class="who">{frame.face("群", "", "big group")}<div><h2>{escape(name)}</h2>'
        f'<p>{size} 人 · <span class="corp">@{corp}</span></p></div></section>'
    )
    join = f'<button class="do">{both("加入群聊", "Join the group")}</button>'
    return frame.page(
        "群聊邀请", f'{card}<form method="post">{_name_field(sandbox, phone)}{join}</form>', back="/",
        english="Group chat",
    )  # fmt: skip


def link(
    sandbox: "Sandbox", method: str, link_id: str, query: dict[str, str], raw: bytes, phone: str
) -> Page:
    """An acquisition link as a phone opens it."""
    known = sandbox.world.state.links.get(link_id)
    if known is None:
        return gone()
    if method == "POST":
        url = f"/ca/{link_id}?{urllib.parse.urlencode(query)}"
        try:
            added = sandbox.actions.acquire(url, **_person(sandbox, raw, phone))
        except ValueError:
            return frame.notice("无法添加", ("链接已失效，请联系商家", "This link does not work any more"))
        return frame.go(
            frame.path("chat", added["external_userid"], added["userid"]), added["external_userid"]
        )
    people = usable(sandbox.world, known)
    body = f'{_card(sandbox, people)}<form method="post">{_name_field(sandbox, phone)}{_add()}</form>'
    return frame.page("详细资料", body, english="Contact", back="/")


def gone() -> Page:
    text = ("没有这个二维码，它可能已被删除", "There is no such code; it may have been deleted")
    return frame.notice("无法识别", text, status=404)
