"""What people say and how they answer: chats, transfers, moments; and how the corp is arranged."""

from typing import Any

from infra.sandbox import group_api, moment_api, staff_api, transfer_api
from infra.sandbox import state as st
from infra.sandbox.renaming import rename
from infra.sandbox.world import World


class ChatActions:
    """Options of all that post an event: as in `actions`."""

    _world: World

    def event(self, event: str, **elements: Any) -> dict[str, Any]:
        raise NotImplementedError

    def say(self, staff_id: str, external_userid: str, text: str, by: str = "customer") -> None:
        """A customer or the member (`by` staff) writes. KeyError: they do not know each other."""
        world = self._world
        with world.lock:
            member = world.staff(staff_id).userid
            bond = world.bond(member, external_userid)
            if bond is None or bond.kind == "one_way":
                raise KeyError(f"{staff_id} and {external_userid} do not know each other")
            content = {"text": {"content": text}, "attachments": []}
            world.chat_started(member, external_userid)
            if by == "staff":
                world.deliver("chat", member, external_userid, content, world.ts())
            else:
                world.deliver("chat_in", external_userid, member, content, world.ts())

    def say_in_group(self, chat_id: str, member_id: str, text: str) -> None:
        """Somebody writes in a group. KeyError: they are not in it."""
        world = self._world
        with world.lock:
            chat = group_api.group(world, chat_id)
            speaker = group_api.own_id(world, member_id)
            if not any(row["userid"] == speaker for row in chat.members):
                raise KeyError(member_id)
            content = {"text": {"content": text}, "attachments": []}
            world.deliver("group_chat", speaker, chat_id, content, world.ts())

    def answer_transfer(self, external_userid: str, accept: bool = True, handover: str = "") -> None:
        """The customer takes the other member at once, or refuses. KeyError: nothing waits for them."""
        world = self._world
        with world.lock:
            transfer_api.settle(world, world.ts())
            waiting = [
                t for t in world.state.transfers.values()
                if t.status == transfer_api.WAITING and t.external_userid == external_userid
                and handover.lower() in ("", t.handover.lower())
            ]  # fmt: skip
            if not waiting:
                raise KeyError(external_userid)
            (transfer_api.complete if accept else transfer_api.refuse)(world, waiting[0], world.ts())

    def publish_moment(self, moment_id: str, staff_id: str) -> None:
        """A member publishes a moment of the corp now. KeyError for one that is not theirs."""
        with self._world.lock:
            moment_api.publish(self._world, moment_id, staff_id)

    def post_moment(self, staff_id: str, text: str) -> dict[str, Any]:
        """A member publishes one of their own, for all their customers."""
        world, now = self._world, self._world.ts()
        with world.lock:
            member = world.staff(staff_id).userid
            audience = [bond.external_userid for bond in world.bonds_of(member)]
            content = {"text": {"content": text}, "attachments": []}
            made = st.Moment(world.new_id("mom", 32), "", now, content, True, {})
            task = {"userid": member, "audience": audience, "confirm_at": now, "published_at": None}
            made.tasks[member.lower()] = task
            world.state.moments[made.moment_id] = made
            moment_api.settle(world, now)
        return {"moment_id": made.moment_id}

    def react(self, moment_id: str, staff_id: str, external_userid: str = "", how: str = "like") -> None:
        """A customer (or, without one, the member) likes a member's moment, or comments on it (`comment`).
        KeyError: they cannot see it."""
        world = self._world
        with world.lock:
            moment_api.settle(world, world.ts())
            moment, own = world.state.moments[moment_id], staff_id.lower()
            task = moment.tasks[own]
            seen = task["published_at"] is not None and external_userid in ("", *task["audience"])
            if not seen or how not in ("like", "comment"):
                raise KeyError(external_userid or staff_id)
            who = {"external_userid": external_userid} if external_userid else {"userid": task["userid"]}
            rows = moment.likes if how == "like" else moment.comments
            rows.append({**who, "create_time": int(world.ts()), "of": own})

    def rename_staff(self, userid: str, new_userid: str, **options: Any) -> dict[str, Any]:
        """A member gets another userid: change_contact update_user with NewUserID."""
        with self._world.lock:
            member = rename(self._world, userid, new_userid)
        ids = {"UserID": userid, "NewUserID": member.userid}
        return self.event("change_contact", ChangeType="update_user", **ids, **options)

    def change_department(
        self, department_id: int, name: str = "", parentid: int = 1, gone: bool = False, **options: Any
    ) -> dict[str, Any]:
        """Somebody makes, renames, moves or deletes a department: change_contact."""
        world, key = self._world, str(department_id)
        with world.lock:
            is_new = key not in staff_api.departments(world)
            if gone:
                world.state.departments.pop(key, None)
            else:
                name = name or f"{department_id} 部门"
                order = 100_000_000 - department_id
                row = {"id": department_id, "name": name, "parentid": parentid, "order": order}
                world.state.departments[key] = row
        change = "delete_party" if gone else "create_party" if is_new else "update_party"
        more = {} if gone else {"Name": name, "ParentId": str(parentid)}
        return self.event("change_contact", ChangeType=change, Id=department_id, **more, **options)
