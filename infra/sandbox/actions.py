"""What people in the world do: customers add and delete staff, staff delete and edit, tags and groups change.

Each action changes the world and posts the callback that WeCom would post. Options of all: `repeat` (copies),
`delay` (seconds until it is posted), `reorder` (posted some time within the hold). Each answers with the
event's XML and, when it went out at once, the status it was answered with.
"""

import re
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.acquisition import Acquisition
from infra.sandbox.chat_actions import ChatActions
from infra.sandbox.customer_api import drop_tags
from infra.sandbox.errors import ApiError
from infra.sandbox.events import event_xml
from infra.sandbox.group_actions import GroupActions
from infra.sandbox.mass_api import settle
from infra.sandbox.outbox import Outbox
from infra.sandbox.world import World

_LEFT = 5  # a member of staff
_WAY_IN_URL = re.compile(r"/(?:qr|add)/(cfg[0-9a-f]+)")


class Actions(GroupActions, ChatActions):
    def __init__(self, world: World, outbox: Outbox) -> None:
        self.world = self._world = world
        self._outbox = outbox
        links = Acquisition(self)
        self.acquire, self.customer_message = links.acquire, links.customer_message
        self.buy_quota, self.break_link, self.remove_link = (
            links.buy_quota,
            links.break_link,
            links.remove_link,
        )

    def post(self, xml: str, repeat: int = 1, delay: float = 0, reorder: bool = False) -> dict[str, Any]:
        """Post any event XML, encrypted. `statuses`: 200 or 0 (not taken) for each copy that went at once."""
        with self._world.lock:
            ids = self._outbox.put_event(xml, repeat, delay, reorder)
            now_due = self._outbox.take(self._world.ts(), ids)
        self._outbox.send(now_due)
        waiting = self._world.state.posts
        return {"xml": xml, "statuses": [0 if post.post_id in waiting else 200 for post in now_due]}

    def event(self, event: str, **elements: Any) -> dict[str, Any]:
        """Post an event of any name with any elements, e.g. an unknown one. Options go among the elements."""
        options = {k: elements.pop(k) for k in ("repeat", "delay", "reorder") if k in elements}
        return self.post(
            event_xml(self._world.config.corp_id, int(self._world.ts()), event, **elements), **options
        )

    def _contact_event(
        self, change: str, userid: str, external: str, options: dict[str, Any], **more: Any
    ) -> dict[str, Any]:
        elements = {"ChangeType": change, "UserID": userid, "ExternalUserID": external, **more}
        return self.event("change_external_contact", **elements, **options)

    # Customers

    def add(
        self, staff_id: str = "", *, config_id: str = "", qr_code: str = "", state: str = "",
        external_userid: str = "", name: str = "", unionid: str = "", avatar: str = "", add_way: int = 1,
        half: bool = False, welcome: bool = True, **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """A customer adds a member: by a contact way (`config_id`, or its `qr_code` URL), by a `state` that
        one contact way has, or straight by `staff_id`. No event when they are friends already. KeyError:
        no such way.
        """
        world = self._world
        with world.lock:
            way = self._way(config_id, qr_code, "" if staff_id else state)
            if way is not None:
                state = way.fields["state"]
                staff_id = staff_id or min(way.fields["user"], key=lambda u: way.adds.get(u, 0))
                way.adds[staff_id] = way.adds.get(staff_id, 0) + 1
            member = world.staff(staff_id)
            external = external_userid or world.new_id("wm")
            world.contact(external, name, unionid, avatar)
            made = {
                "external_userid": external,
                "userid": member.userid,
                "state": state,
                "welcome_code": None,
            }
            known = world.bond(member.userid, external)
            if known is not None and known.kind == "full":
                return {**made, "already": True, "statuses": []}
            was_half = known is not None and known.kind == "half"
            at = int(world.ts())
            settle(world, at)
            world.state.deleted_at.pop(world.bond_key(member.userid, external), None)
            world.make_bond(member.userid, external, at, "half" if half else "full", state, add_way)
            code = self._welcome_code(member.userid, external, was_half) if welcome else ""
        change = "add_half_external_contact" if half else "add_external_contact"
        posted = self._contact_event(change, member.userid, external, options, State=state, WelcomeCode=code)
        return {**made, "welcome_code": code or None, "already": False, **posted}

    def _way(self, config_id: str, qr_code: str, state: str) -> st.ContactWay | None:
        ways = self._world.state.ways
        if qr_code:
            match = _WAY_IN_URL.search(qr_code)
            config_id = match[1] if match else qr_code
        if config_id:
            return ways[config_id]
        if state:
            return next(way for way in reversed(ways.values()) if way.fields["state"] == state)
        return None

    def _welcome_code(self, userid: str, external: str, was_half: bool) -> str:
        world = self._world
        if was_half and any(
            c.used and (c.userid, c.external_userid) == (userid, external)
            for c in world.state.welcome_codes.values()
        ):  # the half event's code was used: the add event brings none
            return ""
        code = world.new_id("WC", 40)
        world.add_welcome_code(code, userid, external)
        return code

    def delete_by_customer(self, staff_id: str, external_userid: str, **options: Any) -> dict[str, Any]:
        """The customer deletes the member (流失): del_follow_user. A one-way bond stays."""
        return self._delete(staff_id, external_userid, True, options)

    def delete_by_staff(
        self, staff_id: str, external_userid: str, source: str = "", **options: Any
    ) -> dict[str, Any]:
        """The member deletes the customer: del_external_contact; `source` e.g. DELETE_BY_TRANSFER."""
        return self._delete(staff_id, external_userid, False, options, Source=source)

    def _delete(
        self, userid: str, external: str, by_customer: bool, options: dict[str, Any], **more: Any
    ) -> dict[str, Any]:
        with self._world.lock:
            member = self._world.staff(userid)
            if self._world.bond(userid, external) is None:
                raise KeyError(f"{userid} and {external} do not know each other")
            settle(self._world, self._world.ts())
            self._world.end_bond(userid, external, int(self._world.ts()), by_customer)
        change = "del_follow_user" if by_customer else "del_external_contact"
        return self._contact_event(change, member.userid, external, options, **more)

    def edit(
        self,
        staff_id: str,
        external_userid: str,
        remark: str = "",
        remark_mobiles: list[str] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """The member changes remark or numbers in the client: edit_external_contact. KeyError: no bond."""
        with self._world.lock:
            bond = self._world.bond(staff_id, external_userid)
            if bond is None:
                raise KeyError(f"{staff_id} and {external_userid} do not know each other")
            bond.remark = remark or bond.remark
            bond.remark_mobiles = bond.remark_mobiles if remark_mobiles is None else remark_mobiles
        return self._contact_event("edit_external_contact", bond.userid, external_userid, options)

    def chat_started(self, staff_id: str, external_userid: str) -> None:
        """They begin to talk: no welcome any more."""
        with self._world.lock:
            self._world.chat_started(staff_id, external_userid)

    # Staff, tags

    def add_staff(self, userid: str, name: str = "", status: int = 1, **values: Any) -> dict[str, Any]:
        """Hire somebody or change them: status 1 active, 2 disabled, 4 not activated, 5 left; `confirms`,
        `confirm_after`: how they deal with mass sends. Another status of one who is known is told:
        update_user, or delete_user of one who left."""
        with self._world.lock:
            before = self._world.state.staff.get(userid.lower())
            is_changed = before is not None and before.status != status
            known = before or self._world.add_staff(userid, name)
            if status == _LEFT and known.status != _LEFT:
                known.left_at = int(self._world.ts())
                for chat in self._world.state.groups.values():  # they wait for another owner
                    if chat.owner.lower() == userid.lower():
                        chat.status = 1
            for key, value in {"status": status, **({"name": name} if name else {}), **values}.items():
                if not hasattr(known, key):
                    raise ValueError(f"a member has no {key}")
                setattr(known, key, value)
        made = {"userid": known.userid, "name": known.name, "status": known.status}
        if not is_changed:
            return made
        gone = status == _LEFT
        of = {"ChangeType": "delete_user" if gone else "update_user", "UserID": known.userid}
        return {**made, **self.event("change_contact", **of, **({} if gone else {"Status": status}))}

    def change_tag(
        self, change: str, tag_id: str, tag_type: str = "tag", name: str = "", **options: Any
    ) -> dict[str, Any]:
        """Somebody updates or deletes a tag (or, tag_type "tag_group", a group) in the console."""
        world = self._world
        with world.lock:
            tags = [t for t in world.state.tags.values() if tag_id in (t.id, t.group_id)]
            if not tags or change not in ("update", "delete"):
                raise KeyError(tag_id)
            if change == "delete":
                drop_tags(world, tags)
            elif tag_type == "tag" and name:
                world.state.tags[tag_id].name = name
            elif name:
                world.state.tag_groups[tag_id].group_name = name
        return self.event("change_external_tag", Id=tag_id, TagType=tag_type, ChangeType=change, **options)

    def checked(self, name: str, body: dict[str, Any]) -> Any:
        """An action by name, for the control API. ApiError of the world becomes a ValueError."""
        try:
            return getattr(self, name)(**body)
        except (ApiError, TypeError) as error:
            raise ValueError(str(error)) from error
        except StopIteration as error:
            raise KeyError("no contact way or join way has this state") from error
