"""Ad campaigns against the sandbox over its own wire: links, clicks, the quota, conversions told once."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import msgspec
import pytest
from chalice.test import Client

from app import app as product
from chalicelib.ads import campaigns, credits, landing, links, quota, reports, rules
from chalicelib.ads.models import AdCampaignItem, AdClickItem, AdConversionItem
from chalicelib.callbacks import service as callbacks
from chalicelib.customers import service as customers
from chalicelib.messaging import service as messaging
from chalicelib.messaging.types import Add
from chalicelib.notices import rules as rules_of_notices
from chalicelib.platform import (
    auth,
    clock,
    declared,
    due,
    listeners,
    queues,
    settings,
    storage,
    timeline,
    works,
)
from chalicelib.platform.errors import Upstream
from chalicelib.platform.timeline_line import Line
from chalicelib.wecom import client as wecom
from chalicelib.wecom import events
from chalicelib.wecom.errors import AnswerLost, WeComError
from infra.sandbox import Config, Sandbox
from infra.sandbox.config import new_private_key

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
PAGE = {"title": "新客礼", "bullets": ["<b>一</b>"], "button": "领取"}
REPORT = {"added": "79", "bought": "10"}


_QUEUES = ("convert", "notify")


class World:
    """The product's consumers run by hand against one sandbox; callbacks as the sandbox words them."""

    def __init__(self, sandbox: Sandbox, sent: list[Any], now: Callable[[datetime], None]) -> None:
        self.sandbox, self.sent, self.moment, self._set = sandbox, sent, NOW, now
        self.key = auth.create_key("test", "operator")
        sandbox.actions.post = self._post  # type: ignore[method-assign]
        self.xml: list[str] = []
        self.go(timedelta(0))

    def _post(self, xml: str, repeat: int = 1, **_: Any) -> dict[str, Any]:
        self.xml += [xml] * repeat
        return {"xml": xml, "statuses": [200] * repeat}

    def go(self, by: timedelta) -> None:
        self.moment += by
        self._set(self.moment)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with Client(product) as client:
            return getattr(client.http, method)(path, headers=headers, body=json.dumps(body or {}).encode())

    def campaign(self, **changes: Any) -> dict[str, Any]:
        body = {"name": "双十一", "platform": "baidu", "staff_ids": ["lihua"], "page": PAGE, "report": REPORT}
        answer = self.call("post", "/api/ad-campaigns", {**body, "credentials": "baidu", **changes})
        assert answer.status_code == 201, answer.body
        self.work()
        return dict(answer.json_body)

    def get(self, campaign: dict[str, Any]) -> dict[str, Any]:
        return dict(self.call("get", f"/api/ad-campaigns/{campaign['ad_campaign_id']}").json_body)

    def work(self, ticks: bool = True) -> int:
        """The queues `convert` and `notify`, and what has fallen due for them."""
        done = 0
        while True:
            if ticks:
                for row in [row for row in due.DueItem.scan() if row.due_at <= clock.iso(self.moment)]:
                    if (queue := works.known()[row.kind].queue) not in _QUEUES:
                        continue
                    self.sent.append((queue, {"kind": row.kind, "due_at": row.due_at, **row.work}, None))
                    row.delete()
            mine = [message for message in self.sent if message[0] in _QUEUES]
            self.sent[:] = [message for message in self.sent if message[0] not in _QUEUES]
            if not mine:
                return done
            for _, message, _ in mine:
                works.do(message)
                done += 1

    def hear(self, times: int = 2) -> list[Line]:
        """WeCom's events, each more than once; and the timeline's new lines to the reactions, as often."""
        seen = self._lines()
        for xml in self.xml:
            for _ in range(times):
                callbacks.handle(events.parse(xml.encode()).to_message())
        self.xml.clear()
        fresh = [line for key, line in self._lines().items() if key not in seen]
        for line in fresh:
            self.react(line, times)
        return fresh

    def react(self, line: Line, times: int = 2) -> None:
        for listener in listeners.known():
            if handler := listener.handlers.get(line.type):
                for _ in range(times):
                    declared.resolve(handler)(line)

    def _lines(self) -> dict[tuple[str, str], Line]:
        rows = list(timeline.TimelineItem.scan())
        return {
            (r.subject, r.sort): Line(r.subject, r.type, clock.parse(r.at), r.sort.split("#", 2)[2], r.data)
            for r in rows
        }

    def visit(self, campaign: dict[str, Any], query: str = "", **headers: str) -> str:
        """The page's button."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with Client(product) as client:
            answer = client.http.get(f"/h5/a/{campaign['url'].rsplit('/', 1)[1]}?{query}", headers=sent)
        assert answer.status_code == 200
        self.seen = text = answer.body.decode()
        return str(text.split('class="go" href="')[1].split('"')[0].replace("&amp;", "&"))

    def told(self, platform: str = "baidu") -> list[dict[str, Any]]:
        return self.sandbox.calls(f"/ads/{platform}/")

    def rows(self, campaign: dict[str, Any], status: str = "") -> list[dict[str, Any]]:
        path = f"/api/ad-conversions?ad_campaign_id={campaign['ad_campaign_id']}"
        path += f"&status={status}" if status else ""
        return list(self.call("get", path).json_body["items"])

    def stats(self, campaign: dict[str, Any]) -> dict[str, int]:
        path = f"/api/ad-campaigns/{campaign['ad_campaign_id']}/stats?from=2026-11-23&to=2026-11-25"
        items = self.call("get", path).json_body["items"]
        return {name: sum(day[name] for day in items) for name in rules.FIGURES}


@pytest.fixture(scope="module")
def pay_keys() -> dict[str, str]:
    """The sandbox would make its own for each test, which takes longer than the test."""
    return {"merchant_private_key": new_private_key(), "platform_private_key": new_private_key()}


@pytest.fixture
def world(
    tables: None,
    pay_keys: dict[str, str],
    sent: list[Any],
    at: Callable[[datetime], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[World]:
    at(NOW)
    sandbox = Sandbox(Config(run_by_itself=False, now=lambda: clock.now(), **pay_keys))
    base = sandbox.start()
    config = sandbox.config
    known = {
        "wecom": {"secret": config.secret},
        "ads": {
            "baidu": json.dumps({"token": config.ads_baidu_token}),
            "tencent": {"access_token": config.ads_tencent_token},
            "generic": {"secret": config.ads_generic_secret},
        },
    }
    monkeypatch.setattr(settings, "_secrets", {g: (1e12, values) for g, values in known.items()})
    monkeypatch.setattr(settings, "forget_secrets", lambda: None)
    for name, value in {
        "WECOM_API_BASE": base, "WECOM_CORP_ID": config.corp_id, "WECOM_AGENT_ID": str(config.agent_id),
        "ADS_API_BASE": f"{base}/ads",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    wecom.default_client.cache_clear()
    try:
        yield World(sandbox, sent, at)
    finally:
        wecom.default_client.cache_clear()
        sandbox.stop()


def live_code(world: World, **changes: Any) -> str:
    body = {
        "name": "投放", "channel": "ad_baidu", "tags": ["渠道/百度"], "welcome": {"text": "您好"},
        "assignment": {"members": [{"staff_id": "lihua"}]}, **changes,
    }  # fmt: skip
    return str(world.call("post", "/api/live-codes", body).json_body["live_code_id"])


def test_from_a_click_to_a_conversion_told_once(world: World) -> None:
    live_code_id = live_code(world)
    campaign = world.campaign(live_code_id=live_code_id)
    (link,) = world.sandbox.world.state.links.values()
    assert link.fields["user_list"] == ["lihua"]
    assert world.get(campaign)["link"]["status"] == "ready" and world.get(campaign)["closed"] is None

    button = world.visit(campaign, "bd_vid=998877&kw=x")
    assert world.visit(campaign, "bd_vid=998877") == button  # a reload
    assert button.startswith(f"{world.sandbox.base_url}/ca/{link.link_id}?customer_channel=ma")
    world.visit(campaign)
    assert (world.stats(campaign)["views"], world.stats(campaign)["clicks"]) == (3, 1)

    assert '<meta property="og:title" content="新客礼">' in world.seen
    plain = world.visit(campaign, "bd_vid=5", User_Agent="Baiduspider")  # of no click
    assert plain == world.visit(campaign, User_Agent="facebookexternalhit/1.1")
    ahead = world.visit(campaign, "bd_vid=6", Sec_Purpose="prefetch;prerender")
    assert AdClickItem.find(ahead.split("=")[1]) is not None  # whoever is led to it asks no second time
    with Client(product) as client:
        path = f"/h5/a/{campaign['url'].rsplit('/', 1)[1]}?bd_vid=7"
        assert client.http.request("HEAD", path).status_code == 200
    assert (world.stats(campaign)["views"], world.stats(campaign)["clicks"]) == (3, 1)
    assert len(list(AdClickItem.scan())) == 2

    person = world.sandbox.actions.acquire(button, name="小王")
    who = person["external_userid"]
    (line,) = [line for line in world.hear() if line.type == "customer_added"]
    assert (line.data["live_code_id"], line.data["channel"]) == (live_code_id, "ad_baidu")
    assert line.data["state"] == person["state"] == button.split("=")[1]
    customer = customers.get(who)
    assert customer is not None and (customer.channel, customer.live_code_id) == ("ad_baidu", live_code_id)
    assert customer.tags == ("渠道/百度",)
    add = Add(code="c", external_userid=who, staff_id="lihua", state=person["state"], at=NOW, received_at=NOW)
    assert messaging._choose(add)[1].text == "您好"
    world.work()
    world.react(line)
    world.work()
    (told,) = world.told()
    (row,) = told["body"]["conversionTypes"]
    assert row["logidUrl"] == f"{campaign['url']}?bd_vid=998877" and row["newType"] == 79
    assert told["response"]["header"]["status"] == 0

    world.sandbox.actions.customer_message("lihua", who, count=3)
    world.hear()
    world.work()
    paid = {
        "order_id": "M1",
        "paid_fen": 9900,
        "external_userid": who,
        "first_order": True,
        "refunded_fen": None,
    }
    order = Line(who, "order_paid", world.moment, "M1", paid)
    world.react(order, 3)
    refund = Line(
        who, "order_refunded", world.moment, "M1#R1", {**paid, "refunded_fen": 900, "first_order": False}
    )
    world.react(refund, 3)
    world.work()
    assert [c["body"]["conversionTypes"][0].get("convertValue") for c in world.told()] == [None, 9900]
    assert {(r["kind"], r["status"]) for r in world.rows(campaign)} == {
        ("added", "sent"), ("chatted", "unreported"), ("bought", "sent"), ("refunded", "unreported")
    }  # fmt: skip
    assert world.stats(campaign) == {
        "views": 3, "clicks": 1, "adds": 1, "chats": 1, "buyers": 1, "orders": 1, "gmv_fen": 9000,
        "reports_sent": 2, "reports_failed": 0, "reports_unknown": 0,
    }  # fmt: skip
    kinds = [row["data"]["kind"] for row in timeline.read(who, 50)[0] if row["type"] == "ad_converted"]
    assert sorted(kinds) == ["added", "bought", "chatted", "refunded"]


def test_a_click_converts_once_in_each_kind_however_often_it_happens(world: World) -> None:
    campaign = world.campaign()
    button = world.visit(campaign, "bd_vid=1")
    token = button.split("=")[1]
    who = world.sandbox.actions.acquire(button)["external_userid"]
    world.hear()
    for minutes in range(3):  # deleted and added again, written again, and somebody with the forwarded link
        at = world.moment + timedelta(minutes=minutes)
        credits.on_added(
            Line(
                who,
                "customer_added",
                at,
                f"d{minutes}",
                {"state": token, "begins": True, "staff_id": "lihua"},
            )
        )
        credits.on_added(
            Line(
                "wmOther",
                "customer_added",
                at,
                f"o{minutes}",
                {"state": token, "begins": True, "staff_id": "lihua"},
            )
        )
        credits.credit_chat(token, who, at)
    world.work()
    assert sorted(row["kind"] for row in world.rows(campaign)) == ["added", "chatted"]
    assert (world.stats(campaign)["adds"], world.stats(campaign)["chats"], len(world.told())) == (1, 1, 1)


def test_an_order_after_the_window_is_not_the_clicks(world: World) -> None:
    campaign = world.campaign(attribution_window="P1D")
    who = world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))["external_userid"]
    world.hear()
    late = {"order_id": "M2", "paid_fen": 1, "external_userid": who, "first_order": True}
    world.react(Line(who, "order_paid", world.moment + timedelta(days=2), "M2", late))
    assert [row["kind"] for row in world.rows(campaign)] == ["added"]


def test_an_orders_click_stays_its_own_when_the_buyer_comes_by_another(world: World) -> None:
    campaign = world.campaign()
    first, second = (world.visit(campaign, f"bd_vid={n}").split("=")[1] for n in (1, 2))
    paid = {"order_id": "M1", "paid_fen": 9900, "external_userid": "wm1", "first_order": True}
    order = Line("wm1", "order_paid", world.moment + timedelta(hours=1), "M1", paid)
    credits.on_added(
        Line(
            "wm1", "customer_added", world.moment, "a", {"state": first, "begins": True, "staff_id": "lihua"}
        )
    )
    credits.on_paid(order)
    world.go(timedelta(minutes=90))
    credits.on_added(
        Line(
            "wm1", "customer_added", world.moment, "b", {"state": second, "begins": True, "staff_id": "lihua"}
        )
    )
    credits.on_paid(order)  # told again
    for _ in range(2):
        refund = {**paid, "refunded_fen": 9900}
        credits.on_refunded(Line("wm1", "order_refunded", world.moment, "M1#R1", refund))
    figures = world.stats(campaign)
    assert (figures["orders"], figures["gmv_fen"]) == (1, 0)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_what_comes_ahead_of_what_it_needs_is_credited_when_that_comes(
    world: World, order: tuple[int, ...]
) -> None:
    """SQS may take a batch in part: a line of the same customer is then ahead of one that comes again."""
    campaign = world.campaign(report={"added": "79"})
    token = world.visit(campaign, "bd_vid=1").split("customer_channel=")[1]
    paid = {"order_id": "M1", "paid_fen": 9900, "external_userid": "wm1", "first_order": True}
    add = {"state": token, "begins": True, "staff_id": "lihua"}
    minute = timedelta(minutes=1)
    lines = [
        Line("wm1", "customer_added", world.moment, "a", add),
        Line("wm1", "order_paid", world.moment + minute, "p", paid),
        Line("wm1", "order_refunded", world.moment + 2 * minute, "r", {**paid, "refunded_fen": 900}),
    ]
    for line in lines:
        timeline.record(line)
    for at in order:
        world.react(lines[at])
    stats = world.stats(campaign)
    assert (stats["adds"], stats["orders"], stats["buyers"], stats["gmv_fen"]) == (1, 1, 1, 9000)
    assert sorted(row["kind"] for row in world.rows(campaign)) == ["added", "bought", "refunded"]


def test_those_without_a_click_id_are_the_campaigns_but_told_to_nobody(world: World) -> None:
    campaign = world.campaign()
    button = world.visit(campaign, "clickid=of-another-platform")
    for _ in range(2):
        world.sandbox.actions.acquire(button)
    world.hear()
    world.work()
    assert [row["status"] for row in world.rows(campaign)] == ["unreported"] * 2
    assert world.stats(campaign)["adds"] == 2 and world.told() == []
    found = [
        c
        for c in world.sandbox.customers()
        if (stored := customers.get(c["external_userid"])) and stored.channel == "ad"
    ]
    assert len(found) == 2


def test_the_other_platforms(world: World) -> None:
    hook = {"report_url": f"{world.sandbox.base_url}/ads/generic/hook", "credentials": "generic"}
    for platform, event, more in (
        ("oceanengine", "form", {"credentials": None}),
        ("tencent", "SCANCODE", {"credentials": "tencent"}),
        ("generic", "add", hook),
    ):
        campaign = world.campaign(platform=platform, report={"added": event}, **more)
        world.sandbox.actions.acquire(world.visit(campaign, f"{rules.CLICK_IDS[platform][0]}=abc123"))
        world.hear()
        world.work()
        assert [(row["status"], row["reason"]) for row in world.rows(campaign)] == [("sent", None)], platform
        assert len(world.told(platform)) == 1


def test_a_refusal_is_kept_and_can_be_told_again_by_hand(world: World) -> None:
    campaign = world.campaign()
    world.sandbox.fault("/ads/baidu", "status", 400)
    world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))
    world.hear()
    world.work()
    (row,) = world.rows(campaign, "refused")
    assert row["reason"] == "http 400" and world.stats(campaign)["reports_failed"] == 1
    again = f"/api/ad-conversions/{row['conversion_id']}/retry"
    assert world.call("post", again).json_body["status"] == "waiting"
    assert world.call("post", again).status_code == 409
    world.work()
    assert [r["status"] for r in world.rows(campaign)] == ["sent"]
    figures = world.stats(campaign)
    assert (figures["reports_sent"], figures["reports_failed"]) == (1, 0)
    assert world.call("post", "/api/ad-conversions/cvnone/retry").status_code == 404


def test_an_outage_is_waited_for_then_given_up_into_the_dead_letters(world: World, logged: Any) -> None:
    campaign = world.campaign()
    world.sandbox.fault("/ads/baidu", "status", 503, times=None)
    world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=778899"))
    world.hear()
    world.work()
    (row,) = world.rows(campaign, "waiting")
    assert (row["tries"], row["reason"]) == (1, "http 503")
    reports.report(row["conversion_id"])  # too early: no call
    assert len(world.told()) == 1
    with pytest.raises(reports.GivenUp):
        while True:
            world.go(timedelta(hours=6))
            assert world.work()
    (row,) = world.rows(campaign, "failed")
    assert row["tries"] == rules.MAX_TRIES == len(world.told())
    with pytest.raises(reports.GivenUp):  # until it lies in the dead-letter queue, without a call
        reports.report(row["conversion_id"])
    assert len(world.told()) == rules.MAX_TRIES
    world.sandbox.faults.clear()
    world.call("post", f"/api/ad-conversions/{row['conversion_id']}/retry")
    world.work()
    assert [r["status"] for r in world.rows(campaign)] == ["sent"]
    assert "778899" not in logged.getvalue()


def test_a_lost_answer_is_asked_for_again_only_where_a_repeat_is_known(world: World) -> None:
    for platform, kind, event, calls, status in (
        ("tencent", "bought", "PURCHASE", 2, "sent"),
        ("baidu", "added", "79", 2, "sent"),
        ("baidu", "bought", "10", 1, "unknown"),
    ):
        campaign = world.campaign(platform=platform, report={kind: event}, credentials=platform)
        button = world.visit(campaign, f"{rules.CLICK_IDS[platform][0]}=1")
        who = world.sandbox.actions.acquire(button)["external_userid"]
        world.sandbox.recorder.clear()
        world.sandbox.fault(f"/ads/{platform}", "lost")
        world.hear()
        order_id = f"M-{platform}-{kind}"
        paid = {"order_id": order_id, "paid_fen": 9900, "external_userid": who, "first_order": True}
        world.react(Line(who, "order_paid", world.moment, order_id, paid))
        world.work()
        world.go(timedelta(minutes=2))
        world.work()
        assert [r["status"] for r in world.rows(campaign) if r["kind"] == kind] == [status]
        assert len(world.told(platform)) == calls


def test_an_operator_hears_of_a_lost_answer_and_decides_it_with_one_call(world: World) -> None:
    campaign = world.campaign(alert_staff_ids=["boss"], report={"bought": "10"})
    who = world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))["external_userid"]
    world.hear()
    for order_id in ("M1", "M2"):
        world.sandbox.fault("/ads/baidu", "lost")
        paid = {"order_id": order_id, "paid_fen": 9900, "external_userid": who, "first_order": False}
        world.react(Line(who, "order_paid", world.moment, order_id, paid))
        world.work()
    heard = [c["body"]["text"]["content"] for c in world.sandbox.calls("message/send")]
    assert heard and all("核对" in text and "双十一" in text for text in heard)
    assert world.stats(campaign)["reports_unknown"] == 2
    there, lost = (f"/api/ad-conversions/{row['conversion_id']}" for row in world.rows(campaign, "unknown"))
    answer = world.call("post", f"{there}/sent").json_body
    assert (answer["status"], answer["reason"]) == ("sent", None) and answer["sent_at"]
    assert world.call("post", f"{there}/sent").status_code == 409
    assert world.call("post", f"{there}/retry").status_code == 409
    assert world.call("post", f"{lost}/retry").json_body["status"] == "waiting"
    assert world.call("post", f"{lost}/sent").status_code == 409
    world.work()
    assert len(world.told()) == 3
    figures = world.stats(campaign)
    assert (figures["reports_sent"], figures["reports_unknown"]) == (2, 0)
    assert world.call("post", "/api/ad-conversions/cvnone/sent").status_code == 404


def test_a_sender_that_died_after_its_call_is_taken_for_a_lost_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.campaign(report={"bought": "10", "added": "79"})
    who = world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))["external_userid"]
    world.hear()
    paid = {"order_id": "M1", "paid_fen": 9900, "external_userid": who, "first_order": True}
    world.react(Line(who, "order_paid", world.moment, "M1", paid))
    with monkeypatch.context() as patch:
        patch.setattr(reports, "_settle", lambda *_: (_ for _ in ()).throw(SystemExit))
        for row in world.rows(campaign):
            with pytest.raises(SystemExit):
                reports.report(row["conversion_id"])
    rows = world.rows(campaign)
    for minutes in (1, 2):  # at first the sender is waited for
        world.go(timedelta(minutes=minutes))
        for row in rows:
            reports.report(row["conversion_id"])
    assert {r["kind"]: r["status"] for r in world.rows(campaign)} == {"added": "sent", "bought": "unknown"}
    assert len(world.told()) == 3  # the add twice, which Baidu counts once


def test_credentials_that_come_late(world: World) -> None:
    campaign = world.campaign(credentials="baidu-new")
    world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))
    world.hear()
    world.work()
    assert world.rows(campaign)[0]["reason"] == "no credentials" and not world.told()
    settings._secrets["ads"][1]["baidu-new"] = settings._secrets["ads"][1]["baidu"]
    world.go(timedelta(minutes=2))
    world.work()
    assert world.rows(campaign)[0]["status"] == "sent"


# The switch-over


def test_a_used_up_quota_switches_over_at_once_tells_once_and_comes_back(world: World) -> None:
    live_code_id = live_code(world)
    campaign = world.campaign(fallback_live_code_id=live_code_id, alert_staff_ids=["boss"])
    world.sandbox.actions.buy_quota(-999)
    world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))
    world.hear(3)
    fallback = f"http://127.0.0.1:8000/s/{live_code_id.removeprefix('lc_')}?ad={campaign_code(campaign)}"
    assert world.visit(campaign, "bd_vid=2").startswith(fallback)
    assert world.get(campaign)["closed"] == "quota_exhausted"
    world.work()
    told = world.sandbox.calls("message/send")
    assert [c["body"]["touser"] for c in told] == ["boss"] and "已用完" in told[0]["body"]["text"]["content"]
    assert world.call("get", "/api/ad-quota").json_body["balance"] == 0
    with pytest.raises(ValueError):
        world.sandbox.actions.acquire(f"{world.get(campaign)['link']['url']}?customer_channel=x")

    world.go(timedelta(minutes=5))
    world.sandbox.actions.buy_quota(50)
    world.hear(3)
    assert "/ca/" in world.visit(campaign, "bd_vid=2")
    world.work()
    quota = world.call("get", "/api/ad-quota").json_body
    assert (quota["total"], quota["balance"], quota["exhausted"]) == (1, 50, False)
    assert quota["expiring"][0]["balance"] == 50
    assert len(world.sandbox.calls("message/send")) == 2


def test_adds_by_the_fallback_are_told_of_by_their_very_clicks(world: World) -> None:
    campaign = world.campaign(staff_ids=[], live_code_id=live_code(world))
    shown = {}
    for query in ("bd_vid=1", "bd_vid=2", "", "bd_vid=3"):
        link = world.visit(campaign, query)
        with Client(product) as client:
            path = link.removeprefix("http://127.0.0.1:8000")
            answer = client.http.get(path, headers={"Accept": "application/json"})
        shown[query] = answer.json_body["qr_url"]
    people = {}
    for query in ("bd_vid=2", "", "bd_vid=1"):  # in another order than they came in, one of them not at all
        people[query] = world.sandbox.actions.add(qr_code=shown[query])["external_userid"]
    world.hear()
    paid = {"order_id": "M1", "paid_fen": 9900, "external_userid": people["bd_vid=1"], "first_order": True}
    world.react(Line(people["bd_vid=1"], "order_paid", world.moment, "M1", paid))
    world.work()
    assert {(r["external_userid"], r["kind"], r["status"]) for r in world.rows(campaign)} == {
        (people["bd_vid=1"], "added", "sent"), (people["bd_vid=1"], "bought", "sent"),
        (people["bd_vid=2"], "added", "sent"), (people[""], "added", "unreported"),
    }  # fmt: skip
    told = [c["body"]["conversionTypes"][0] for c in world.told()]
    assert sorted((t["logidUrl"].split("?")[1], t["newType"]) for t in told) == [
        ("bd_vid=1", 10), ("bd_vid=1", 79), ("bd_vid=2", 79)
    ]  # fmt: skip
    assert (world.stats(campaign)["adds"], world.stats(campaign)["orders"]) == (3, 1)


def test_what_a_scan_link_calls_an_ad_and_is_none_counts_for_nobody(world: World) -> None:
    code = live_code(world).removeprefix("lc_")
    for ad in ("ma2345678x", "maAAAAAAAA", "%3Cscript%3E", "mrabc"):
        with Client(product) as client:
            answer = client.http.get(f"/s/{code}?ad={ad}", headers={"Accept": "application/json"})
        world.sandbox.actions.add(qr_code=answer.json_body["qr_url"])
    assert len([line for line in world.hear() if line.type == "customer_added"]) == 4
    assert not list(AdConversionItem.scan())


def test_the_quota_is_asked_for_each_hour_while_a_campaign_runs(world: World) -> None:
    campaign = world.campaign()
    world.sandbox.world.state.acquisition_balance = 0  # and its event was lost
    for _ in range(3):
        world.go(timedelta(hours=1))
        world.work()
    assert len(world.sandbox.calls("acquisition_quota")) == 3
    assert world.get(campaign)["closed"] == "quota_exhausted"
    world.call("delete", f"/api/ad-campaigns/{campaign['ad_campaign_id']}")
    for _ in range(3):
        world.go(timedelta(hours=1))
        world.work()
    assert len(world.sandbox.calls("acquisition_quota")) == 3


def test_a_check_that_an_event_asks_for_is_tried_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = world.campaign()
    world.go(timedelta(seconds=1.7))
    quota.check()
    world.sandbox.actions.buy_quota(-9999)  # in the same second, as events tell time
    world.hear(1)
    assert world.get(campaign)["closed"] == "quota_exhausted"

    def down(**_: Any) -> Any:
        raise WeComError("acquisition_quota", 45009)

    monkeypatch.setattr(wecom.default_client(), "acquisition_quota", down)
    works.do({"kind": "ad_quota", "subject": "quota"})  # the hourly one has time
    with pytest.raises(Upstream):
        world.work()


def test_older_news_of_the_quota_changes_nothing(world: World) -> None:
    world.campaign()
    quota.mark_exhausted(NOW)
    quota.mark_increased(NOW + timedelta(seconds=5))
    quota.mark_exhausted(NOW + timedelta(seconds=1))
    assert quota.get().exhausted is False


def test_a_link_that_goes_bad_switches_its_own_page_and_a_change_mends_it(world: World) -> None:
    live_code_id = live_code(world)
    other = world.campaign()
    for action, why in (("break_link", "link_unavailable"), ("remove_link", "link_deleted")):
        campaign = world.campaign(live_code_id=live_code_id, alert_staff_ids=["boss"], name=why)
        world.sandbox.recorder.clear()
        getattr(world.sandbox.actions, action)(campaign_link(campaign))
        world.hear(3)
        assert "/s/" in world.visit(campaign) and "/ca/" in world.visit(other)
        assert world.get(campaign)["closed"] == why
        world.work()
        world.go(rules_of_notices.WINDOW)  # the word of the second one waits for more
        world.work()
        assert len(world.sandbox.calls("message/send")) == 1
        world.go(timedelta(seconds=1))
        change = {"staff_ids": ["lihua", "wangwu"]}
        world.call("patch", f"/api/ad-campaigns/{campaign['ad_campaign_id']}", change)
        world.work()
        assert "/ca/" in world.visit(campaign)
        link = world.sandbox.world.state.links[campaign_link(campaign)]
        assert link.fields["user_list"] == ["lihua", "wangwu"]


def test_a_link_that_goes_bad_while_it_is_updated_is_not_taken_for_mended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.campaign()
    client, went = wecom.default_client(), {"link_unavailable": "break_link", "link_deleted": "remove_link"}
    through = client.update_link
    for why, action in went.items():

        def slow(link_id: str, *given: Any, action: str = action, **more: Any) -> Any:
            answer = through(link_id, *given, **more)
            for _ in range(2):  # also when it is the second word of it
                world.go(timedelta(seconds=1))
                links.mark_lost(link_id, "link_unavailable", world.moment)
            getattr(world.sandbox.actions, action)(link_id)
            world.hear()
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(client, "update_link", slow)
            world.call("patch", f"/api/ad-campaigns/{campaign['ad_campaign_id']}", {"name": why})
            world.work()
        assert world.get(campaign)["closed"] == why
        item = campaigns.load(campaign["ad_campaign_id"])
        assert item.told_version == item.version


def test_a_late_word_from_before_the_mend_closes_nothing(world: World) -> None:
    campaign = world.campaign()
    broke = world.moment
    world.go(timedelta(minutes=5))
    world.call("patch", f"/api/ad-campaigns/{campaign['ad_campaign_id']}", {"staff_ids": ["wangwu"]})
    world.work()
    links.mark_lost(campaign_link(campaign), "link_unavailable", broke)
    assert world.get(campaign)["closed"] is None
    links.mark_lost(
        campaign_link(campaign), "link_unavailable", world.moment
    )  # the second of the mend: in doubt
    assert world.get(campaign)["closed"] == "link_unavailable"


def test_a_link_that_goes_bad_before_its_making_is_stored_is_closed_in_a_minute(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = wecom.default_client()
    through = client.create_link

    def slow(*given: Any, **more: Any) -> Any:
        made = through(*given, **more)
        world.go(timedelta(seconds=1))
        world.sandbox.actions.break_link(made.link_id)
        world.hear()
        return made

    monkeypatch.setattr(client, "create_link", slow)
    campaign = world.campaign()
    assert world.get(campaign)["closed"] is None
    links.mark_lost("ca_of_others", "link_unavailable", world.moment)
    world.go(timedelta(minutes=1))
    world.work()
    assert world.get(campaign)["closed"] == "link_unavailable"


def campaign_code(campaign: dict[str, Any]) -> str:
    return "ma" + str(campaign["ad_campaign_id"].removeprefix("ac_"))


def campaign_link(campaign: dict[str, Any]) -> str:
    return str(campaigns.load(campaign["ad_campaign_id"]).link_id)


def test_nobody_to_add_and_no_fallback_is_told_kindly(world: World) -> None:
    campaign = world.campaign(staff_ids=[])
    assert world.get(campaign)["closed"] == "no_staff" and not world.sandbox.world.state.links
    with Client(product) as client:
        answer = client.http.get(f"/h5/a/{campaign['url'].rsplit('/', 1)[1]}")
        assert answer.status_code == 200 and 'class="go"' not in answer.body.decode()
        assert client.http.get("/h5/a/nowhere1").status_code == 404
        assert client.http.get("/h5/a/%00").status_code == 404


# Links


def test_a_lost_answer_makes_no_second_link(world: World) -> None:
    world.sandbox.fault("create_link", "lost")
    campaign = world.campaign()
    assert len(world.sandbox.world.state.links) == 1
    assert world.get(campaign)["link"]["status"] == "ready"
    assert len(world.sandbox.calls("create_link")) == 1


def test_a_maker_that_died_after_its_call_makes_no_second_link(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(links, "_store", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            world.campaign()
    (item,) = AdCampaignItem.by_creation.query("ad_campaign")
    links.sync(item.ad_campaign_id)
    links.sync(item.ad_campaign_id)
    assert len(world.sandbox.world.state.links) == 1
    assert campaigns.get(item.ad_campaign_id).link.status == "ready"


def test_a_refusal_is_shown_and_a_change_tries_again(world: World) -> None:
    world.sandbox.settings(acquisition_link_limit=0)
    campaign = world.campaign(alert_staff_ids=["boss"])
    assert world.get(campaign)["link"] == {
        "status": "refused",
        "link_id": None,
        "url": None,
        "errcode": 41095,
    }
    assert len(world.sandbox.calls("message/send")) == 1
    world.sandbox.settings(acquisition_link_limit=9)
    world.call("patch", f"/api/ad-campaigns/{campaign['ad_campaign_id']}", {"name": "再来"})
    world.work()
    assert world.get(campaign)["link"]["status"] == "ready" and world.get(campaign)["link"]["errcode"] is None


def test_archiving_deletes_the_link_and_keeps_the_page(world: World) -> None:
    live_code_id = live_code(world)
    campaign = world.campaign(live_code_id=live_code_id)
    path = f"/api/ad-campaigns/{campaign['ad_campaign_id']}"
    assert world.call("delete", path).json_body["active"] is False
    world.work()
    assert not world.sandbox.world.state.links and "/s/" in world.visit(campaign)
    assert world.call("get", "/api/ad-campaigns").json_body["items"] == []
    assert world.call("patch", path, {"name": "x"}).status_code == 409


def test_a_message_from_somebody_without_a_state_is_asked_for(world: World) -> None:
    campaign = world.campaign()
    person = world.sandbox.actions.acquire(world.visit(campaign, "bd_vid=1"))
    world.hear()
    world.sandbox.actions.customer_message("lihua", person["external_userid"], count=3)
    world.xml = [
        xml.replace(f"<State><![CDATA[{person['state']}]]></State>", "")
        for xml in world.xml
        if "message_from" in xml
    ]
    world.hear()
    assert ("chatted", person["external_userid"]) in {
        (r["kind"], r["external_userid"]) for r in world.rows(campaign)
    }
    assert len(world.sandbox.calls("get_chat_info")) == 2


# Bad input


BAD = [
    ({"platform": "google"}, "platform"),
    ({"staff_ids": [f"u{n}" for n in range(501)]}, "staff_ids"),
    ({"staff_ids": ["no spaces"]}, "staff_ids"),
    ({"page": {"title": ""}}, "page.title"),
    ({"page": {**PAGE, "image_url": "javascript:x"}}, "page.image_url"),
    ({"page": {**PAGE, "bullets": ["x"] * 7}}, "page.bullets"),
    ({"report": {"added": "form"}}, "report.added"),
    ({"credentials": None}, "credentials"),
    ({"credentials": "../x y"}, "credentials"),
    ({"report_url": "https://x.example.com/"}, "report_url"),
    ({"platform": "generic", "report_url": "https://127.0.0.1/"}, "report_url"),
    ({"platform": "generic", "report": {"added": "x"}}, "report_url"),
    ({"attribution_window": "P91D"}, "attribution_window"),
    ({"attribution_window": "1 day"}, "attribution_window"),
    ({"live_code_id": "lc_nowhere1"}, "live_code_id"),
    ({"fallback_live_code_id": "lc_nowhere1"}, "fallback_live_code_id"),
]  # fmt: skip


def test_bad_input_names_its_field(world: World) -> None:
    body = {"name": "x", "platform": "baidu", "staff_ids": ["lihua"], "page": PAGE, "report": REPORT}
    for change, field in BAD:
        answer = world.call("post", "/api/ad-campaigns", {**body, "credentials": "baidu", **change})
        assert answer.status_code == 422 and field in str(answer.json_body["errors"]), change
    assert not list(AdCampaignItem.scan()) and not list(due.DueItem.scan())


def test_lists_and_days_are_checked(world: World) -> None:
    campaign = world.campaign()
    path = f"/api/ad-campaigns/{campaign['ad_campaign_id']}"
    for asked, status in {
        "/api/ad-conversions": 422, f"/api/ad-conversions?ad_campaign_id={campaign['ad_campaign_id']}&status=x": 422,
        "/api/ad-conversions?ad_campaign_id=ac_nowhere1": 404, "/api/ad-conversions?ad_campaign_id=%23quota": 404,
        f"{path}/stats?from=x": 422, f"{path}/stats?from=2026-11-02&to=2026-11-01": 422, f"{path}/stats?from=2020-01-01": 422,
        "/api/ad-campaigns/%23quota": 404, "/api/ad-campaigns/ac_nowhere1": 404,
    }.items():  # fmt: skip
        assert world.call("get", asked).status_code == status, asked
    assert world.call("patch", path, {"platform": "tencent"}).status_code == 422


def test_the_page_lets_nothing_in(world: World) -> None:
    campaign = world.campaign(
        page={
            **PAGE,
            "title": "<script>alert(1)</script>",
            "image_url": "https://cdn.example.com;x/a.png?\"'",
        }
        | {"image_url": "https://cdn.example.com/a.png"}
    )
    with Client(product) as client:
        answer = client.http.get(f"/h5/a/{campaign['url'].rsplit('/', 1)[1]}?bd_vid=%22%3E%3Cscript%3E")
    text, headers = answer.body.decode(), answer.headers
    assert "<script" not in text and "&lt;b&gt;一" in text and len(answer.body) < 30_000
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "img-src data: https://cdn.example.com;" in policy
    assert headers["Cache-Control"] == "no-store"


# Costs, and what fails


def test_requests_of_a_visit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    campaign = world.campaign()
    code = campaign["url"].rsplit("/", 1)[1]
    asked: list[str] = []
    storage.connection().client.meta.events.register(
        "before-call.dynamodb", lambda model, **_: asked.append(model.name)
    )
    landing.visit(code, {"bd_vid": "1"})
    assert asked == ["BatchGetItem", "TransactWriteItems"]
    asked.clear()
    landing.visit(code, {})
    assert asked == ["BatchGetItem", "UpdateItem"]


def test_what_may_pass_is_raised_for_the_queue(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    class Down:
        def create_link(self, *_: Any, **__: Any) -> Any:
            raise AnswerLost("create_link")

        def list_link(self, **_: Any) -> Any:
            raise WeComError("list_link", 45009)

        def get_follow_user_list(self, **_: Any) -> Any:
            raise WeComError("get_follow_user_list", 45009)

    with monkeypatch.context() as patch:
        patch.setattr(wecom, "default_client", Down)
        with pytest.raises(Upstream):
            world.campaign()


def test_a_queue_that_is_down_keeps_nothing_from_falling_due(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: Any, **__: Any) -> None:
        raise Upstream("no")

    with monkeypatch.context() as patch:
        patch.setattr(queues, "send", down)
        body = {
            "name": "x",
            "platform": "oceanengine",
            "staff_ids": ["lihua"],
            "page": PAGE,
            "report": {"added": "form"},
        }
        assert world.call("post", "/api/ad-campaigns", body).status_code == 201
        world.work()
        (item,) = AdCampaignItem.by_creation.query("ad_campaign")
        shown = msgspec.to_builtins(campaigns.get(item.ad_campaign_id))
        world.sandbox.actions.acquire(world.visit(shown, "clickid=abc"))
        patch.setattr(
            queues, "send", lambda queue, *_, **__: None if queue in ("push", "lakewrite") else down()
        )
        world.hear()
        world.work()
    assert [row["status"] for row in world.rows(shown)] == ["sent"]
