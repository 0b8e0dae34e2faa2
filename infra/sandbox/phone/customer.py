"""A customer's WeChat: their chats with guides and groups, and the moments that they see."""

import urllib.parse
from html import escape
from typing import TYPE_CHECKING, Any

from infra.sandbox import state as st
from infra.sandbox.phone import frame
from infra.sandbox.phone.frame import Page, both
from infra.sandbox.world import World

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

_WITH_A_GUIDE = ("welcome", "mass_send", "transfer", "chat", "chat_in")
_MOST = 50  # people on the first screen


def words_of(row: dict[str, Any]) -> str:
    return str((row.get("text") or {}).get("content", ""))


def shown(row: dict[str, Any], sender: str) -> dict[str, Any]:
    attachments = row.get("attachments") or []
    return {
        "at": row["at"],
        "kind": row["kind"],
        "from": sender,
        "text": words_of(row),
        "attachments": attachments,
    }


def private(world: World, external: str, userid: str) -> list[dict[str, Any]]:
    """What was said between a customer and a guide, oldest first."""
    own, rows = userid.lower(), []
    for row in world.state.received.values():
        pair = (row["receiver"], row["userid"].lower())
        if row["kind"] in _WITH_A_GUIDE and pair == (external, own):
            rows.append(shown(row, row["userid"]))
        elif row["kind"] == "chat_in" and (row["userid"], row["receiver"].lower()) == (external, own):
            rows.append(shown(row, external))
    return sorted(rows, key=lambda row: row["at"])


def in_group(world: World, chat_id: str, external: str = "") -> list[dict[str, Any]]:
    """What was said in a group; a welcome is seen by whom it greets."""
    rows = [
        shown(row, row["userid"])
        for row in world.state.received.values()
        if row["receiver"] == chat_id
        or (
            row["kind"] == "group_welcome" and row["chat_id"] == chat_id and external in ("", row["receiver"])
        )
    ]
    return sorted(rows, key=lambda row: row["at"])


def row(link: str, picture: str, name: str, text: str, at: float | None = None) -> str:
    time = f"<time>{frame.when(at)}</time>" if at else ""
    return (
        f'<li><a href="{link}">{picture}<span class="text"><b>{escape(name)}</b>'
        f"<small>{escape(text)}</small></span>{time}</a></li>"
    )


def section(title: str, english: str, rows: str) -> str:
    """Rows under a head; nothing without rows."""
    if not rows:
        return ""
    head = f'<h2 class="head">{escape(title)} <span lang="en">{escape(english)}</span></h2>'
    return f'{head}<ul class="cells">{rows}</ul>'


