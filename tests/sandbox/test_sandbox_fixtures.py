"""Every request that the documents show is answered in the shape of its answer, and every error can be had.

The requests and answers are those of data/fixtures.json; their ids stand for what the corp below really has.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_sandbox_pay import BASE, order, request

from infra.sandbox.api import ENDPOINTS
from infra.sandbox.identity_api import opengid_of

_TAG = re.compile("etTESTtag[0-9]+")
PATHS = {path.replace("/", "_"): path for path in ENDPOINTS}
EC = "externalcontact_"
BEGIN, NOW = 1_699_981_200, 1_700_200_000  # when the documents' things happened, and when they are asked for
E1, E2 = "wmTESTexternal000000000000000001", "wmTESTexternal000000000000000002"
G1, G2 = "wrTESTgroup00000000000000000001", "wrTESTgroup00000000000000000002"
PAIR = {"userid": "guide_001", "external_userid": E1}
# Not here: temporary chats (medical corps only), and what WeChat Pay had before, which a merchant of today
# is not given.
REFUSED = {"externalcontact_close_temp_chat": 48002}
LEFT_OUT_FILES = ("wechatpay_", "gettoken", "any.")
# Keys that are left out: personal fields that new apps do not get, Channels, deleted tags, who made a mass
# send or a moment (nobody, by API), who invited a group's owner.
LEFT_OUT = {
    "mobile", "gender", "email", "avatar", "thumb_avatar", "address", "qr_code", "wechat_channels",
    "deleted", "creator", "invitor",
}  # fmt: skip
MAY_BE_EMPTY = (
    "unlicensed_userid_list", "party", "admin_list", "direct_leader", "attrs", "external_attr",
    "department_leader", "fail_list", "failed_chat_list", "tag_list", "department_list", "user_list",
)  # fmt: skip


def missing(wanted: Any, got: Any, where: str = "") -> list[str]:
    """Where `got` lacks a key of `wanted` or has a value of another kind."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        absent = [f"{where}.{k}" for k in wanted if k not in got and k not in LEFT_OUT]
        return absent + [m for k in wanted if k in got for m in missing(wanted[k], got[k], f"{where}.{k}")]
    if isinstance(wanted, list) and isinstance(got, list):
        if wanted and not got:
            return [] if where.endswith(MAY_BE_EMPTY) else [f"{where} is empty"]
        return missing(wanted[0], got[0], f"{where}[0]") if wanted else []
    numbers = isinstance(wanted, int | float) and isinstance(got, int | float)
    return [] if type(wanted) is type(got) or numbers else [f"{where} is {type(got).__name__}"]


