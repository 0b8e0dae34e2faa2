"""What people do in customer groups: they come in by a join way's code, are invited, leave, are removed."""

import re
from typing import Any

from infra.sandbox import group_api as api
from infra.sandbox import state as st
from infra.sandbox.outbox import Outbox
from infra.sandbox.welcome_template_api import NICKNAME
from infra.sandbox.world import World

_JOIN_URL = re.compile(r"/(?:qr|join)/(jw[0-9a-f]+)")
_EVENT = "change_external_chat"


class GroupActions:
    """Options of all: as in `actions`."""

    _world: World
    _outbox: Outbox

    def event(self, event: str, **elements: Any) -> dict[str, Any]:
        raise NotImplementedError

    def add_group(
        self, owner: str, name: str, members: list[str] | None = None, **options: Any
    ) -> dict[str, Any]:
        """A member opens a customer group; the create event."""
        world = self._world
        with world.lock:
            staff = world.staff(owner)
            chat = st.GroupChat(world.new_id("wr"), name, staff.userid, int(world.ts()))
            world.state.groups[chat.chat_id] = chat
            for member_id in (staff.userid, *(members or [])):
                api.put_member(world, chat, member_id, 1, invitor=staff.userid)
        posted = self.event(_EVENT, ChatId=chat.chat_id, ChangeType="create", **options)
        return {"chat_id": chat.chat_id, **posted}

    def join(
        self, *, config_id: str = "", qr_code: str = "", state: str = "", external_userid: str = "",
        name: str = "", unionid: str = "", **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Somebody scans a join way's code: by `config_id`, its `qr_code` URL, or a `state` that one has.

        `joined`: false when they are in already, or (`full`) nobody may enter by code any more. When
        WeCom opens a group for them, its create event goes out first. KeyError: no such way.
        """
        world = self._world
        with world.lock:
            way = self._join_way(config_id, qr_code, state)
            external = external_userid or world.new_id("wm")
            world.contact(external, name, unionid)
            listed = [api.group(world, chat_id) for chat_id in way.fields["chat_id_list"]]
            told: dict[str, Any] = {"external_userid": external, "state": way.fields["state"]}
            for chat in listed:
                if any(row["userid"] == external for row in chat.members):
                    return {**told, "chat_id": chat.chat_id, "joined": False, "full": False}
            chat_or_none, opened = api.room_of(world, way)
            if chat_or_none is None:
                return {**told, "chat_id": None, "joined": False, "full": True}
        if opened:
            self.event(_EVENT, ChatId=chat_or_none.chat_id, ChangeType="create", **options)
        posted = self._add(chat_or_none, [external], 3, way.fields["state"], options=options)
        return {**told, "chat_id": chat_or_none.chat_id, "joined": True, "full": False, **posted}

    def invite(
        self, chat_id: str, members: list[str], invitor: str = "", link: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Members are brought in, also beyond what codes let in. ValueError: over a group's size."""
        with self._world.lock:
            chat = api.group(self._world, chat_id)
            if len(chat.members) + len(members) > api.GROUP_SIZE:
                raise ValueError(f"a group takes {api.GROUP_SIZE} members")
        return self._add(chat, members, 2 if link else 1, invitor=invitor or chat.owner, options=options)

    def leave(
        self, chat_id: str, members: list[str], removed: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Members leave by themselves, or are `removed` by the owner. KeyError: not in it."""
        world = self._world
        with world.lock:
            chat = api.group(world, chat_id)
            members = [api.own_id(world, member_id) for member_id in members]
            inside = {row["userid"] for row in chat.members}
            for member_id in members:
                if member_id not in inside:
                    raise KeyError(member_id)
            before, after = api.changing(world, chat)
            api.take_out(world, chat, members)
        return self._changed(chat, "del_member", members, before, after, {"QuitScene": int(removed)}, options)

    def dismiss_group(self, chat_id: str, **options: Any) -> dict[str, Any]:
        with self._world.lock:
            chat = api.group(self._world, chat_id)
            api.changing(self._world, chat)
            api.dismiss(self._world, chat)
        return self.event(_EVENT, ChatId=chat_id, ChangeType="dismiss", **options)

    def change_group(
        self, chat_id: str, name: str = "", owner: str = "", notice: str = "", **options: Any
    ) -> dict[str, Any]:
        """Another name, owner or notice: one of them."""
        world = self._world
        with world.lock:
            chat = api.group(world, chat_id)
            if world.config.group_lag > 0:
                chat.past = [*chat.past, [world.ts(), api.shown(chat)]]
            if owner:
                chat.owner = world.staff(owner).userid
                detail = "change_owner"
            else:
                detail = "change_name" if name else "change_notice"
                chat.name, chat.notice = name or chat.name, notice or chat.notice
        elements = {"ChatId": chat_id, "ChangeType": "update", "UpdateDetail": detail}
        return self.event(_EVENT, **elements, **options)

    def _join_way(self, config_id: str, qr_code: str, state: str) -> st.JoinWay:
        ways = self._world.state.join_ways
        if qr_code:
            match = _JOIN_URL.search(qr_code)
            config_id = match[1] if match else qr_code
        if config_id:
            return ways[config_id]
        return next(way for way in reversed(ways.values()) if way.fields["state"] == state)

    def _add(
        self,
        chat: st.GroupChat,
        members: list[str],
        scene: int,
        state: str = "",
        invitor: str = "",
        options: dict[str, Any] | None = None,
    ) -> dict[str, Any]:
        world = self._world
        with world.lock:
            before, after = api.changing(world, chat)
            members = [api.own_id(world, member) for member in members]
            new = [member for member in members if api.put_member(world, chat, member, scene, state, invitor)]
            self._welcome(chat, new)
        join_scene = {"JoinScene": 3 if scene == 3 else 0}
        return self._changed(chat, "add_member", new, before, after, join_scene, options or {})

    def choose_group_welcome(self, chat_id: str, template_id: str = "") -> None:
        """The owner picks a welcome template for the group, or none. KeyError: no such template."""
        with self._world.lock:
            if template_id and template_id not in self._world.state.group_welcomes:
                raise KeyError(template_id)
            api.group(self._world, chat_id).welcome = template_id

    def _welcome(self, chat: st.GroupChat, new: list[str]) -> None:
        """What those who come in are told, when the owner chose so."""
        world, content = self._world, self._world.state.group_welcomes.get(chat.welcome)
        if content is None:
            return
        for member_id in new:
            if member_id not in world.state.contacts:
                continue
            words = content.get("text", {}).get("content", "")
            text = {"content": words.replace(NICKNAME, world.contact(member_id).name)}
            kinds = [{"msgtype": k, k: v} for k, v in content.items() if k != "text"]
            told = {"chat_id": chat.chat_id, "text": text, "attachments": kinds}
            world.deliver("group_welcome", chat.owner, member_id, told, world.ts())

    def _changed(
        self,
        chat: st.GroupChat,
        detail: str,
        members: list[str],
        before: str,
        after: str,
        scene: dict[str, int],
        options: dict[str, Any],
    ) -> dict[str, Any]:
        elements: dict[str, Any] = {
            "ChatId": chat.chat_id, "ChangeType": "update", "UpdateDetail": detail, **scene,
            "MemChangeCnt": len(members), "MemChangeList": members, "LastMemVer": before, "CurMemVer": after,
        }  # fmt: skip
        return {"chat_id": chat.chat_id, **self.event(_EVENT, **elements, **options)}


def observed(world: World, values: dict[str, str]) -> bool:
    """The group is as somebody else's event says. Members that come by code bear the latest way's state."""
    chat = api.group(world, values.get("ChatId", ""))
    change, detail = values.get("ChangeType"), values.get("UpdateDetail")
    items = [item for item in values.get("MemChangeList", "").split("\n") if item]
    if change == "dismiss":
        api.dismiss(world, chat)
    elif change == "update" and detail in ("add_member", "del_member"):
        api.changing(world, chat, values.get("CurMemVer", ""))
        if detail == "del_member":
            api.take_out(world, chat, [api.own_id(world, item) for item in items])
            return True
        by_code = values.get("JoinScene") == "3"
        ways = [w for w in world.state.join_ways.values() if chat.chat_id in w.fields["chat_id_list"]]
        state = ways[-1].fields["state"] if ways and by_code else ""
        for member_id in items:
            api.put_member(world, chat, member_id, 3 if by_code else 1, state)
    elif change != "create":
        return False
    return True
