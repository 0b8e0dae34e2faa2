"""The distributor's page through its doors: who sees money, who collects it, and who is kept out."""

import time
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from chalice.test import Client

from app import app
from chalicelib.collect import service
from chalicelib.distribution import distributors
from chalicelib.distribution.types import Distributor, DistributorPatch
from chalicelib.payouts import payout_list
from chalicelib.platform import settings
from chalicelib.platform.errors import Unauthorized, Upstream
from chalicelib.wechatoa import client as wechatoa
from chalicelib.wechatoa import jssdk
from chalicelib.wechatoa.client import Person
from chalicelib.wechatoa.jssdk import PageConfig
from tests.support.money_world import World, figures, message, paid

WECHAT = {"User-Agent": "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50"}
WECOM = {"User-Agent": "Mozilla/5.0 (iPhone) wxwork/4.1.22 MicroMessenger/7.0.1"}
MINE = "openid-wm1"
HOURS = 3600


@pytest.fixture
def world(
    tables: None, keys: None, at: Callable[..., None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> World:
    monkeypatch.setenv("WECHAT_OA_APP_ID", "wx1")
    monkeypatch.setenv("WECHATPAY_APP_ID", "wx1")
    monkeypatch.setenv("WECHATPAY_MCH_ID", "1900000109")
    return World(at, sent, monkeypatch)


@pytest.fixture
def who(world: World) -> Distributor:
    """With 1,890 fen offered."""
    found = world.distributor(world.plan(), "wm1")
    world.tell(paid("o1", found.share_code), message("o1", "completed", 1))
    world.move(days=9)
    world.settle()
    return found


class Browser:
    """A phone: it keeps its cookies as their paths say, and goes where it is sent."""

    def __init__(self, client: Client, agent: dict[str, str]):
        self.client, self.agent = client, agent
        self.cookies: dict[str, tuple[str, str]] = {}  # name and path → value

    def ask(self, method: str, address: str, form: dict[str, str] | None = None) -> Any:
        path = urlsplit(address).path
        sent = "; ".join(
            f"{name}={value}"
            for (name, of), value in self.cookies.items()
            if path == of or path.startswith(of + "/")
        )
        headers = {**self.agent, **({"Cookie": sent} if sent else {})}
        body = urlencode(form).encode() if form is not None else b""
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        target = address[address.index("/h5") :] if "://" in address else address
        answer = self.client.http.request(method, target, headers=headers, body=body)
        jar: SimpleCookie = SimpleCookie(answer.headers.get("Set-Cookie", ""))
        for name, morsel in jar.items():
            assert morsel["httponly"] and morsel["samesite"] == "Lax"
            self.cookies[name, morsel["path"]] = morsel.value
        return answer

    def get(self, address: str) -> Any:
        return self.ask("GET", address)

    def text(self, address: str) -> str:
        return str(self.get(address).body.decode())

    def sign_in(self, who: Distributor) -> Any:
        """To WeChat and back; the answer that the way back ends in."""
        to = urlsplit(self.get(f"/h5/d/{who.share_code}/login").headers["Location"])
        query = {name: value[0] for name, value in parse_qs(to.query).items()}
        back = urlencode({"code": "CODE", "state": query["state"]})
        return self.get(f"{query['redirect_uri']}?{back}")


@pytest.fixture
def client(world: World) -> Iterator[Client]:
    with Client(app) as made:
        yield made


@pytest.fixture
def phone(client: Client, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The distributor's own."""
    monkeypatch.setattr(jssdk, "config_of", no_ticket)
    monkeypatch.setattr(wechatoa, "person_of", lambda code: Person(MINE))
    return Browser(client, WECHAT)


def no_ticket(url: str) -> Any:
    raise Upstream(code="wechat_silent")


def address(who: Distributor) -> str:
    return f"/h5/d/{who.share_code}"


def test_without_sign_in_there_is_no_money(phone: Browser, who: Distributor) -> None:
    shown = phone.text(address(who))
    assert who.share_code in shown and "¥" not in shown and "18.90" not in shown
    assert "王小明" not in shown  # the real name: the link goes to anybody, and an auditor has it too
    assert f'href="{address(who)}/login"' in shown
    assert "请在微信中打开" in Browser(phone.client, WECOM).text(address(who))


def test_the_distributor_signs_in_and_sees_what_to_collect(phone: Browser, who: Distributor) -> None:
    to = phone.get(f"{address(who)}/login")
    asked = parse_qs(urlsplit(to.headers["Location"]).query)
    assert to.status_code == 303
    assert to.headers["Location"].startswith("https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1&")
    assert asked["redirect_uri"] == [f"http://127.0.0.1:8000{address(who)}/signed-in"]
    assert asked["scope"] == ["snsapi_base"]
    back = phone.sign_in(who)
    assert (back.status_code, back.headers["Location"]) == (303, address(who))
    shown = phone.text(address(who))
    assert "待领取" in shown and "¥18.90" in shown
    assert 'data-mch="1900000109" data-app="wx1" data-package="PKG"' in shown
    assert "请在 12月2日 10:00 前领取" in shown and "24 小时" in shown
    assert "wm-buyer" not in shown and "o1<" not in shown  # nobody who bought


def test_the_page_is_signed_for_the_js_sdk_when_there_is_something_to_collect(
    phone: Browser, world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def config_of(url: str) -> PageConfig:
        asked.append(url)
        return PageConfig("wx1", 1, "N", "SIG")

    monkeypatch.setattr(jssdk, "config_of", config_of)
    phone.sign_in(who)
    answer = phone.get(address(who))
    shown = answer.body.decode()
    assert 'data-config="wx1" data-timestamp="1" data-nonce="N" data-signature="SIG"' in shown
    assert f'<script src="{jssdk.SCRIPT}"></script><script>' in shown
    assert f" {jssdk.SCRIPT};" in answer.headers["Content-Security-Policy"]
    assert asked == [f"http://127.0.0.1:8000{address(who)}"]
    (payout,) = world.payouts()
    world.pay.pay(payout.payout_id)
    world.move(hours=1)
    assert jssdk.SCRIPT not in phone.text(address(who))


@pytest.mark.parametrize("agent", [{}, WECOM])
def test_outside_of_wechat_the_page_says_so(phone: Browser, who: Distributor, agent: dict[str, str]) -> None:
    phone.sign_in(who)
    phone.agent = agent
    assert "请在微信中打开本页领取" in phone.text(address(who))


def test_somebody_elses_wechat_is_kept_out(
    phone: Browser, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wechatoa, "person_of", lambda code: Person("openid-wm2"))
    refused = phone.sign_in(who)
    assert refused.status_code == 403 and "当前微信不是登记的收款微信" in refused.body.decode()
    assert "openid-wm2" in refused.body.decode() and MINE not in refused.body.decode()  # their own
    assert (service.SESSION, address(who)) not in phone.cookies
    assert "¥" not in phone.text(address(who))


def test_a_sign_in_that_was_not_begun_here_is_refused(phone: Browser, who: Distributor) -> None:
    state = "S" * 32
    assert phone.get(f"{address(who)}/signed-in?code=C&state={state}").status_code == 401
    phone.get(f"{address(who)}/login")
    assert phone.get(f"{address(who)}/signed-in?code=C&state={state}").status_code == 401
    assert phone.get(f"{address(who)}/signed-in").status_code == 401
    assert "¥" not in phone.text(address(who))


def test_a_sign_in_is_good_for_the_page_it_was_begun_on(
    phone: Browser, world: World, who: Distributor
) -> None:
    other = world.distributor(world.plan(), "wm2")
    to = urlsplit(phone.get(f"{address(other)}/login").headers["Location"])
    (state,) = parse_qs(to.query)["state"]
    ((_, begun),) = phone.cookies.items()
    phone.cookies[service.LOGIN, address(who)] = begun
    assert phone.get(f"{address(who)}/signed-in?code=C&state={state}").status_code == 401


def test_a_code_that_is_spent_begins_again(
    phone: Browser, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spent(code: str) -> Person:
        raise Unauthorized(code="wechat_sign_in_over")

    monkeypatch.setattr(wechatoa, "person_of", spent)
    assert phone.sign_in(who).status_code == 401


def test_a_session_is_one_distributors_and_ends(phone: Browser, world: World, who: Distributor) -> None:
    phone.sign_in(who)
    other = world.distributor(world.plan(), "wm2")
    cookie = phone.cookies[service.SESSION, address(who)]
    assert service.find_session(who, {service.SESSION: cookie})
    assert service.find_session(other, {service.SESSION: cookie}) is None
    assert service.find_session(who, {service.SESSION: cookie[:-4] + "AAAA"}) is None
    assert service.find_session(who, {service.SESSION: "x"}) is None
    assert "¥" not in phone.text(address(other))
    world.move(hours=12)
    assert "¥" not in phone.text(address(who))


def test_a_session_ends_with_the_openid_that_it_was_of(
    phone: Browser, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone.sign_in(who)
    monkeypatch.setattr(service.distribution, "is_paid_under", lambda *_: False)
    assert "¥" not in phone.text(address(who))


def test_what_lapsed_is_asked_for_and_offered_again(
    phone: Browser, world: World, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (payout,) = world.payouts()
    world.pay.close(payout.payout_id)
    world.move(hours=25)
    phone.sign_in(who)
    shown = phone.text(address(who))
    assert "逾期未领取" in shown and "重新发放</button>" in shown
    assert f'action="{address(who)}/offer"' in shown
    with monkeypatch.context() as of_a_stage:
        of_a_stage.setenv("PUBLIC_BASE_URL", "https://api.example.com/prod")
        assert f'action="/prod{address(who)}/offer"' in phone.text(address(who))
    csrf = shown.partition('name="csrf" value="')[2].partition('"')[0]
    asked = phone.ask("POST", f"{address(who)}/offer", {"csrf": csrf, "payout_id": payout.payout_id})
    assert (asked.status_code, asked.headers["Location"]) == (303, f"{address(who)}?asked=1")
    assert "已提交" in phone.text(f"{address(who)}?asked=1")
    world.work()
    assert figures(who.distributor_id) == {"in_payout": 1_890}
    shown = phone.text(address(who))
    assert "待领取" in shown and "逾期未领取" not in shown
    assert payout_list.get(payout.payout_id).replaced_by is not None


def test_what_lapsed_twice_stands_there_once(phone: Browser, world: World, who: Distributor) -> None:
    """The second settlement took what the first one's payout had given back, and lapsed as well."""
    (first,) = world.payouts()
    world.pay.close(first.payout_id)
    world.move(hours=25)
    world.tell(paid("o2", who.share_code), message("o2", "completed", 2))
    world.move(days=9)
    world.settle()
    second = world.payouts()[1]
    world.pay.close(second.payout_id)
    world.move(hours=25)
    assert figures(who.distributor_id) == {"available": 3_780}
    shown = [(row.stage, row.amount_fen) for row in service.earnings(who).payouts]
    assert shown == [("lapsed", 3_780), ("returned", 1_890)]


def test_what_is_not_theirs_or_not_lapsed_is_not_offered(
    phone: Browser, world: World, who: Distributor, sent: list[Any]
) -> None:
    (payout,) = world.payouts()
    form = {"csrf": "x", "payout_id": payout.payout_id}
    assert phone.ask("POST", f"{address(who)}/offer", form).status_code == 401
    phone.sign_in(who)
    assert phone.ask("POST", f"{address(who)}/offer", form).status_code == 403
    session = service.find_session(who, {service.SESSION: phone.cookies[service.SESSION, address(who)]})
    assert session is not None
    many = {f"a{number}": "1" for number in range(30)}
    assert phone.ask("POST", f"{address(who)}/offer", many).status_code == 403
    for payout_id in (payout.payout_id, "somebodys", ""):  # it waits for its receiver; it is not there
        form = {"csrf": session.csrf_token, "payout_id": payout_id}
        assert phone.ask("POST", f"{address(who)}/offer", form).status_code == 403
    assert sent == []


def test_the_figures_add_up(phone: Browser, world: World, who: Distributor) -> None:
    (payout,) = world.payouts()
    world.pay.pay(payout.payout_id)
    world.move(hours=1)
    world.tell(paid("o2", who.share_code))
    found = service.earnings(who)
    assert (found.earned_fen, found.pending_fen, found.paid_fen) == (3_780, 1_890, 1_890)
    world.tell(message("o1", "closed", 10))
    assert service.earnings(who).earned_fen == 1_890
    assert service.earnings(who).debt_fen == 1_890
    assert [row.stage for row in service.earnings(who).payouts] == ["paid"]


def test_where_the_official_account_is_not_set_up(
    phone: Browser, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECHAT_OA_APP_ID", "")
    assert "login" not in phone.text(address(who))
    assert phone.get(f"{address(who)}/login").status_code == 404


def test_nobodys_page(phone: Browser) -> None:
    for path in ("", "/login", "/signed-in?code=a&state=b"):
        assert phone.get(f"/h5/d/nobody99{path}").status_code == 404
    assert phone.ask("POST", "/h5/d/nobody99/offer", {}).status_code == 404


def test_in_a_trial_the_button_leads_to_the_sandbox(
    phone: Browser, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECHATPAY_API_BASE", "http://127.0.0.1:9")
    phone.sign_in(who)
    phone.agent = {}
    assert 'data-elsewhere="http://127.0.0.1:9/collect/PKG"' in phone.text(address(who))


def test_the_secret_is_not_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    known = (time.monotonic() + HOURS, {"oa_secret": "s3cret"})
    monkeypatch.setitem(settings._secrets, "wechatpay_notify", known)
    monkeypatch.setenv("WECHAT_OA_APP_ID", "wx1")
    monkeypatch.setenv("WECHAT_API_BASE", "http://127.0.0.1:9")
    with pytest.raises(Exception, match="does not answer") as error:
        wechatoa.person_of("C")
    assert "s3cret" not in str(error.value) and error.value.__suppress_context__


def test_who_has_left_recommends_nothing_and_is_paid(
    phone: Browser, who: Distributor, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributors.change(who.distributor_id, DistributorPatch(status="left"))
    shown = phone.text(address(who))
    assert "该推荐已失效" in shown and who.share_code not in shown.replace(address(who), "")
    phone.sign_in(who)
    assert "待领取" in phone.text(address(who))


def test_who_is_frozen_sees_that_it_is_kept(phone: Browser, world: World, who: Distributor) -> None:
    (payout,) = world.payouts()
    world.pay.close(payout.payout_id)
    world.move(hours=25)
    distributors.change(who.distributor_id, DistributorPatch(status="frozen"))
    assert who.share_code in phone.text(address(who))
    phone.sign_in(who)
    shown = phone.text(address(who))
    assert "已暂停发放" in shown and "重新发放</button>" not in shown