class Documented:
    """A corp in which the things that the documents speak of exist; `ids`: theirs → ours."""

    def __init__(self, make: Callable[..., Any]) -> None:
        self.corp = corp = make(agent_id=1000007)
        corp.clock.forward(BEGIN - corp.clock().timestamp())
        for userid in ("guide_001", "guide_002", "guide_009", "mgr_01"):
            corp.actions.add_staff(userid, department=[1, 12])
        for userid, external in (("guide_001", E1), ("guide_001", E2), ("guide_009", E2)):
            corp.actions.add(userid, external_userid=external, state="lc_1")
        self.ids: dict[str, str] = {}
        self.make_groups()
        self.make_things()
        corp.clock.forward(NOW - corp.clock().timestamp())
        corp.sandbox.run_due()
        self.make_last()

    def make_groups(self) -> None:
        actions = self.corp.actions
        made = [actions.add_group("guide_001", "华南福利群10", [E1])["chat_id"], "wrunknown"]
        self.ids |= dict(zip((G1, G2), made, strict=True))
        way = self.call(f"{EC}groupchat_add_join_way", {"scene": 2, "chat_id_list": [made[0]], "state": "x"})
        self.ids["#join_way"] = way["config_id"]
        actions.join(config_id=way["config_id"], external_userid="wmOnlyInTheGroup", name="小明")
        actions.say_in_group(made[0], E1, "有优惠吗")
        actions.say("guide_001", E1, "在吗")
        self.corp.clock.forward(120)
        actions.say("guide_001", E1, "在的", by="staff")

    def make_things(self) -> None:
        corp = self.corp
        tag = {"group_name": "来源", "tag": [{"name": "海报"}]}
        group = self.call(f"{EC}add_corp_tag", tag)["tag_group"]
        self.ids["#tag"] = group["tag"][0]["id"]
        self.ids["#tag_group"] = group["group_id"]
        marked = {**PAIR, "add_tag": [group["tag"][0]["id"]]}
        self.call(f"{EC}mark_tag", marked)
        self.call(f"{EC}remark", {**PAIR, "remark_mobiles": ["13800000009"]})
        job = {"scene": 1, "type": "video", "filename": "a.mp4", "url": "https://a.example.com/a", "md5": "0"}
        self.ids["JOB_MEDIA_1"] = self.call("media_upload_by_url", job)["jobid"]
        for tagname in ("店长", "导购"):
            self.call("tag_create", {"tagname": tagname})
        link = {
            "msgtype": "link",
            "link": {"title": "x", "picurl": "", "desc": "", "url": "https://a.example.com"},
        }
        made = corp.upload("media/upload", b"0123456789", type="image")
        picture = {"msgtype": "image", "image": {"media_id": made["media_id"]}}
        mass = {"sender": "guide_001", "text": {"content": "x"}, "external_userid": [E1, "wmNobody"]}
        self.ids["#single"] = self.call(f"{EC}add_msg_template", {**mass, "attachments": [picture, link]})[
            "msgid"
        ]
        mass = {"chat_type": "group", "sender": "guide_001", "text": {"content": "x"}}
        self.ids["#group"] = self.call(f"{EC}add_msg_template", mass)["msgid"]

    def make_last(self) -> None:
        corp = self.corp
        for name in (f"MEDIA_TMP_000{n}" for n in range(1, 5)):
            self.ids[name] = corp.upload("media/upload", b"0123456789", type="image")["media_id"]
        for name, purpose in (("MEDIA_ATT_0001", "1"), ("MEDIA_ATT_0002", "2")):
            query = {"media_type": "image", "attachment_type": purpose}
            self.ids[name] = corp.upload("media/upload_attachment", b"0123456789", **query)["media_id"]
        self.ids["JOB_MOMENT_1"] = self.call(f"{EC}add_moment_task", self.request(f"{EC}add_moment_task"))[
            "jobid"
        ]
        corp.clock.forward(600)
        corp.sandbox.run_due()
        [moment] = corp.world.state.moments.values()
        self.ids["momTEST1"] = moment.moment_id
        corp.actions.react(moment.moment_id, "guide_001", E1)
        corp.actions.react(moment.moment_id, "guide_001", E1, how="comment")
        album = {"description": "真丝连衣裙", "price": 39900, "product_sn": "SKU2025A",
                 "attachments": [{"type": "image", "image": {"media_id": self.ids["MEDIA_ATT_0002"]}}]}  # fmt: skip
        self.ids["pdTEST1"] = self.call(f"{EC}add_product_album", album)["product_id"]
        self.ids["irTEST1"] = self.call(f"{EC}add_intercept_rule", self.request(f"{EC}add_intercept_rule"))[
            "rule_id"
        ]
        template = self.request(f"{EC}group_welcome_template_add")
        self.ids["#template"] = self.call(f"{EC}group_welcome_template_add", template)["template_id"]
        self.ids["#way"] = self.call(f"{EC}add_contact_way", self.request(f"{EC}add_contact_way"))[
            "config_id"
        ]
        link = self.request(f"{EC}customer_acquisition_create_link")
        self.ids["#link"] = self.call(f"{EC}customer_acquisition_create_link", link)["link"]["link_id"]
        url = f"/ca/{self.ids['#link']}?customer_channel=c1"
        got = corp.actions.acquire(url)
        told = corp.actions.customer_message(got["userid"], got["external_userid"], 3)
        self.ids["#chat_key"] = told["events"][-1]["xml"].split("<ChatKey><![CDATA[")[1].split("]]")[0]
        sent = self.call("message_send", self.request("message_send.text"))
        self.ids["MSG_APP_1"] = sent["msgid"]
        self.ids["#ticket"] = self.call("auth_getuserinfo", {"code": "member:guide_001"})["user_ticket"]
        self.ids["#welcome"] = corp.actions.add("guide_001")["welcome_code"]
        self.call("idconvert_unionid_to_external_userid", {"unionid": "oNew", "openid": "o1"})
        corp.actions.add_staff("guide_009", status=5)
        corp.world.contact(E1).unionid, corp.world.contact(E2).unionid = "oUNIONtest00000000000000001", "oNew"

    def request(self, name: str) -> dict[str, Any]:
        """The documented request, of things that exist here."""
        text = json.dumps(FIXTURES[f"{name}.request"], ensure_ascii=False)
        for theirs, ours in self.ids.items():
            text = text.replace(theirs, ours)
        return dict(json.loads(_TAG.sub(self.ids["#tag"], text)))

    def call(self, name: str, given: dict[str, Any]) -> dict[str, Any]:
        path = PATHS[name]
        if ENDPOINTS[path].method == "GET":
            return dict(self.corp(path, **given))
        return dict(self.corp(path, given))


