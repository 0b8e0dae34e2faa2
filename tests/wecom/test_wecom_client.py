"""The WeCom client over real HTTP, against a stub that answers with WeCom's own shapes."""

import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.platform import clock, settings
from chalicelib.platform.errors import Upstream
from chalicelib.wecom import client as wecom_client
from chalicelib.wecom import transport
from chalicelib.wecom.access import Token, TokenStore
from chalicelib.wecom.client import ContactWay, MassSend, WeCom
from chalicelib.wecom.errors import AnswerLost, Treatment, WeComError
from chalicelib.wecom.tokens import AccessToken, DynamoTokens

SECRET = "S3CRET_never_in_a_log"
OK = {"errcode": 0, "errmsg": "ok"}
EXPIRED = {
    "errcode": 42001,
    "errmsg": "access_token expired, hint: [1700000000_2_bbbb], from ip: 203.0.113.9, "
    "more info at https://open.work.weixin.qq.com/devtool/query?e=42001",
}
INVALID = {"errcode": 40014, "errmsg": "invalid access_token"}

Answer = dict[str, Any] | int | bytes | str | Callable[[dict[str, Any]], Any]


class Server(ThreadingHTTPServer):
    request_queue_size = 64  # a stampede must not be thinned out by the listen queue


class Stub:
    """A WeCom of a few lines. `answers[path]`: what it says, in turn; the last one stays.

    An int is an HTTP status, bytes a raw body, "drop" a connection cut before the answer, "hang" one
    that never answers, a function gets the request. Tokens are AT_1, AT_2, …; `dead` ones are refused.
    """

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.seen: list[dict[str, Any]] = []
        self.tokens = 0
        self.expires_in = 7200
        self.dead: set[str] = set()
        self.lock = threading.Lock()
        self.released = threading.Event()
        self.server = Server(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def asked(self, path: str) -> list[dict[str, Any]]:
        return [request for request in self.seen if request["path"] == path]

    def answer(self, request: dict[str, Any]) -> Answer:
        with self.lock:
            self.seen.append(request)
            path = request["path"]
            queue = self.answers.get(path)
            given: Answer | None = None
            if queue:
                given = queue.pop(0) if len(queue) > 1 else queue[0]
            if path == "gettoken" and given is None:
                self.tokens += 1
                return {**OK, "access_token": f"AT_{self.tokens}", "expires_in": self.expires_in}
            if path != "gettoken" and request["query"].get("access_token") in self.dead:
                return EXPIRED
        if callable(given):
            return given(request)  # type: ignore[no-any-return]
        return OK if given is None else given

    def _handler(stub: "Stub") -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                query = {key: values[0] for key, values in parse_qs(url.query).items()}
                path = url.path.removeprefix("/cgi-bin/")
                said = stub.answer({"path": path, "query": query, "raw": raw, "method": self.command})
                if said == "hang":
                    stub.released.wait(10)
                if said in ("drop", "hang"):
                    self.close_connection = True
                    return
                status = said if isinstance(said, int) else 200
                body = said if isinstance(said, bytes) else json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


class SharedTokens:
    """A token store as several processes would share it, with the conditions DynamoDB would check."""

    def __init__(self) -> None:
        self.stored: Token | None = None
        self.until: datetime | None = None
        self.gets = 0
        self._lock = threading.Lock()

    def _version(self) -> int:
        return self.stored.version if self.stored else 0

    def get(self) -> Token | None:
        with self._lock:
            self.gets += 1
            return self.stored

    def try_lock(self, version: int, until: datetime) -> bool:
        with self._lock:
            if self._version() != version or (self.until is not None and self.until >= clock.now()):
                return False
            self.until = until
            return True

    def unlock(self, until: datetime) -> None:
        with self._lock:
            if self.until == until:
                self.until = None

    def put(self, token: Token) -> bool:
        with self._lock:
            if self._version() != token.version - 1:
                return False
            self.stored, self.until = token, None
            return True


@pytest.fixture
def stub() -> Iterator[Stub]:
    made = Stub()
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No waiting between tries; what would have been waited is kept."""
    waits: list[float] = []
    monkeypatch.setattr(transport.time, "sleep", waits.append)
    return waits


def make(stub: Stub, store: TokenStore | None = None, **extra: Any) -> WeCom:
    return WeCom(stub.base, "ww1", "1000007", lambda: SECRET, store or SharedTokens(), **extra)


# Every endpoint: method, path, body, and what comes back

ENDPOINTS: list[tuple[str, Callable[[WeCom], Any], dict[str, Any], dict[str, Any], Any]] = [
    (
        "externalcontact/add_contact_way",
        lambda c: c.add_contact_way(
            {"type": 1, "scene": 2, "state": "mr1", "user": ["lihua"], "remark": "海报"}
        ),
        {"config_id": "cfg1", "qr_code": "https://qr/1"},
        {"type": 1, "scene": 2, "state": "mr1", "user": ["lihua"], "remark": "海报"},
        ContactWay("cfg1", "https://qr/1"),
    ),
    (
        "externalcontact/get_contact_way",
        lambda c: c.get_contact_way("cfg1"),
        {"contact_way": {"config_id": "cfg1", "user": ["lihua"]}},
        {"config_id": "cfg1"},
        {"config_id": "cfg1", "user": ["lihua"]},
    ),
    (
        "externalcontact/update_contact_way",
        lambda c: c.update_contact_way("cfg1", {"user": ["wangwu"]}),
        {},
        {"config_id": "cfg1", "user": ["wangwu"]},
        None,
    ),
    ("externalcontact/del_contact_way", lambda c: c.del_contact_way("cfg1"), {}, {"config_id": "cfg1"}, None),
    (
        "externalcontact/mark_tag",
        lambda c: c.mark_tag("lihua", "wm1", add=["et1"]),
        {},
        {"userid": "lihua", "external_userid": "wm1", "add_tag": ["et1"]},
        None,
    ),
    (
        "externalcontact/mark_tag",
        lambda c: c.mark_tag("lihua", "wm1", add=["et1"], remove=["et2"]),
        {},
        {"userid": "lihua", "external_userid": "wm1", "add_tag": ["et1"], "remove_tag": ["et2"]},
        None,
    ),
    (
        "externalcontact/get_corp_tag_list",
        lambda c: c.get_corp_tag_list(),
        {"tag_group": [{"group_id": "g", "tag": []}]},
        {"tag_id": [], "group_id": []},
        [{"group_id": "g", "tag": []}],
    ),
    (
        "externalcontact/add_corp_tag",
        lambda c: c.add_corp_tag("渠道", ["包裹卡"]),
        {"tag_group": {"group_id": "g", "tag": [{"id": "et1", "name": "包裹卡"}]}},
        {"group_name": "渠道", "tag": [{"name": "包裹卡"}], "agentid": 1000007},
        {"group_id": "g", "tag": [{"id": "et1", "name": "包裹卡"}]},
    ),
    (
        "externalcontact/convert_to_openid",
        lambda c: c.convert_to_openid("wm1"),
        {"openid": "o1"},
        {"external_userid": "wm1"},
        "o1",
    ),
    (
        "externalcontact/send_welcome_msg",
        lambda c: c.send_welcome_msg("WC", "您好", [{"msgtype": "image", "image": {"media_id": "M"}}]),
        {},
        {
            "welcome_code": "WC",
            "text": {"content": "您好"},
            "attachments": [{"msgtype": "image", "image": {"media_id": "M"}}],
        },
        None,
    ),
    (
        "externalcontact/add_msg_template",
        lambda c: c.add_msg_template({"chat_type": "single", "sender": "lihua", "external_userid": ["wm1"]}),
        {"msgid": "msg1", "fail_list": ["wm2"]},
        {"chat_type": "single", "sender": "lihua", "external_userid": ["wm1"]},
        MassSend("msg1", ["wm2"]),
    ),
    ("externalcontact/remind_groupmsg_send", lambda c: c.remind("msg1"), {}, {"msgid": "msg1"}, None),
    (
        "message/send",
        lambda c: c.message_send({"touser": "lihua", "msgtype": "text", "text": {"content": "x"}}),
        {"msgid": "m"},
        {"agentid": 1000007, "touser": "lihua", "msgtype": "text", "text": {"content": "x"}},
        {**OK, "msgid": "m"},
    ),
    (
        "externalcontact/groupchat/get",
        lambda c: c.group_chat("wr1", names=True),
        {"group_chat": {"chat_id": "wr1"}},
        {"chat_id": "wr1", "need_name": 1},
        {"chat_id": "wr1"},
    ),
]


@pytest.mark.parametrize(
    ("path", "call", "answer", "body", "result"), ENDPOINTS, ids=lambda v: v if isinstance(v, str) else ""
)
def test_each_call_sends_and_reads_wecoms_shapes(
    stub: Stub,
    path: str,
    call: Callable[[WeCom], Any],
    answer: dict[str, Any],
    body: dict[str, Any],
    result: Any,
) -> None:
    stub.answers[path] = [{**OK, **answer}]
    client = make(stub)
    assert call(client) == result
    (request,) = stub.asked(path)
    assert (request["method"], request["query"]) == ("POST", {"access_token": "AT_1"})
    assert json.loads(request["raw"]) == body
    assert b"\\u" not in request["raw"]  # WeCom refuses escaped Chinese (40033)
    assert client.calls == {"gettoken": 1, path: 1}


def test_the_calls_that_get(stub: Stub) -> None:
    stub.answers["externalcontact/get_follow_user_list"] = [{**OK, "follow_user": ["lihua", "wangwu"]}]
    stub.answers["user/get"] = [{**OK, "userid": "lihua", "name": "李华", "status": 1}]
    client = make(stub)
    assert client.get_follow_user_list() == ["lihua", "wangwu"]
    assert client.user_get("lihua")["name"] == "李华"
    (request,) = stub.asked("user/get")
    assert (request["method"], request["query"]) == ("GET", {"access_token": "AT_1", "userid": "lihua"})
    (gettoken,) = stub.asked("gettoken")
    assert gettoken["query"] == {"corpid": "ww1", "corpsecret": SECRET}


def test_marking_nothing_is_no_call(stub: Stub) -> None:
    client = make(stub)
    client.mark_tag("lihua", "wm1")
    assert not client.calls


# Pages


def test_short_and_empty_pages_do_not_end_a_list_an_empty_cursor_does(stub: Stub) -> None:
    path = "externalcontact/groupchat/list"
    stub.answers[path] = [
        {**OK, "group_chat_list": [{"chat_id": "wr1", "status": 0}], "next_cursor": "c1"},
        {**OK, "group_chat_list": [], "next_cursor": "c2"},
        {**OK, "group_chat_list": [{"chat_id": "wr2", "status": 1}], "next_cursor": ""},
    ]
    assert [g["chat_id"] for g in make(stub).group_list(["lihua"])] == ["wr1", "wr2"]
    bodies = [json.loads(r["raw"]) for r in stub.asked(path)]
    assert [b["cursor"] for b in bodies] == ["", "c1", "c2"]
    assert bodies[0]["owner_filter"] == {"userid_list": ["lihua"]}


@pytest.mark.parametrize(
    ("path", "rows", "call"),
    [
        (
            "externalcontact/list_contact_way",
            "contact_way",
            lambda c: c.list_contact_way(datetime.fromtimestamp(1, UTC), datetime.fromtimestamp(2, UTC)),
        ),
        (
            "externalcontact/get_groupmsg_list_v2",
            "group_msg_list",
            lambda c: c.groupmsg_list(datetime.fromtimestamp(1, UTC), datetime.fromtimestamp(2, UTC)),
        ),
        ("externalcontact/get_groupmsg_task", "task_list", lambda c: c.groupmsg_task("msg1")),
        (
            "externalcontact/get_groupmsg_send_result",
            "send_list",
            lambda c: c.groupmsg_send_result("m", "lihua"),
        ),
    ],
)
def test_every_list_goes_to_its_last_page(
    stub: Stub, path: str, rows: str, call: Callable[[WeCom], Iterator[Any]]
) -> None:
    stub.answers[path] = [
        {**OK, rows: [{"config_id": "1"}], "next_cursor": "c"},
        {**OK, rows: [{"config_id": "2"}]},
    ]
    got = list(call(make(stub)))
    assert got in (["1", "2"], [{"config_id": "1"}, {"config_id": "2"}])
    first = json.loads(stub.asked(path)[0]["raw"])
    if "start_time" in first:
        assert (first["start_time"], first["end_time"]) == (1, 2)


def test_a_customer_with_more_followers_than_a_page(stub: Stub) -> None:
    stub.answers["externalcontact/get"] = [
        {**OK, "external_contact": {"name": "小王"}, "follow_user": [{"userid": "a"}], "next_cursor": "c1"},
        {**OK, "external_contact": {"name": "小王"}, "follow_user": [{"userid": "b"}], "next_cursor": ""},
    ]
    got = make(stub).external_contact("wm1")
    assert got == {"external_contact": {"name": "小王"}, "follow_user": [{"userid": "a"}, {"userid": "b"}]}
    assert [r["query"].get("cursor") for r in stub.asked("externalcontact/get")] == [None, "c1"]


def test_a_control_character_in_a_name_loses_no_answer(stub: Stub) -> None:
    said = '{"errcode":0,"external_contact":{"name":"小\x1d王\\u0000\\ud83d"},"follow_user":[]}'.encode()
    stub.answers["externalcontact/get"] = [said[:-1] + b',"x":"\xff"}']
    assert make(stub).external_contact("wm1")["external_contact"]["name"] == "小王"


def test_a_cursor_that_stands_still_is_an_error_not_a_loop(stub: Stub) -> None:
    stub.answers["externalcontact/groupchat/list"] = [{**OK, "group_chat_list": [], "next_cursor": "c"}]
    with pytest.raises(Upstream):
        list(make(stub).group_list())


# The token


def test_a_stampede_asks_for_one_token(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight processes of four threads each, all cold, one store; then the token dies under all of them."""
    monkeypatch.undo()  # real waiting: the losers poll
    store = SharedTokens()
    clients = [make(stub, store) for _ in range(8)]
    start = threading.Barrier(32)

    def work(n: int) -> int:
        start.wait()
        clients[n % 8].user_get("lihua")
        return 1

    with ThreadPoolExecutor(32) as threads:
        assert sum(threads.map(work, range(32))) == 32
        assert stub.tokens == len(stub.asked("gettoken")) == 1
        stub.dead.add("AT_1")
        assert sum(threads.map(work, range(32))) == 32
    assert stub.tokens == len(stub.asked("gettoken")) == 2
    assert store.stored is not None and (store.stored.value, store.stored.version) == ("AT_2", 2)


def test_the_threads_of_one_process_read_the_store_once(stub: Stub) -> None:
    store = SharedTokens()
    client = make(stub, store)
    with ThreadPoolExecutor(16) as threads:
        list(threads.map(client.user_get, ["lihua"] * 64))
        assert (store.gets, stub.tokens) == (1, 1)
        stub.dead.add("AT_1")
        list(threads.map(client.user_get, ["lihua"] * 64))
    assert (store.gets, stub.tokens) == (2, 2)


@pytest.mark.parametrize("refusal", [EXPIRED, INVALID])
def test_a_rejected_token_is_refreshed_once_and_the_call_repeated(
    stub: Stub, refusal: dict[str, Any]
) -> None:
    stub.answers["user/get"] = [refusal, {**OK, "name": "李华"}]
    assert make(stub).user_get("lihua")["name"] == "李华"
    assert [r["query"]["access_token"] for r in stub.asked("user/get")] == ["AT_1", "AT_2"]


def test_calls_that_are_not_repeatable_survive_an_expired_token_too(stub: Stub) -> None:
    stub.answers["externalcontact/add_msg_template"] = [EXPIRED, {**OK, "msgid": "msg1"}]
    assert make(stub).add_msg_template({}).msgid == "msg1"


def test_a_token_that_another_process_has_refreshed_is_taken_from_the_store(stub: Stub) -> None:
    store = SharedTokens()
    mine, other = make(stub, store), make(stub, store)
    mine.user_get("a")
    stub.dead.add("AT_1")
    other.user_get("b")
    mine.user_get("c")
    assert stub.tokens == 2
    assert [r["query"]["access_token"] for r in stub.asked("user/get")] == [
        "AT_1",
        "AT_1",
        "AT_2",
        "AT_1",
        "AT_2",
    ]


def test_a_second_rejection_is_an_error_not_a_loop(stub: Stub) -> None:
    stub.answers["user/get"] = [EXPIRED]
    with pytest.raises(WeComError) as error:
        make(stub).user_get("lihua")
    assert (error.value.errcode, error.value.treatment) == (42001, Treatment.REFRESH_TOKEN)
    assert (len(stub.asked("user/get")), stub.tokens) == (2, 2)


def test_a_token_is_renewed_before_it_ends_and_kept_until_then(
    stub: Stub, at: Callable[[datetime], None]
) -> None:
    start = datetime(2026, 11, 22, 10, tzinfo=UTC)
    client = make(stub)
    for seconds, tokens in ((0, 1), (6899, 1), (6901, 2)):
        at(start + timedelta(seconds=seconds))
        client.user_get("lihua")
        assert stub.tokens == tokens


def test_the_old_token_serves_while_another_process_refreshes_or_gettoken_fails(
    stub: Stub, at: Callable[[datetime], None]
) -> None:
    start = datetime(2026, 11, 22, 10, tzinfo=UTC)
    at(start)
    store = SharedTokens()
    client = make(stub, store)
    client.user_get("lihua")
    at(start + timedelta(seconds=7000))
    store.until = start + timedelta(seconds=7010)  # another one is at it
    client.user_get("lihua")
    at(start + timedelta(seconds=7050))
    stub.answers["gettoken"] = [500]
    client.user_get("lihua")
    assert [r["query"]["access_token"] for r in stub.asked("user/get")] == ["AT_1"] * 3
    at(start + timedelta(seconds=7201))  # now it has ended
    with pytest.raises(Upstream):
        client.user_get("lihua")


def test_wecom_may_give_the_rest_of_a_tokens_life(stub: Stub, at: Callable[[datetime], None]) -> None:
    """Asked early WeCom gives the same token again; that must not make each call ask."""
    start = datetime(2026, 11, 22, 10, tzinfo=UTC)
    at(start)
    stub.expires_in = 290
    client = make(stub)
    for _ in range(5):
        client.user_get("lihua")
    assert stub.tokens == 1


def test_a_wrong_secret_is_not_tried_again_and_again(stub: Stub, at: Callable[[datetime], None]) -> None:
    start = datetime(2026, 11, 22, 10, tzinfo=UTC)
    at(start)
    stub.answers["gettoken"] = [{"errcode": 40001, "errmsg": "invalid credential, hint: […]"}]
    forgotten: list[int] = []
    store = SharedTokens()
    clients = [make(stub, store, forget_secret=lambda: forgotten.append(1)) for _ in range(5)]
    with pytest.raises(WeComError) as error:
        clients[0].user_get("lihua")
    assert error.value.treatment is Treatment.CONFIGURE and not error.value.retryable
    for client in clients[1:]:
        with pytest.raises(Upstream):
            client.user_get("lihua")
    assert len(stub.asked("gettoken")) == len(forgotten) == 1
    at(start + timedelta(seconds=11))
    del stub.answers["gettoken"]  # the operator has corrected it
    clients[1].user_get("lihua")


def test_a_gettoken_that_failed_in_passing_gives_the_lock_back(stub: Stub) -> None:
    stub.answers["gettoken"] = [{"errcode": -1, "errmsg": "system error"}]
    store = SharedTokens()
    with pytest.raises(WeComError):
        make(stub, store).user_get("lihua")
    assert len(stub.asked("gettoken")) == 3
    del stub.answers["gettoken"]
    make(stub, store).user_get("lihua")


def test_a_late_refresh_never_replaces_a_newer_token() -> None:
    store = SharedTokens()
    check_store(store)


def check_store(store: TokenStore) -> None:
    now = clock.now()

    def token(value: str, version: int) -> Token:
        return Token(value, now + timedelta(seconds=6900), now + timedelta(seconds=7200), version)

    soon = now + timedelta(seconds=10)
    assert store.get() is None
    assert store.try_lock(0, soon)
    assert not store.try_lock(0, soon + timedelta(seconds=1))
    store.unlock(soon + timedelta(seconds=1))  # not that one's lock
    assert not store.try_lock(0, soon)
    store.unlock(soon)
    assert store.get() is None
    assert store.try_lock(0, soon)
    assert store.put(token("AT_1", 1))
    assert not store.put(token("late", 1))
    assert store.get() == token("AT_1", 1)
    assert not store.try_lock(0, soon)
    assert store.try_lock(1, now - timedelta(seconds=1))  # one that has lapsed …
    assert store.try_lock(1, soon)  # … is free
    assert store.put(token("AT_2", 2))
    assert not store.put(token("late", 1)) and not store.put(token("late", 2))
    assert store.get() == token("AT_2", 2)
    assert store.try_lock(2, soon)


@pytest.mark.usefixtures("tables")
def test_the_store_in_dynamodb_keeps_the_same_conditions() -> None:
    check_store(DynamoTokens("ww1", "1000007"))
    assert AccessToken.find("ww1#1000007").ver == 2
    assert DynamoTokens("ww1", "1000008").get() is None


@pytest.mark.usefixtures("engine")
def test_a_stampede_on_dynamodb_asks_for_one_token(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport.time, "sleep", threading.Event().wait)
    clients = [make(stub, DynamoTokens("ww1", "1000007")) for _ in range(8)]
    start = threading.Barrier(8)

    def work(client: WeCom) -> None:
        start.wait()
        client.user_get("lihua")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, clients))
        assert len(stub.asked("gettoken")) == 1
        stub.dead.add("AT_1")
        list(threads.map(work, clients))
    assert len(stub.asked("gettoken")) == 2


