"""WeCom's calls, one method each, with the shapes of WeCom's own documentation.

Userids stand in answers as keys have them (platform.userids), but for `user_get`'s.

Every method takes `deadline` (default: 20 s from now) and raises `WeComError`, `AnswerLost` (those
that say so) or `Upstream`. Lists that WeCom cuts into pages are generators: an empty `next_cursor`
ends them, a short page does not.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache, cached_property
from typing import Any

import urllib3
from msgspec import Struct

from chalicelib.platform import clock, settings
from chalicelib.platform.errors import Upstream
from chalicelib.platform.userids import fold_all, fold_row
from chalicelib.wecom import health
from chalicelib.wecom.access import Access, TokenStore
from chalicelib.wecom.errors import WeComError
from chalicelib.wecom.tokens import DynamoTokens
from chalicelib.wecom.transport import Heard, Transport

HOST = "https://qyapi.weixin.qq.com"
Json = dict[str, Any]
_PAGE, _LIST_PAGE = 1000, 100
_NO_CUSTOMER = 84061  # to who has none, an empty list is refused
_TICKET_TIME = timedelta(seconds=8)
_GROUPS = "externalcontact/groupchat/list"
_OF_THE_APP = ("message/", "auth/", "externalcontact/customer_acquisition", "ticket/", "get_jsapi_ticket")


class ContactWay(Struct, frozen=True):
    """A new contact way. Its `config_id` is shown nowhere else: store it."""

    config_id: str
    qr_code: str


class MassSend(Struct, frozen=True):
    """A mass send that was taken. `fail_list`: customers (groups) it cannot reach."""

    msgid: str
    fail_list: list[str]


class AcquisitionLink(Struct, frozen=True):
    """A customer acquisition link (获客链接). `?customer_channel=` at its `url` comes back as `State`."""

    link_id: str
    url: str


class WeCom:
    """One corp's app. `calls` counts the requests made, by path ("externalcontact/mark_tag").

    `secret`: () → the secret for customers; `forget_secret` is called when WeCom rejects it; `store`: where
    processes share the token; `tickets`: the same for the JS-SDK's tickets, by their kind. `app`: () → what
    speaks for the app itself, where its secret is another one: messages to staff, their sign-in and
    acquisition links are refused to the secret for customers.
    """

    def __init__(
        self,
        base: str,
        corp_id: str,
        agent_id: str,
        secret: Callable[[], str],
        store: TokenStore,
        *,
        forget_secret: Callable[[], None] = lambda: None,
        pool: urllib3.PoolManager | None = None,
        app: Callable[[], Transport | None] = lambda: None,
        heard: Heard = lambda _: None,
        tickets: Callable[[str], TokenStore] | None = None,
    ):
        self.agent_id = agent_id
        self._tickets = tickets
        self._wire = Transport(
            base, corp_id, secret, store, forget_secret=forget_secret, pool=pool, heard=heard
        )
        self.calls = self._wire.calls
        self._app = app

    @cached_property
    def _app_wire(self) -> Transport:
        wire = self._app()
        if wire is None:
            return self._wire
        wire.calls = self.calls
        return wire

    # Staff

    def get_follow_user_list(self, *, deadline: datetime | None = None) -> list[str]:
        """Staff who may have customers, by userid."""
        answer = self._get("externalcontact/get_follow_user_list", {}, deadline)
        return fold_all(answer.get("follow_user", []))

    def user_get(self, userid: str, *, deadline: datetime | None = None) -> Json:
        """One member of staff: userid, name, department, status (1 active, 2 disabled, 4 new, 5 left).

        The userid is spelled as WeCom does, here alone.
        """
        return self._get("user/get", {"userid": userid}, deadline)

    def department_list(self, *, deadline: datetime | None = None) -> list[Json]:
        """The departments that the app may see: id, name, parentid (the root's is 0), order."""
        return list(self._get("department/list", {}, deadline).get("department", []))

    def getuserinfo(self, code: str, *, deadline: datetime | None = None) -> Json:
        """Who came back from OAuth with that code: `userid` (staff), else `openid`, `external_userid`?.

        A code is good once, for five minutes: WeComError 40029, 42022. AnswerLost: begin again.
        """
        params = {"code": code}
        answer = self._wire.call("auth/getuserinfo", params=params, repeatable=False, deadline=deadline)
        return fold_row(answer, "userid")

    # Contact ways (联系我)

    def jsapi_ticket(self, *, deadline: datetime | None = None) -> str:
        """The corp's ticket, for `wx.config`: shared and renewed like the token, since few may be asked."""
        return self._corp_ticket.token(deadline or clock.now() + _TICKET_TIME).value

    def agent_ticket(self, *, deadline: datetime | None = None) -> str:
        """The app's own, for `wx.agentConfig`."""
        return self._agent_ticket.token(deadline or clock.now() + _TICKET_TIME).value

    @cached_property
    def _corp_ticket(self) -> Access:
        return self._ticket("corp", "get_jsapi_ticket", {})

    @cached_property
    def _agent_ticket(self) -> Access:
        return self._ticket("agent", "ticket/get", {"type": "agent_config"})

    def _ticket(self, kind: str, path: str, params: Mapping[str, str]) -> Access:
        if self._tickets is None:
            raise settings.Missing("this client keeps no tickets")

        def fetch(deadline: datetime) -> tuple[str, int]:
            answer = self._get(path, params, deadline)
            return str(answer["ticket"]), int(answer["expires_in"])

        return Access(self._tickets(kind), fetch)

    def add_contact_way(self, way: Mapping[str, Any], *, deadline: datetime | None = None) -> ContactWay:
        """Make a code from type, scene, state, user, skip_verify, remark, …

        AnswerLost: it may exist without our knowing its config_id (list_contact_way finds it).
        """
        answer = self._post("externalcontact/add_contact_way", way, deadline, repeatable=False)
        return ContactWay(answer["config_id"], answer.get("qr_code", ""))

    def get_contact_way(self, config_id: str, *, deadline: datetime | None = None) -> Json:
        """The code as WeCom has it: type, scene, state, user, qr_code, …"""
        body = {"config_id": config_id}
        return dict(self._post("externalcontact/get_contact_way", body, deadline)["contact_way"])

    def list_contact_way(
        self, start: datetime, end: datetime, *, deadline: datetime | None = None
    ) -> Iterator[str]:
        """config_ids of the codes made by this app in that time."""
        body = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
        for way in self._pages("externalcontact/list_contact_way", body, "contact_way", _PAGE, deadline):
            yield way["config_id"]

    def update_contact_way(
        self, config_id: str, changes: Mapping[str, Any], *, deadline: datetime | None = None
    ) -> None:
        """Change fields of a code. `user` and `party` replace the lists; type and scene can't change."""
        self._post("externalcontact/update_contact_way", {"config_id": config_id, **changes}, deadline)

    def del_contact_way(self, config_id: str, *, deadline: datetime | None = None) -> None:
        """Delete a code: printed ones die. 41044 when it is not there (any more)."""
        self._post("externalcontact/del_contact_way", {"config_id": config_id}, deadline)

    # Customer groups and join ways (加入群聊)

    def group_list(self, owners: Sequence[str] = (), *, deadline: datetime | None = None) -> Iterator[Json]:
        """chat_id and status (0 normal, 1 owner left, 2 in handover, 3 handed over) of these owners' groups.

        At most 100 owners; with none, 81017 where the app sees more than 1,000 members.
        """
        body: Json = {"status_filter": 0}
        if owners:
            body["owner_filter"] = {"userid_list": list(owners)}
        return self._pages(_GROUPS, body, "group_chat_list", _PAGE, deadline)

    def group_page(
        self, owners: Sequence[str], cursor: str, limit: int, *, deadline: datetime | None = None
    ) -> tuple[list[Json], str]:
        """A page of `group_list`, and the cursor behind it: "" when there are no more."""
        body: Json = {"status_filter": 0, "owner_filter": {"userid_list": list(owners)}}
        answer = self._post(_GROUPS, {**body, "limit": limit, "cursor": cursor}, deadline)
        return list(answer.get("group_chat_list", [])), _next(answer, cursor)

    def group_chat(self, chat_id: str, names: bool = False, *, deadline: datetime | None = None) -> Json:
        """chat_id, name, owner, create_time, member_list[], member_version. It may lag behind its event.

        names: of the members too.
        """
        body = {"chat_id": chat_id, "need_name": int(names)}
        chat = fold_row(self._post("externalcontact/groupchat/get", body, deadline)["group_chat"], "owner")
        if "member_list" in chat:
            chat["member_list"] = [_group_member(row) for row in chat["member_list"]]
        return chat

    def add_join_way(self, way: Mapping[str, Any], *, deadline: datetime | None = None) -> str:
        """Make a code that leads into groups; its config_id, which nothing lists: store it.

        way: scene, chat_id_list (at most 5: 41091), auto_create_room, room_base_name, state, …
        AnswerLost: it may exist, and can't be found again.
        """
        answer = self._post("externalcontact/groupchat/add_join_way", way, deadline, repeatable=False)
        return str(answer["config_id"])

    def get_join_way(self, config_id: str, *, deadline: datetime | None = None) -> Json:
        """The join way with its qr_code; its chat_id_list has grown by the rooms that WeCom opened."""
        body = {"config_id": config_id}
        return dict(self._post("externalcontact/groupchat/get_join_way", body, deadline)["join_way"])

    def update_join_way(
        self, config_id: str, way: Mapping[str, Any], *, deadline: datetime | None = None
    ) -> None:
        """Overwrite a join way: WeCom forgets each field that is not sent, `state` and auto-create too."""
        body = {"config_id": config_id, **way}
        self._post("externalcontact/groupchat/update_join_way", body, deadline)

    def del_join_way(self, config_id: str, *, deadline: datetime | None = None) -> None:
        """Delete a join way: printed ones die. 41044 when it is not there (any more)."""
        self._post("externalcontact/groupchat/del_join_way", {"config_id": config_id}, deadline)

    # Customers and tags

    def external_contact(self, external_userid: str, *, deadline: datetime | None = None) -> Json:
        """`{"external_contact": {…}, "follow_user": [{userid, state?, tags, …}, …]}`, all pages."""
        params: dict[str, str] = {"external_userid": external_userid}
        follows: list[Json] = []
        while True:
            answer = self._get("externalcontact/get", params, deadline)
            follows += (fold_row(row, "userid") for row in answer.get("follow_user", []))
            cursor = _next(answer, params.get("cursor", ""))
            if not cursor:
                return {"external_contact": answer["external_contact"], "follow_user": follows}
            params["cursor"] = cursor

    def customers_of(
        self, staff_ids: Sequence[str], cursor: str, *, deadline: datetime | None = None
    ) -> tuple[list[Json], str, list[str]]:
        """A page of the bonds of these (at most 100), the cursor behind it, and who of them has no licence.

        A row: `external_contact`, and `follow_info`, whose `tag_id` are ids without names.
        """
        body: Json = {"userid_list": list(staff_ids), "cursor": cursor, "limit": _LIST_PAGE}
        answer = self._post("externalcontact/batch/get_by_user", body, deadline)
        unlicensed = (answer.get("fail_info") or {}).get("unlicensed_userid_list") or []
        return list(answer.get("external_contact_list") or []), _next(answer, cursor), list(unlicensed)

    def list_customers(self, staff_id: str, *, deadline: datetime | None = None) -> list[str]:
        """All customers of one member of staff, at once."""
        try:
            answer = self._get("externalcontact/list", {"userid": staff_id}, deadline)
        except WeComError as error:
            if error.errcode == _NO_CUSTOMER:
                return []
            raise
        return [str(one) for one in answer.get("external_userid") or []]

    def mark_tag(
        self,
        staff_id: str,
        external_userid: str,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
        *,
        deadline: datetime | None = None,
    ) -> None:
        """Add and remove tags (by id) on one bond; nothing to do is no call."""
        if not add and not remove:
            return
        body: Json = {"userid": staff_id, "external_userid": external_userid}
        if add:
            body["add_tag"] = list(add)
        if remove:
            body["remove_tag"] = list(remove)
        self._post("externalcontact/mark_tag", body, deadline)

    def remark(
        self, staff_id: str, external_userid: str, remark: str, *, deadline: datetime | None = None
    ) -> None:
        """What a guide calls a customer from now on; "" is the customer's own name again."""
        body: Json = {"userid": staff_id, "external_userid": external_userid, "remark": remark}
        self._post("externalcontact/remark", body, deadline)

    def get_corp_tag_list(
        self,
        tag_ids: Sequence[str] = (),
        group_ids: Sequence[str] = (),
        *,
        deadline: datetime | None = None,
    ) -> list[Json]:
        """Tag groups with their tags; all when no id is given. With group ids, tag ids are ignored."""
        body = {"tag_id": list(tag_ids), "group_id": list(group_ids)}
        return list(self._post("externalcontact/get_corp_tag_list", body, deadline).get("tag_group", []))

    def add_corp_tag(
        self,
        group_name: str,
        names: Sequence[str],
        *,
        group_id: str | None = None,
        order: int = 0,
        orders: Sequence[int] = (),
        deadline: datetime | None = None,
    ) -> Json:
        """Make tags in the group of that name (made when new), or id → the group: group_id, tag[{id, name}].

        order: the new group's; orders: each tag's. The larger come first.
        WeComError 40071 (DONE): a name exists; read the list and use it.
        """
        ranks = list(orders) or [0] * len(names)
        body: Json = {
            "tag": [
                {"name": n, "order": rank} if rank else {"name": n}
                for n, rank in zip(names, ranks, strict=True)
            ],
            "agentid": int(self.agent_id),
        }
        body |= {"group_id": group_id} if group_id else {"group_name": group_name}
        if order:
            body["order"] = order
        return dict(self._post("externalcontact/add_corp_tag", body, deadline)["tag_group"])

    def edit_corp_tag(
        self, id_: str, *, name: str | None = None, order: int | None = None, deadline: datetime | None = None
    ) -> None:
        """Name and place of a tag or a group. 40068: it is not there; 40071: the name is another tag's."""
        body: Json = {"id": id_, "agentid": int(self.agent_id)}
        if name is not None:
            body["name"] = name
        if order is not None:
            body["order"] = order
        self._post("externalcontact/edit_corp_tag", body, deadline)

    def del_corp_tag(
        self, tag_ids: Sequence[str] = (), group_ids: Sequence[str] = (), *, deadline: datetime | None = None
    ) -> None:
        """Delete tags and groups, off every customer; a group whose last tag goes, goes. 40068: not there."""
        body = {"tag_id": list(tag_ids), "group_id": list(group_ids), "agentid": int(self.agent_id)}
        self._post("externalcontact/del_corp_tag", body, deadline)

    def convert_to_openid(self, external_userid: str, *, deadline: datetime | None = None) -> str:
        """The customer's openid under the corp's own appid, to pay to. WeChat users (`wm…`) only."""
        body = {"external_userid": external_userid}
        return str(self._post("externalcontact/convert_to_openid", body, deadline)["openid"])

    # Messages

    def send_welcome_msg(
        self,
        welcome_code: str,
        text: str | None,
        attachments: Sequence[Json] = (),
        *,
        deadline: datetime | None = None,
    ) -> None:
        """Welcome a new customer, once, within 20 s of the event.

        41051: welcomed already; 41096: another app is at it, again in 1 s; 41050: too late.
        AnswerLost: call again while there is time, 41051 then says that it went out.
        """
        body: Json = {"welcome_code": welcome_code}
        if text:
            body["text"] = {"content": text}
        if attachments:
            body["attachments"] = list(attachments)
        self._post("externalcontact/send_welcome_msg", body, deadline, repeatable=False)

    def add_msg_template(self, message: Mapping[str, Any], *, deadline: datetime | None = None) -> MassSend:
        """Make a mass send (企业群发) that staff confirm: chat_type, sender, external_userid, text, …

        AnswerLost: it may exist; look in groupmsg_list before calling again.
        """
        answer = self._post("externalcontact/add_msg_template", message, deadline, repeatable=False)
        return MassSend(answer["msgid"], list(answer.get("fail_list", [])))

    def groupmsg_list(
        self,
        start: datetime,
        end: datetime,
        chat_type: str = "single",
        filter_type: int = 2,
        *,
        deadline: datetime | None = None,
    ) -> Iterator[Json]:
        """Mass sends made then (≤ 1 month): msgid, create_time, create_type 0 corp / 1 personal, …"""
        body = {
            "chat_type": chat_type,
            "start_time": int(start.timestamp()),
            "end_time": int(end.timestamp()),
            "filter_type": filter_type,
        }
        path = "externalcontact/get_groupmsg_list_v2"
        return self._pages(path, body, "group_msg_list", _LIST_PAGE, deadline)

    def groupmsg_task(self, msgid: str, *, deadline: datetime | None = None) -> Iterator[Json]:
        """Who was asked to send: userid, status 0 not yet / 2 sent, send_time. 41063: too early."""
        path = "externalcontact/get_groupmsg_task"
        tasks = self._pages(path, {"msgid": msgid}, "task_list", _PAGE, deadline)
        return (fold_row(task, "userid") for task in tasks)

    def groupmsg_send_result(
        self, msgid: str, staff_id: str, *, deadline: datetime | None = None
    ) -> Iterator[Json]:
        """external_userid or chat_id, status 0 not yet / 1 sent / 2 no friend / 3 over the limit."""
        path = "externalcontact/get_groupmsg_send_result"
        return self._pages(path, {"msgid": msgid, "userid": staff_id}, "send_list", _PAGE, deadline)

    def remind(self, msgid: str, *, deadline: datetime | None = None) -> None:
        """Remind staff who have not sent yet; three times a day (41094). AnswerLost: perhaps done."""
        path = "externalcontact/remind_groupmsg_send"
        self._post(path, {"msgid": msgid}, deadline, repeatable=False)

    def message_send(self, message: Mapping[str, Any], *, deadline: datetime | None = None) -> Json:
        """A message to staff: touser ("a|b"), msgtype, its body → invaliduser, msgid, response_code.

        AnswerLost: perhaps delivered. With enable_duplicate_check WeCom drops an equal second one.
        """
        body = {"agentid": int(self.agent_id), **message}
        return self._post("message/send", body, deadline, repeatable=False)

    # Customer acquisition (获客助手): links of this app only

    def create_link(self, link: Mapping[str, Any], *, deadline: datetime | None = None) -> AcquisitionLink:
        """Make a link from link_name (≤ 30), range {user_list, department_list}, skip_verify, …

        41095: too many links. AnswerLost: it may exist (list_link and get_link find it by its name).
        """
        path = "externalcontact/customer_acquisition/create_link"
        made = self._post(path, link, deadline, repeatable=False)["link"]
        return AcquisitionLink(str(made["link_id"]), str(made["url"]))

    def list_link(self, *, deadline: datetime | None = None) -> Iterator[str]:
        """link_ids of all links."""
        path = "externalcontact/customer_acquisition/list_link"
        rows: Iterator[Any] = self._pages(path, {}, "link_id_list", _LIST_PAGE, deadline)
        return rows

    def get_link(self, link_id: str, *, deadline: datetime | None = None) -> Json:
        """`{"link": {link_name, url, create_time, skip_verify}, "range": {…}, "priority_option"?}`"""
        path = "externalcontact/customer_acquisition/get"
        return self._post(path, {"link_id": link_id}, deadline)

    def update_link(
        self, link_id: str, changes: Mapping[str, Any], *, deadline: datetime | None = None
    ) -> None:
        """Change a link. `range` and `priority_option` replace what was there."""
        path = "externalcontact/customer_acquisition/update_link"
        self._post(path, {"link_id": link_id, **changes}, deadline)

    def delete_link(self, link_id: str, *, deadline: datetime | None = None) -> None:
        """Delete a link; no event comes of it."""
        self._post("externalcontact/customer_acquisition/delete_link", {"link_id": link_id}, deadline)

    def link_customers(self, link_id: str, *, deadline: datetime | None = None) -> Iterator[Json]:
        """Who came by a link: external_userid, userid, chat_status 0 silent / 1 wrote / 2 unknown, state."""
        path = "externalcontact/customer_acquisition/customer"
        customers = self._pages(path, {"link_id": link_id}, "customer_list", _PAGE, deadline)
        return (fold_row(customer, "userid") for customer in customers)

    def acquisition_quota(self, *, deadline: datetime | None = None) -> Json:
        """total (used ever), balance, quota_list[{expire_date (Unix seconds), balance}]."""
        return self._get("externalcontact/customer_acquisition_quota", {}, deadline)

    def link_statistic(
        self, link_id: str, start: datetime, end: datetime, *, deadline: datetime | None = None
    ) -> Json:
        """click_link_customer_cnt and new_customer_cnt of those days (of the last 180)."""
        times = {"start_time": int(start.timestamp()), "end_time": int(end.timestamp())}
        path = "externalcontact/customer_acquisition/statistic"
        return self._post(path, {"link_id": link_id, **times}, deadline)

    def chat_info(self, chat_key: str, *, deadline: datetime | None = None) -> Json:
        """Who a message_from_customer event is about: userid, external_userid, chat_info{link_id, state, …}.

        Within about 30 minutes of the event.
        """
        path = "externalcontact/customer_acquisition/get_chat_info"
        return fold_row(self._post(path, {"chat_key": chat_key}, deadline), "userid")

    def _get(self, path: str, params: Mapping[str, str], deadline: datetime | None) -> Json:
        return self._via(path).call(path, params=params, repeatable=True, deadline=deadline)

    def _post(
        self, path: str, body: Mapping[str, Any], deadline: datetime | None, *, repeatable: bool = True
    ) -> Json:
        return self._via(path).call(path, body, repeatable=repeatable, deadline=deadline)

    def _via(self, path: str) -> Transport:
        return self._app_wire if path.startswith(_OF_THE_APP) else self._wire

    def _pages(
        self, path: str, body: Mapping[str, Any], rows: str, limit: int, deadline: datetime | None
    ) -> Iterator[Json]:
        cursor = ""
        while True:
            answer = self._post(path, {**body, "limit": limit, "cursor": cursor}, deadline)
            yield from answer.get(rows, [])
            cursor = _next(answer, cursor)
            if not cursor:
                return


def _group_member(row: Json) -> Json:
    """A customer's id is kept as it is: it is not WeCom's userid, and has its case."""
    member = fold_row(row, "userid") if row.get("type") == 1 else row
    invitor = member.get("invitor")
    return {**member, "invitor": fold_row(invitor, "userid")} if invitor else member


def _next(answer: Json, cursor: str) -> str:
    following = str(answer.get("next_cursor") or "")
    if following and following == cursor:
        raise Upstream("WeCom gave the same page's cursor again")
    return following


@cache
def default_client() -> WeCom:
    """The process's client, from the settings. Made at the first call, kept."""
    corp_id, agent_id = settings.env("WECOM_CORP_ID"), settings.env("WECOM_AGENT_ID")
    return WeCom(
        settings.env("WECOM_API_BASE", HOST),
        corp_id,
        agent_id,
        _contact_secret,
        DynamoTokens(corp_id, agent_id),
        forget_secret=settings.forget_secrets,
        app=_app_transport,
        tickets=lambda kind: DynamoTokens(corp_id, f"{agent_id}/ticket-{kind}"),
        heard=health.noting("wecom_contact"),
    )


def _contact_secret() -> str:
    return settings.secret("wecom", "contact_secret", "") or settings.secret("wecom", "secret")


def _app_transport() -> Transport | None:
    """For the app itself; None where one secret is for all."""
    if _contact_secret() == settings.secret("wecom", "secret"):
        return None
    corp_id, agent_id = settings.env("WECOM_CORP_ID"), settings.env("WECOM_AGENT_ID")
    return Transport(
        settings.env("WECOM_API_BASE", HOST),
        corp_id,
        lambda: settings.secret("wecom", "secret"),
        DynamoTokens(corp_id, f"{agent_id}/app"),
        forget_secret=settings.forget_secrets,
        heard=health.noting("wecom_app"),
    )