def fixtures() -> dict[str, Any]:
    path = Path(__file__).parent / "data" / "fixtures.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


FIXTURES = fixtures()


@pytest.fixture
def documented(make: Callable[..., Any]) -> Documented:
    return Documented(make)


def requests_of(d: Documented) -> dict[str, dict[str, Any]]:
    """What is asked where the documents show an answer only, or a request of more than this corp has."""
    i, moment = d.ids, {"moment_id": d.ids["momTEST1"], "userid": "guide_001"}
    config, link = {"config_id": i["#way"]}, {"link_id": i["#link"]}
    msgid, product, rule = {"msgid": i["#single"]}, {"product_id": i["pdTEST1"]}, {"rule_id": i["irTEST1"]}
    template, span = {"template_id": i["#template"]}, {"start_time": NOW - 5 * 86_400, "end_time": NOW + 3600}
    move = {"handover_userid": "guide_001", "takeover_userid": "guide_002", "external_userid": [E1]}
    left = {**move, "handover_userid": "guide_009", "external_userid": [E2]}
    pair = {k: move[k] for k in ("handover_userid", "takeover_userid")}
    join = {"config_id": i["#join_way"]}
    days = d.request(f"{EC}groupchat_statistic")
    ec = {
        "get": {"external_userid": E1}, "list": {"userid": "guide_001"},
        "add_msg_template": d.request(f"{EC}add_msg_template.tag_filter"),
        "convert_to_openid": {"external_userid": E1}, "edit_corp_tag": {"id": i["#tag_group"], "name": "渠道"},
        "del_corp_tag": {"tag_id": [i["#tag"]]},
        "del_contact_way": config, "get_contact_way": config,
        "update_contact_way": {**d.request(f"{EC}update_contact_way"), **config},
        "get_groupmsg_task": msgid, "remind_groupmsg_send": msgid, "cancel_groupmsg_send": msgid,
        "get_groupmsg_list_v2": {"chat_type": "single", **span},
        "get_groupmsg_send_result.single": {**msgid, "userid": "guide_001"},
        "get_groupmsg_send_result.group": {"msgid": i["#group"], "userid": "guide_001"},
        "send_welcome_msg": {"welcome_code": i["#welcome"], "text": {"content": "您好"}},
        "get_moment_task_result": {"jobid": i["JOB_MOMENT_1"]}, "get_moment_list": span,
        "get_moment_task": {"moment_id": moment["moment_id"]}, "get_moment_customer_list": moment,
        "get_moment_send_result": moment, "get_moment_comments": moment,
        "cancel_moment_task": {"moment_id": moment["moment_id"]},
        "get_product_album": product, "delete_product_album": product, "update_product_album": product,
        "add_product_album": {
            "description": "x", "price": 1,
            "attachments": [{"type": "image", "image": {"media_id": i["MEDIA_ATT_0002"]}}],
        },
        "get_intercept_rule": rule,
        "group_welcome_template_get": template, "group_welcome_template_del": template,
        "group_welcome_template_edit": {**template, "text": {"content": "您好"}},
        "groupchat_statistic": days, "groupchat_statistic_group_by_day": days,
        "groupchat_get": {"chat_id": i[G1], "need_name": 1}, "groupchat_list": {"limit": 10},
        "groupchat_get_join_way": join, "groupchat_del_join_way": join,
        "groupchat_add_join_way": {"scene": 2, "chat_id_list": [i[G1]]},
        "groupchat_update_join_way": {"scene": 2, "chat_id_list": [i[G1]], **join},
        "groupchat_onjob_transfer": {"chat_id_list": [i[G1], i[G2]], "new_owner": "guide_002"},
        "groupchat_transfer": {"chat_id_list": [i[G1]], "new_owner": "guide_002"},
        "opengid_to_chatid": {"opengid": opengid_of(i[G1])},
        "resigned_transfer_customer": left, "transfer_result": pair,
        "resigned_transfer_result": {**pair, "handover_userid": "guide_009"},
        "customer_acquisition_statistic": {**link, **span}, "customer_acquisition_get": link,
        "customer_acquisition_customer": link, "customer_acquisition_delete_link": link,
        "customer_acquisition_update_link": {**link, "link_name": "投放"},
        "customer_acquisition_get_chat_info": {"chat_key": i["#chat_key"]},
    }  # fmt: skip
    return {
        **{EC + name: body for name, body in ec.items()},
        "auth_getuserinfo.member": {"code": "member:guide_001"},
        "auth_getuserinfo.external": {"code": f"customer:{E1}"},
        "auth_getuserdetail": {"user_ticket": i["#ticket"]},
        "idconvert_unionid_to_external_userid.customer": {"unionid": "oUNIONtest00000000000000001", "openid": "o"},
        "idconvert_unionid_to_external_userid.pending": {"unionid": "oNobody", "openid": "o"},
        "idconvert_batch_external_userid_to_pending_id": {"external_userid": [E2]},
        "media_get_upload_by_url_result": {"jobid": i["JOB_MEDIA_1"]},
        "media_upload_by_url": {
            "scene": 1, "type": "file", "filename": "a", "url": "https://a.example.com", "md5": "0"
        },
        "message_send": d.request("message_send.text"), "ticket_get.agent_config": {"type": "agent_config"},
        "user_get": {"userid": "guide_001"}, "user_simplelist": {"department_id": 12},
    }  # fmt: skip