# Errors, retries, lost answers

NOT_REPEATABLE: list[Callable[[WeCom], Any]] = [
    lambda c: c.add_contact_way({}),
    lambda c: c.add_msg_template({}),
    lambda c: c.send_welcome_msg("WC", "hi"),
    lambda c: c.message_send({}),
    lambda c: c.remind("msg1"),
]
REPEATABLE: list[Callable[[WeCom], Any]] = [
    lambda c: c.user_get("lihua"),
    lambda c: c.mark_tag("lihua", "wm1", ["et1"]),
    lambda c: c.update_contact_way("cfg1", {}),
]


def business(client: WeCom) -> int:
    return sum(n for path, n in client.calls.items() if path != "gettoken")


def everywhere(stub: Stub, *answers: Answer) -> None:
    for path in (
        "user/get",
        "externalcontact/mark_tag",
        "externalcontact/update_contact_way",
        "externalcontact/add_contact_way",
        "externalcontact/add_msg_template",
        "externalcontact/send_welcome_msg",
        "externalcontact/remind_groupmsg_send",
        "message/send",
    ):
        stub.answers[path] = list(answers)


LOST: list[Answer] = [
    "drop",
    500,
    502,
    b"<html>busy</html>",
    b"[]",
    {"errcode": -1, "errmsg": "system error"},
]


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_a_lost_answer_is_repeated_where_it_does_no_harm(
    stub: Stub, quick: list[float], lost: Answer
) -> None:
    for call in REPEATABLE:
        client = make(stub)
        everywhere(stub, lost, lost, OK)
        call(client)
        assert business(client) == 3
        everywhere(stub, lost)
        with pytest.raises(Upstream) as error:
            call(client)
        assert error.value.retryable and not isinstance(error.value, AnswerLost)
        assert business(client) == 6
    assert len(quick) == 12 and all(0 < wait <= 0.4 for wait in quick)