def last_words(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    kinds = {
        "image": "[图片]",
        "link": "[链接]",
        "miniprogram": "[小程序]",
        "video": "[视频]",
        "file": "[文件]",
    }
    last = rows[-1]
    kind = last["attachments"][-1]["msgtype"] if last["attachments"] else ""
    return kinds.get(kind, "") + ("" if kind else str(last["text"]))


def people(sandbox: "Sandbox") -> Page:
    """Whose phone? The first screen."""
    world = sandbox.world
    customers = list(world.state.contacts.values())[: -_MOST - 1 : -1]
    guides = [s for s in world.state.staff.values() if s.status != 5][:_MOST]
    of_customers = "".join(
        row(
            frame.path("me", c.external_userid),
            frame.face(c.name, c.external_userid),
            c.name,
            _short(world, c),
        )
        for c in customers
    )
    of_guides = "".join(
        row(
            frame.path("guide", s.userid),
            frame.face(s.name, s.userid.lower()),
            s.name,
            sandbox.config.corp_name,
        )
        for s in guides
    )
    nobody = f'<p class="note">{both("还没有人。扫一个二维码，或用接口添加", "Nobody yet: scan a code")}</p>'
    body = section("客户的微信", "WeChat of customers", of_customers)
    body += section("导购的企业微信", "WeCom of guides", of_guides)
    return frame.page("看谁的手机？", body if customers or guides else nobody, english="Whose phone?")


def _short(world: World, contact: st.Contact) -> str:
    names = [frame.name_of(world, bond.userid) for bond in world.followers(contact.external_userid)]
    return "好友：" + "、".join(names[:3]) if names else "还没有添加导购"


def home(sandbox: "Sandbox", external: str) -> Page:
    """A customer's list of chats."""
    world = sandbox.world
    contact = world.state.contacts.get(external)
    if contact is None:
        return frame.notice("没有这位客户", ("请从首页选择", "Please choose on the first screen"), 404)
    found = []
    for bond in world.state.bonds.values():
        if bond.external_userid == external:
            said, name = private(world, external, bond.userid), frame.name_of(world, bond.userid)
            at = said[-1]["at"] if said else bond.createtime
            link, picture = frame.path("chat", external, bond.userid), frame.face(name, bond.userid.lower())
            text = last_words(said) or "你已添加了对方"
            found.append((at, row(link, picture, f"{name}@{sandbox.config.corp_name}", text, at)))
    for chat in world.state.groups.values():
        joined = [m["join_time"] for m in chat.members if m["userid"] == external]
        if joined:
            said = in_group(world, chat.chat_id, external)
            at = said[-1]["at"] if said else joined[0]
            link, picture = frame.path("group", chat.chat_id, external), frame.face("群", "", "group")
            found.append((at, row(link, picture, chat.name, last_words(said) or "你加入了群聊", at)))
    chats = "".join(html for _, html in sorted(found, key=lambda pair: -pair[0]))
    nobody = f'<p class="note">{both("还没有聊天", "No chats yet")}</p>'
    moments = row(frame.path("moments", external), frame.face("朋", "moments"), "朋友圈", "导购发布的内容")
    money = row("/collect", frame.face("零", "money"), "待收款", "商家转账")
    body = f'<ul class="cells">{moments}{money}</ul>' + (
        f'<ul class="cells">{chats}</ul>' if chats else nobody
    )
    return frame.page(f"{contact.name} 的微信", body, english="WeChat", back="/", cookie=external)


def chat(sandbox: "Sandbox", method: str, external: str, userid: str, raw: bytes) -> Page:
    """A customer's chat with a guide."""
    world = sandbox.world
    member, contact = world.state.staff.get(userid.lower()), world.state.contacts.get(external)
    if member is None or contact is None:
        return frame.notice("没有这个聊天", ("请从首页选择", "Please choose on the first screen"), 404)
    if method == "POST":
        given = urllib.parse.parse_qs(raw.decode(errors="replace"))
        act(sandbox, given, member.userid, external)
        return frame.go(frame.path("chat", external, member.userid))
    bond = world.bond(userid, external)
    rows = private(world, external, userid)
    if bond is not None:
        hello = (f"你已添加了{member.name}，现在可以开始聊天了", "You can chat now")
        rows.insert(0, {"at": bond.createtime, "kind": "note", "text": hello})
    body = frame.talk(world, sorted(rows, key=lambda r: r["at"]), external)
    if bond is None or bond.kind == "one_way":
        text = ("你们已不是好友", "You are not friends any more")
        body += f'<p class="note warn">{both(*text)}</p>'
        return frame.page(
            member.name, body, back=frame.path("me", external), english="WeCom contact", lively=True
        )
    more = frame.path("chat", external, member.userid, "more")
    return frame.page(
        member.name, body, back=frame.path("me", external), english="WeCom contact", lively=True, more=more,
        foot=WRITING,
    )  # fmt: skip


def act(
    sandbox: "Sandbox", given: dict[str, list[str]], userid: str, external: str, by: str = "customer"
) -> None:
    """What a chat's foot asks for: to say something, or to delete the other."""
    text = given.get("text", [""])[0].strip()
    try:
        if given.get("action") == ["delete"]:
            delete = (
                sandbox.actions.delete_by_customer if by == "customer" else sandbox.actions.delete_by_staff
            )
            delete(userid, external)
        elif text:
            sandbox.actions.say(userid, external, text, by=by)
    except KeyError:
        pass  # they are no friends any more, which the page says


WRITING = (  # the foot of a chat
    '<form class="write" method="post"><input name="text" aria-label="消息" placeholder="发消息" '
    'autocomplete="off" required><button class="act">发送</button></form>'
)


def more(sandbox: "Sandbox", external: str, userid: str, is_guide: bool) -> Page:
    """Beside a chat: the other's phone, and the end of the friendship."""
    world, config = sandbox.world, sandbox.config
    other = external if is_guide else userid
    name = frame.name_of(world, other)
    chat_at = frame.path("guide", userid, external) if is_guide else frame.path("chat", external, userid)
    of_guide, of_customer = frame.path("guide", userid, external), frame.path("chat", external, userid)
    there = of_customer if is_guide else of_guide
    seed = other if is_guide else other.lower()
    corp = "微信用户" if is_guide else f"@{config.corp_name}"
    words = f"<div><h2>{escape(name)}</h2><p>{escape(corp)}</p></div>"
    card = f'<section class="who">{frame.face(name, seed, "big")}{words}</section>'
    cells = row(there, frame.face(name, seed), "看对方的手机", f"{name} 眼中的这个聊天")
    if is_guide:
        beside = frame.path("guide", userid, external, "sidebar")
        cells += row(beside, frame.face("栏", "sidebar"), "打开侧边栏", "像企业微信电脑版那样，在聊天旁边")
    label = both("删除联系人", "Delete this contact")
    leave = f'<button class="do danger" name="action" value="delete">{label}</button>'
    form = f'<form method="post" action="{chat_at}">{leave}</form>'
    return frame.page(
        "聊天信息", f'{card}<ul class="cells">{cells}</ul>{form}', back=chat_at, english="Chat info"
    )


def group(sandbox: "Sandbox", method: str, chat_id: str, member_id: str, raw: bytes) -> Page:
    """A group, as one of its members sees it."""
    world, found = sandbox.world, sandbox.world.state.groups.get(chat_id)
    if found is None:
        return frame.notice("没有这个群聊", ("请从首页选择", "Please choose on the first screen"), 404)
    if method == "POST":
        given = urllib.parse.parse_qs(raw.decode(errors="replace"))
        if text := given.get("text", [""])[0].strip():
            sandbox.actions.say_in_group(chat_id, member_id, text)
        return frame.go(frame.path("group", chat_id, member_id))
    joined = [m["join_time"] for m in found.members if m["userid"] == member_id]
    rows = in_group(world, chat_id, member_id)
    if joined:
        hello = ("你加入了群聊", "You have joined the group")
        rows.insert(0, {"at": joined[0], "kind": "note", "text": hello})
    body = frame.talk(world, sorted(rows, key=lambda r: r["at"]), member_id, named=True)
    is_guide = member_id.lower() in world.state.staff
    back = frame.path("guide" if is_guide else "me", member_id)
    title = f"{found.name}({len(found.members)})"
    return frame.page(
        title, body, back=back, english="Group chat", lively=True, foot=WRITING if joined else ""
    )


def moments(sandbox: "Sandbox", external: str) -> Page:
    """The moments that a customer sees."""
    world = sandbox.world
    posts = []
    for found in reversed(list(world.state.received.values())):
        if found["kind"] != "moment" or found["receiver"] != external:
            continue
        name = frame.name_of(world, found["userid"])
        pictures = [item for item in found["attachments"] if item["msgtype"] == "image"]
        others = [item for item in found["attachments"] if item["msgtype"] != "image"]
        inner = "".join(frame.attachment(world, item) for item in others)
        if pictures:
            inner += (
                f'<div class="pictures">{"".join(frame.attachment(world, item) for item in pictures)}</div>'
            )
        posts.append(
            f'<article class="post">{frame.face(name, found["userid"].lower())}<div><b>{escape(name)}</b>'
            f"<p>{escape(words_of(found))}</p>{inner}<time>{frame.day_and_time(found['at'])}</time></div></article>"
        )
    nothing = f'<p class="note">{both("还没有内容", "Nothing yet")}</p>'
    return frame.page("朋友圈", "".join(posts) or nothing, english="Moments", back=frame.path("me", external))