ANSWERS = sorted(
    name.removesuffix(".response")
    for name in FIXTURES
    if name.endswith(".response") and ".error_" not in name and not name.startswith(LEFT_OUT_FILES)
)
UPLOADS = {
    "media_upload": {"type": "image"}, "media_uploadimg": {},
    "media_upload_attachment": {"media_type": "image", "attachment_type": "1"},
}  # fmt: skip


def asked(d: Documented, name: str) -> dict[str, Any]:
    given = requests_of(d).get(name)
    return d.request(name) if given is None and f"{name}.request" in FIXTURES else given or {}


def begin_transfer(d: Documented, name: str) -> None:
    """What a result is the result of."""
    given = requests_of(d)[f"{EC}resigned_transfer_customer"] if "resigned" in name else {
        "handover_userid": "guide_001", "takeover_userid": "guide_002", "external_userid": [E1]
    }  # fmt: skip
    d.call(name.replace("result", "customer"), given)


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_has_the_documented_shape(documented: Documented, name: str) -> None:
    path, wanted = name.partition(".")[0], FIXTURES[f"{name}.response"]
    if "transfer_result" in name:
        begin_transfer(documented, name)
    if path in UPLOADS:
        got = documented.corp.upload(PATHS[path], b"0123456789", **UPLOADS[path])
    else:
        got = documented.call(path, asked(documented, name))
    if name in REFUSED:
        assert got["errcode"] == REFUSED[name]
        return
    assert got["errcode"] == 0, got
    assert missing(wanted, got) == []


def test_userids_compare_without_case(make: Callable[..., Any]) -> None:
    """The same answer, whichever way a member is spelled."""
    played, first = 0, Documented(make)  # making one takes longer than most calls
    for name in ANSWERS:
        if name in REFUSED or "guide_" not in json.dumps(asked(first, name)):
            continue
        texts = []
        for spelled in ("guide_", "GUIDE_"):
            documented = Documented(make)
            given = json.dumps(asked(documented, name), ensure_ascii=False)
            if "transfer_result" in name:
                begin_transfer(documented, name)
            got = documented.call(name.partition(".")[0], json.loads(given.replace("guide_", spelled)))
            texts.append(json.dumps(got, ensure_ascii=False))
        played += 1
        assert texts[0] == texts[1], name
    assert played >= 20