@pytest.mark.parametrize("lost", LOST, ids=str)
def test_a_lost_answer_is_told_where_a_second_call_would_do_harm(stub: Stub, lost: Answer) -> None:
    for call in NOT_REPEATABLE:
        client = make(stub)
        everywhere(stub, lost)
        with pytest.raises(AnswerLost):
            call(client)
        assert business(client) == 1


def test_too_many_at_once_is_repeated_for_any_call(stub: Stub, quick: list[float]) -> None:
    busy = {"errcode": 45033, "errmsg": "request api concurrent out of limit"}
    answer = {**OK, "config_id": "cfg", "msgid": "m"}
    for call in NOT_REPEATABLE + REPEATABLE:
        client = make(stub)
        everywhere(stub, busy, answer)
        call(client)
        assert business(client) == 2
        everywhere(stub, busy)
        with pytest.raises(WeComError) as error:
            call(client)
        assert error.value.treatment is Treatment.RETRY and business(client) == 5
    assert quick


def test_a_connection_that_was_never_made_lost_nothing(stub: Stub) -> None:
    client = make(stub)
    client.user_get("lihua")
    stub.stop()
    client._wire._pool.clear()
    for call in NOT_REPEATABLE + REPEATABLE:
        before = business(client)
        with pytest.raises(Upstream) as error:
            call(client)
        assert not isinstance(error.value, AnswerLost)
        assert business(client) == before + 3


