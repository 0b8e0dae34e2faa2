"""What people do with acquisition links: open, add, write; and what becomes of links and of the quota."""

from typing import TYPE_CHECKING, Any

from infra.sandbox import acquisition_api as api
from infra.sandbox import state as st

if TYPE_CHECKING:
    from infra.sandbox.actions import Actions

_EVENT = "customer_acquisition"
_LOW = 20
_TOLD_AT = (3, 5, 10)  # which of a customer's messages is told as message_from_customer


class Acquisition:
    def __init__(self, actions: "Actions") -> None:
        self._actions = actions
        self._world = actions.world

    def acquire(
        self, url: str, *, accept: bool = True, external_userid: str = "", name: str = "",
        unionid: str = "", half: bool = False, **options: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """Somebody opens a link (its URL with `customer_channel`) and adds: friend_request and the add event.

        accept False: without skip_verify the member does not answer. A friend already: `already`, and no
        quota is used. KeyError: no such link; ValueError: it does not work, or the quota is used up.
        """
        link_id, state = api.link_in(url)
        world = self._world
        with world.lock:
            link = world.state.links[link_id]
            link.opened.append(int(world.ts()))
            people = api.usable(world, link)
            if not link.works or not people:
                raise ValueError("the link does not work")
            if api.balance(world) <= 0:
                raise ValueError("the quota is used up")
            external = external_userid or world.new_id("wm")
            known = [userid for userid in people if (b := world.bond(userid, external)) and b.kind == "full"]
            if known:
                return {"external_userid": external, "userid": known[0], "already": True, "statuses": []}
            userid = min(people, key=lambda u: link.adds.get(u, 0))
            goes_on = accept or link.fields["skip_verify"]
        self._actions.event(_EVENT, ChangeType="friend_request", LinkId=link_id, State=state)
        if not goes_on:
            return {"external_userid": external, "userid": userid, "already": False, "statuses": []}
        added = self._actions.add(
            userid, state=state, external_userid=external, name=name, unionid=unionid, add_way=16,
            half=half, **options,
        )  # fmt: skip
        with world.lock:
            link.adds[userid] = link.adds.get(userid, 0) + 1
            row = {"userid": userid, "external_userid": external, "state": state, "messages": 0}
            link.customers[world.bond_key(userid, external)] = {**row, "at": int(world.ts())}
            left = api.balance(world) - 1
            world.state.acquisition_balance, world.state.acquisition_used = (
                left,
                world.state.acquisition_used + 1,
            )
        if left == _LOW - 1:
            self._actions.event(_EVENT, ChangeType="balance_low")
        elif left == 0:
            self._actions.event(_EVENT, ChangeType="balance_exhausted")
        return added

    def customer_message(
        self, staff_id: str, external_userid: str, count: int = 1, **options: Any
    ) -> dict[str, Any]:
        """A customer who came by a link writes: customer_start_chat with the first, message_from_customer
        (with its ChatKey) with the 3rd, 5th and 10th message. KeyError for another's customer."""
        posted: list[dict[str, Any]] = []
        for _ in range(count):
            with self._world.lock:
                link, row = self._customer(staff_id, external_userid)
                row["messages"] += 1
                number, head = row["messages"], {"LinkId": link.link_id, "State": row["state"]}
                self._world.chat_started(staff_id, external_userid)
                key = self._chat_key(link, row) if number in _TOLD_AT else ""
            if number == 1:
                who = {"UserID": row["userid"], "ExternalUserID": external_userid}
                change = "customer_start_chat"
                posted.append(self._actions.event(_EVENT, ChangeType=change, **head, **who, **options))
            elif key:
                change = "message_from_customer"
                posted.append(self._actions.event(_EVENT, ChangeType=change, **head, ChatKey=key, **options))
        return {"messages": number, "events": posted}

    def buy_quota(self, count: int) -> dict[str, Any]:
        """Somebody buys: balance_increased when nothing was left."""
        with self._world.lock:
            before = api.balance(self._world)
            self._world.state.acquisition_balance = max(0, before + count)
        if before <= 0 < before + count:
            self._actions.event(_EVENT, ChangeType="balance_increased")
        elif before > 0 >= before + count:
            self._actions.event(_EVENT, ChangeType="balance_exhausted")
        return {"balance": max(0, before + count)}

    def break_link(self, link_id: str, **options: Any) -> dict[str, Any]:
        """The link goes bad (nobody of it can be added): link_unavailable. An update with people mends it."""
        with self._world.lock:
            self._world.state.links[link_id].works = False
        return self._actions.event(_EVENT, ChangeType="link_unavailable", LinkId=link_id, **options)

    def remove_link(self, link_id: str, **options: Any) -> dict[str, Any]:
        """Somebody deletes it in the console: delete_link. (Deleting it by API tells nobody.)"""
        with self._world.lock:
            del self._world.state.links[link_id]
        return self._actions.event(_EVENT, ChangeType="delete_link", LinkId=link_id, **options)

    def _customer(self, staff_id: str, external: str) -> tuple[st.AcquisitionLink, dict[str, Any]]:
        key = self._world.bond_key(staff_id, external)
        for link in self._world.state.links.values():
            if key in link.customers:
                return link, link.customers[key]
        raise KeyError(f"{external} did not come to {staff_id} by a link")

    def _chat_key(self, link: st.AcquisitionLink, row: dict[str, Any]) -> str:
        key = self._world.new_id("CHATKEY", 40)
        self._world.state.chat_keys[key] = {
            "at": self._world.ts(), "userid": row["userid"], "external_userid": row["external_userid"],
            "recv_msg_cnt": row["messages"], "link_id": link.link_id, "state": row["state"],
        }  # fmt: skip
        return key