REQUESTS = sorted(
    name.removesuffix(".request")
    for name in FIXTURES
    if name.endswith(".request") and not name.startswith("wechatpay")
)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_documented_request_is_taken_as_it_stands(documented: Documented, name: str) -> None:
    path, given = name.partition(".")[0], documented.request(name)
    own = requests_of(documented).get(path, {})
    ids = ("config_id", "msgid", "welcome_code", "chat_id_list", "chat_id", "link_id", "id", "tag_id")
    own |= {} if path != f"{EC}get_groupmsg_send_result" else {"msgid": documented.ids["#single"]}
    given |= {key: value for key, value in own.items() if key in ids and key in given}
    assert documented.call(path, given)["errcode"] == REFUSED.get(name, 0)


def test_wechat_pays_answers(corp: Any) -> None:
    name, pay = "wechatpay_fundapp_transfer_bills", corp.sandbox.pay
    made = pay.answer(request(corp, "POST", BASE, order(corp)))[1]
    cancelled = pay.answer(request(corp, "POST", f"{BASE}/out-bill-no/MR1/cancel"))[1]
    shown = pay.answer(request(corp, "GET", f"{BASE}/out-bill-no/MR1"))[1]
    wanted = [FIXTURES[f"{name}{kind}.response"] for kind in ("", ".cancel", ".query")]
    got = (made, cancelled, shown)
    assert [missing(w, g) for w, g in zip(wanted, got, strict=True)] == [[], [], []]


def test_the_documented_errors(documented: Documented, make: Callable[..., Any]) -> None:
    d, errors = documented, {n.removesuffix(".response") for n in FIXTURES if ".error_" in n}
    corp, i = d.corp, d.ids
    late = {"welcome_code": "WC_nobody", "text": {"content": "x"}}
    code = {"welcome_code": i["#welcome"], "text": {"content": "x"}}
    got = {
        f"{EC}send_welcome_msg.error_41050": d.call(f"{EC}send_welcome_msg", late),
        f"{EC}send_welcome_msg.error_41051": [d.call(f"{EC}send_welcome_msg", code) for _ in range(2)][1],
        f"{EC}add_corp_tag.error_40071": d.call(
            f"{EC}add_corp_tag", {"group_name": "来源", "tag": [{"name": "海报"}]}
        ),
        f"{EC}add_msg_template.error_41048": d.call(
            f"{EC}add_msg_template", {"external_userid": ["wmNobody"], "text": {"content": "x"}}
        ),
        f"{EC}list.error_84061": d.call(f"{EC}list", {"userid": "nobody"}),
        f"{EC}remind_groupmsg_send.error_41094": [
            d.call(f"{EC}remind_groupmsg_send", {"msgid": i["#single"]}) for _ in range(4)
        ][3],
        f"{EC}get_groupmsg_task.error_41063": d.call(
            f"{EC}get_groupmsg_task",
            {
                "msgid": d.call(f"{EC}add_msg_template", {"sender": "guide_001", "text": {"content": "x"}})[
                    "msgid"
                ]
            },
        ),
    }
    corp.actions.add_staff("sleeps", status=4)
    way = {"type": 1, "scene": 2, "user": ["sleeps"]}
    got[f"{EC}add_contact_way.error_41054"] = d.call(f"{EC}add_contact_way", way)
    for n in range(1001):
        corp.world.add_staff(f"many{n}")
    got[f"{EC}groupchat_list.error_81017"] = d.call(f"{EC}groupchat_list", {"limit": 1})
    strict = make(strict=True)
    words = {"touser": "nobody", "msgtype": "text", "agentid": 1000002, "text": {"content": "x"}}
    got["message_send.error_81013"] = strict("message/send", words)
    wrong = {"corpid": strict.sandbox.config.corp_id, "corpsecret": "wrong"}
    got["gettoken.error_40001"] = strict.raw("GET", "gettoken", wrong)[1]
    assert {name: answer["errcode"] for name, answer in got.items()} == {
        name: int(name.rpartition("_")[2]) for name in got
    }
    # Another app is sending, and what any call may be told (tests of access and of faults have those).
    assert errors - set(got) == {f"{EC}send_welcome_msg.error_41096"} | {
        f"any.error_{code}" for code in (-1, 40014, 42001, 45009, 45033, 60020)
    }