@pytest.mark.parametrize(
    ("errcode", "expected"),
    [
        (40001, Treatment.CONFIGURE),
        (40013, Treatment.CONFIGURE),
        (60020, Treatment.CONFIGURE),
        (48002, Treatment.CONFIGURE),
        (45009, Treatment.WAIT),
        (40003, Treatment.DATA),
        (41051, Treatment.DONE),
        (41096, Treatment.RETRY),
        (41063, Treatment.RETRY),
        (50100, Treatment.RESTART),
        (40007, Treatment.REUPLOAD),
        (999999, Treatment.DATA),
    ],
)
def test_an_answer_is_an_answer_and_is_not_asked_for_again(
    stub: Stub, errcode: int, expected: Treatment
) -> None:
    everywhere(stub, {"errcode": errcode, "errmsg": "whatever, from ip: 203.0.113.9"})
    for call in NOT_REPEATABLE + REPEATABLE:
        client = make(stub)
        with pytest.raises(WeComError) as error:
            call(client)
        assert (error.value.errcode, error.value.treatment) == (errcode, expected)
        assert business(client) == 1
    assert (error.value.retry_after == 60) is (expected is Treatment.WAIT)


def test_a_hanging_answer_ends_with_the_deadline(stub: Stub) -> None:
    client = make(stub)
    client.user_get("lihua")
    everywhere(stub, "hang")
    began = clock.now()
    with pytest.raises(AnswerLost):
        client.send_welcome_msg("WC", "hi", deadline=began + timedelta(seconds=0.3))
    with pytest.raises(Upstream):
        client.user_get("lihua", deadline=clock.now() + timedelta(seconds=0.3))
    assert clock.now() - began < timedelta(seconds=4.5)  # without the deadline it is 5 s of reading, each


def test_past_its_deadline_nothing_is_sent(stub: Stub) -> None:
    client = make(stub)
    client.user_get("lihua")
    with pytest.raises(Upstream) as error:
        client.send_welcome_msg("WC", "hi", deadline=clock.now())
    assert not isinstance(error.value, AnswerLost)
    assert not stub.asked("externalcontact/send_welcome_msg")


def test_a_connection_that_slept_is_not_used(stub: Stub, at: Callable[[datetime], None]) -> None:
    start = datetime(2026, 11, 22, 10, tzinfo=UTC)
    at(start)
    client = make(stub)
    client.user_get("lihua")
    cleared: list[int] = []
    client._wire._pool.clear = lambda: cleared.append(1)  # type: ignore[method-assign]
    at(start + timedelta(seconds=59))
    client.user_get("lihua")
    assert not cleared
    at(start + timedelta(seconds=120))
    client.user_get("lihua")
    assert cleared


def test_no_secret_in_logs_or_errors(stub: Stub, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = make(stub)
    told = []
    for lost in (*LOST, {"errcode": 60020, "errmsg": "not allow"}, EXPIRED):
        everywhere(stub, lost)
        for call in NOT_REPEATABLE + REPEATABLE:
            with pytest.raises(Upstream) as error:
                call(client)
            told += [repr(error.value), *traceback.format_exception(error.value)]
    text = caplog.text + "".join(told)
    assert SECRET not in text and "AT_1" not in text and "access_token=" not in text


def test_the_default_client_is_made_of_settings(stub: Stub, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "WECOM_API_BASE": stub.base,
        "WECOM_CORP_ID": "ww9",
        "WECOM_AGENT_ID": "1000009",
    }.items():
        monkeypatch.setenv(name, value)
    secrets = {"secret": "app", "contact_secret": ""}
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: secrets[name])
    monkeypatch.setattr(wecom_client, "DynamoTokens", lambda corp, agent: SharedTokens())
    wecom_client.default_client.cache_clear()
    try:
        wecom_client.default_client().user_get("lihua")
        assert stub.asked("gettoken")[0]["query"] == {"corpid": "ww9", "corpsecret": "app"}
        secrets["contact_secret"] = "contact"
        stub.dead.add("AT_1")
        wecom_client.default_client().user_get("lihua")
        assert stub.asked("gettoken")[1]["query"]["corpsecret"] == "contact"
        # What is refused to the secret for customers goes with the app's own, under its own token.
        wecom_client.default_client().message_send({"touser": "lihua"})
        assert stub.asked("gettoken")[2]["query"]["corpsecret"] == "app"
        wecom_client.default_client().user_get("lihua")
        used = [call["query"]["access_token"] for call in stub.seen if "access_token" in call["query"]]
        assert used[-1] == used[-3] != used[-2]
    finally:
        wecom_client.default_client.cache_clear()
