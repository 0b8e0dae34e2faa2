"""Each write route leaves an entry in the audit, or is named here as one that does not, and why."""

import json
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from chalice.test import Client
from test_roles import ROUTES

from app import app
from chalicelib.ads.models import AdCampaignItem, AdConversionItem
from chalicelib.channels.models import ChannelItem
from chalicelib.coupons.models import CouponItem
from chalicelib.customers import models
from chalicelib.customers.rules import Customer, Follow
from chalicelib.distribution import distributors
from chalicelib.distribution.models import DistributorItem, PlanItem
from chalicelib.distribution.types import NewDistributor
from chalicelib.groups import blacklist
from chalicelib.groups.models import TaskItem
from chalicelib.ledger import rules as journals
from chalicelib.ledger import service as ledger
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes.models import LiveCodeItem
from chalicelib.messaging.models import MissedWelcomeItem
from chalicelib.payouts.models import PayoutItem
from chalicelib.platform import auth, clock, deadletters, files, jobs, settings
from chalicelib.platform.storage import Transaction
from chalicelib.posters.models import PosterTemplateItem
from chalicelib.printruns.models import CardItem, PrintRunItem
from chalicelib.prospects.models import GuideItem, ImportItem, ProspectItem, placed
from chalicelib.segments.models import SegmentItem
from chalicelib.sops.models import SopItem
from chalicelib.views.models import ViewItem
from infra import build
from tests.support.scan_support import FakeWeCom, definition, new_process

STORE = {"store_id": "s1", "name": "One", "latitude": 22.5, "longitude": 113.9}
USER = {"staff_id": "bo", "role": "guide"}
NOW = "2026-11-23T04:00:00.000000+00:00"
KEY = "0" * 64
PNG = b"\x89PNG\r\n\x1a\n"
POSTER = {"name": "x", "width": 720, "height": 720, "layers": [{"type": "qr", "x": 0, "y": 0, "size": 720}]}
RUN, ORDER = {"print_run_id": "pr_AAAA"}, {"order_id": "M1"}
CARD = {**RUN, "number": "1"}
CODE = {"name": "Card", "assignment": {"members": [{"staff_id": "a"}]}}
OPEN = {"live_code_id": "lc_open"}
VIEW = {"view_id": "01VIEW"}
AD_CAMPAIGN = {"name": "x", "platform": "baidu", "staff_ids": ["a"], "page": {"title": "x"}}
PROSPECT = "abcdefgh234567abcdefgh2345"
PROSPECTS = {"name": "x", "staff": {"staff_ids": ["a"]}, "consent": "agreed in the shop"}
IDS = (  # of what a route makes
    *("distributor_id", "plan_id", "settlement_id"),
    *("api_key_id", "pool_id", "print_run_id", "template_id", "ad_campaign_id", "import_id", "prospect_id"),
    *("job_id", "live_code_id", "sop_id", "channel_id", "segment_id"),
    *("job_id", "live_code_id", "sop_id", "view_id"),
)
PLAN = {
    "name": "p",
    "created_at": "2026",
    "rates": [1000],
    "mature_after": "P7D",
    "attribution_window": "P30D",
    "minimum_payout_fen": 100,
    "withhold_tax": True,
}
DISTRIBUTOR = {
    "listing": "distributor",
    "share_code": "1",
    "name": "王",
    "openid": "o1",
    "plan_id": "plan_1",
    "external_userid": "wm9",
    "status": "active",
    "created_at": "2026",
}
STEP = {"step_id": "a", "delivery": "mass_send", "content": [{"type": "text", "text": "call 13800138000"}]}
SOP = {"name": "n", "trigger": {"event": "customer_added"}, "steps": [STEP]}
# route → (its path's ids, the body, the action and the object of its entry)
PLAYED: dict[str, tuple[dict[str, str], Any, str, str | None]] = {
    "POST /api/users": ({}, {"staff_id": "an", "role": "guide"}, "users.create", "an"),
    "PATCH /api/users/{staff_id}": ({"staff_id": "bo"}, {"role": "operator"}, "users.change", "bo"),
    "POST /api/api-keys": ({}, {"name": "x", "role": "finance"}, "keys.create", None),
    "DELETE /api/api-keys/{api_key_id}": ({"api_key_id": KEY}, None, "keys.revoke", KEY),
    "DELETE /api/sessions/{session_id}": ({"session_id": KEY}, None, "sessions.end", "bo"),
    "POST /api/channels": ({}, {"name": "x"}, "channels.create", None),
    "PATCH /api/channels/{channel_id}": ({"channel_id": "ch_1"}, {"name": "y"}, "channels.change", "ch_1"),
    "DELETE /api/channels/{channel_id}": ({"channel_id": "ch_1"}, None, "channels.delete", "ch_1"),
    "POST /api/tag-groups": ({}, {"name": "x", "tags": [{"name": "y"}]}, "tag_groups.create", "x"),
    "PATCH /api/tag-groups/{tag_group_id}": (
        {"tag_group_id": "etg1"},
        {"tags": [{"name": "b"}]},
        "tag_groups.change",
        "etg1",
    ),
    "DELETE /api/tag-groups/{tag_group_id}": (
        {"tag_group_id": "etg1"},
        None,
        "tag_groups.delete",
        "etg1",
    ),
    "POST /api/tags/sync": ({}, None, "tags.sync", None),
    "POST /api/segments": ({}, {"name": "x", "rule": {"all": []}}, "segments.create", None),
    "PATCH /api/segments/{segment_id}": ({"segment_id": "seg_1"}, {"name": "y"}, "segments.change", "seg_1"),
    "DELETE /api/segments/{segment_id}": ({"segment_id": "seg_1"}, None, "segments.delete", "seg_1"),
    "POST /api/stores": ({}, {**STORE, "store_id": "s2"}, "stores.create", "s2"),
    "PATCH /api/stores/{store_id}": ({"store_id": "s1"}, {"name": "Eins"}, "stores.change", "s1"),
    "DELETE /api/stores/{store_id}": ({"store_id": "s1"}, None, "stores.delete", "s1"),
    "POST /api/stores/import": (
        {},
        b"store_id,name,latitude,longitude\ns3,Drei,22.5,113.9\n",
        "stores.import",
        "s3",
    ),
    "POST /api/stores/rebuild": ({}, None, "stores.rebuild", None),
    "POST /api/staff/sync": ({}, None, "staff.sync", "staff"),
    "POST /api/groups/sync": ({}, {"owners": ["a"]}, "groups.sync", None),
    "POST /api/imports": ({}, {}, "imports.start", None),
    "PUT /api/blacklist/{external_userid}": (
        {"external_userid": "wm1"},
        {"reason": "13800138000"},
        "blacklist.put",
        "wm1",
    ),
    "DELETE /api/blacklist/{external_userid}": (
        {"external_userid": "wm2"},
        None,
        "blacklist.remove",
        "wm2",
    ),
    "PUT /api/staff/ramp": (
        {},
        {"steps": [{"until_day": 7, "daily_cap": 5}]},
        "settings.change",
        "staff_ramp",
    ),
    "PUT /api/staff/{staff_id}": ({"staff_id": "a"}, {"daily_cap": 5}, "staff.limit", "a"),
    "PUT /api/settings/alarms": ({}, {"roles": ["admin"]}, "settings.change", "alarms"),
    "PUT /api/churn/settings": ({}, {"risk": {"all": []}}, "settings.change", "churn"),
    "PUT /api/settings/welcome": ({}, {"text": "hello 13800138000"}, "settings.change", "welcome"),
    "POST /api/jobs/{job_id}/resume": ({"job_id": "job_1"}, None, "jobs.resume", "job_1"),
    "POST /api/dead-letters/{queue}/redrive": ({"queue": "assign"}, None, "dead_letters.redrive", "assign"),
    "POST /api/poster-templates": ({}, POSTER, "poster_templates.create", None),
    "PATCH /api/poster-templates/{template_id}": (
        {"template_id": "pt_222222222222"},
        {"name": "Eins"},
        "poster_templates.change",
        "pt_222222222222",
    ),
    "DELETE /api/poster-templates/{template_id}": (
        {"template_id": "pt_222222222222"},
        None,
        "poster_templates.delete",
        "pt_222222222222",
    ),
    "PUT /api/brand": ({}, {"name": "Brand"}, "brand.change", "brand"),
    "POST /api/brand/pictures": ({}, PNG, "brand_pictures.create", "as_1"),
    "POST /api/poster-assets": ({}, PNG, "poster_assets.create", "as_1"),
    "POST /api/poster-batches": (
        {},
        {"live_code_id": "lc_1", "staff_ids": "all"},
        "poster_batches.create",
        None,
    ),
    "POST /api/coupon-pools": ({}, {"name": "x"}, "coupon_pools.create", None),
    "PATCH /api/coupon-pools/{pool_id}": ({"pool_id": "cp_1"}, {"name": "y"}, "coupon_pools.change", "cp_1"),
    "POST /api/coupon-pools/{pool_id}/codes": ({"pool_id": "cp_1"}, "A-1", "coupon_pools.load", "cp_1"),
    "POST /api/live-codes/{live_code_id}/print-runs": (
        {"live_code_id": "lc_1"},
        {"name": "x", "count": 5, "format": "csv"},
        "print_runs.create",
        None,
    ),
    "POST /api/print-runs/{print_run_id}/files": (RUN, {"format": "csv"}, "print_runs.add_file", "pr_AAAA"),
    "POST /api/print-runs/{print_run_id}/close": (RUN, None, "print_runs.close", "pr_AAAA"),
    "POST /api/print-runs/{print_run_id}/cards/{number}/bind": (CARD, ORDER, "cards.bind", "W26-000001"),
    "POST /api/print-runs/{print_run_id}/cards/{number}/unbind": (
        {**CARD, "number": "2"},
        {},
        "cards.unbind",
        "W26-000002",
    ),
    "POST /api/cards/bind": ({}, {"code": "W26-000001", **ORDER}, "cards.bind", "W26-000001"),
    "POST /api/cards/bind-many": (
        {},
        {"items": [{"code": "W26-000001", **ORDER}]},
        "cards.bind",
        "W26-000001",
    ),
    "POST /api/ad-campaigns": ({}, AD_CAMPAIGN, "ad_campaigns.create", None),
    "PATCH /api/ad-campaigns/{ad_campaign_id}": (
        {"ad_campaign_id": "ac_1"},
        {"name": "Eins"},
        "ad_campaigns.change",
        "ac_1",
    ),
    "DELETE /api/ad-campaigns/{ad_campaign_id}": (
        {"ad_campaign_id": "ac_1"},
        None,
        "ad_campaigns.archive",
        "ac_1",
    ),
    "POST /api/ad-conversions/{conversion_id}/retry": (
        {"conversion_id": "cv1"},
        None,
        "ad_conversions.retry",
        "cv1",
    ),
    "POST /api/ad-conversions/{conversion_id}/sent": (
        {"conversion_id": "cv1"},
        None,
        "ad_conversions.confirm",
        "cv1",
    ),
    "POST /api/prospect-imports": ({}, {**PROSPECTS, "format": "csv"}, "prospect_imports.create", None),
    "POST /api/prospect-imports/rows": (
        {},
        {**PROSPECTS, "rows": [{"phone": "13800138000"}]},
        "prospect_imports.create",
        None,
    ),
    "POST /api/prospect-imports/{import_id}/start": (
        {"import_id": "im_1"},
        None,
        "prospect_imports.start",
        "im_1",
    ),
    "POST /api/prospects/{prospect_id}/status": (
        {"prospect_id": PROSPECT},
        {"status": "asked"},
        "prospects.change",
        PROSPECT,
    ),
    "DELETE /api/prospects/{prospect_id}": ({"prospect_id": PROSPECT}, None, "prospects.erase", PROSPECT),
    "POST /api/prospects/erase": ({}, {"phone": "13800138000"}, "prospects.erase", None),
    "POST /api/prospects/match": (
        {},
        {"external_userid": "wm1", "prospect_id": PROSPECT},
        "prospects.match",
        PROSPECT,
    ),
    "POST /api/prospects/lists": ({}, None, "prospects.lists", "2026-11-23"),
    "POST /api/prospects/respread": (
        {},
        {"from_staff_id": "a", "to_staff_ids": ["b"]},
        "prospects.respread",
        "a",
    ),
    "POST /api/prospects/exports": ({}, {"status": "asked"}, "prospects.export", None),
    "POST /api/distribution/plans": (
        {},
        {"name": "p", "levels": [{"rate_bps": 1000}]},
        "distribution_plans.create",
        None,
    ),
    "PATCH /api/distribution/plans/{plan_id}": (
        {"plan_id": "plan_1"},
        {"minimum_payout_fen": 200},
        "distribution_plans.change",
        "plan_1",
    ),
    "PATCH /api/distributors/{distributor_id}": (
        {"distributor_id": "d_1"},
        {"name": "王 13800138000", "openid": "o13800138000", "status": "frozen"},
        "distributors.change",
        "d_1",
    ),
    "POST /api/distributors": (
        {},
        {"name": "王 13800138000", "openid": "13800138000", "plan_id": "plan_1", "external_userid": "wm1"},
        "distributors.create",
        None,
    ),
    "POST /api/settlements": ({}, {}, "settlements.run", None),
    "POST /api/payouts/{payout_id}/retry": ({"payout_id": "pay1"}, None, "payouts.retry", "pay1"),
    "POST /api/payouts/{payout_id}/offer": ({"payout_id": "pay2"}, None, "payouts.offer", "pay2"),
    "POST /api/migrations/{name}": (
        {"name": "customer-lists"},
        None,
        "migrations.run",
        "customer-lists",
    ),
    "POST /api/sops": ({}, SOP, "sops.create", None),
    "POST /api/sops/{sop_id}/pause": ({"sop_id": "sop_1"}, None, "sops.pause", "sop_1"),
    "POST /api/sops/{sop_id}/resume": ({"sop_id": "sop_2"}, None, "sops.resume", "sop_2"),
    "POST /api/sops/{sop_id}/stop": ({"sop_id": "sop_1"}, None, "sops.stop", "sop_1"),
    "PUT /api/prospects/settings": ({}, {"daily_pace": 9}, "settings.change", "prospects"),
}
# Codes: lc_open, lc_shut (archived); a task of a group's owner.
PLAYED |= {
    "POST /api/live-codes": ({}, CODE, "live_codes.create", None),
    "POST /api/live-codes/apply": (
        {},
        {"yaml": json.dumps({"codes": [{**CODE, "ref": "winter"}]}), "dry_run": False},
        "live_codes.create",
        livecodes.id_of("winter"),
    ),
    "PATCH /api/live-codes/{live_code_id}": (OPEN, {"name": "New"}, "live_codes.change", "lc_open"),
    "DELETE /api/live-codes/{live_code_id}": (OPEN, None, "live_codes.archive", "lc_open"),
    "POST /api/live-codes/{live_code_id}/restore": (
        {"live_code_id": "lc_shut"},
        None,
        "live_codes.restore",
        "lc_shut",
    ),
    "PATCH /api/customers/{external_userid}": (
        {"external_userid": "wm7"},
        {"remark": "老王 13800138000"},
        "customers.change",
        "wm7",
    ),
    "POST /api/customers/{external_userid}/tags": (
        {"external_userid": "wm7"},
        {"add": ["等级/会员"]},
        "customers.tag",
        "wm7",
    ),
    "POST /api/exports": (
        {},
        {"list": "customers", "format": "csv", "query": "staff_id=a"},
        "customers.export",
        "/api/customers",
    ),
    "POST /api/segments/{segment_id}/export": (
        {"segment_id": "seg_1"},
        {"format": "csv"},
        "customers.export",
        "/api/segments/seg_1/customers",
    ),
    "POST /api/welcomes/missed/handled": (
        {},
        {"missed_ids": ["mw1"]},
        "missed_welcomes.handle",
        "mw1",
    ),
    "POST /api/views": (
        {},
        {"list": "customers", "name": "New", "query": "q=13800138000"},
        "views.create",
        None,
    ),
    "PATCH /api/views/{view_id}": (VIEW, {"name": "Eins"}, "views.change", "01VIEW"),
    "DELETE /api/views/{view_id}": (VIEW, None, "views.delete", "01VIEW"),
    "POST /api/group-tasks/{task_id}/done": ({"task_id": "gt_1"}, {}, "group_tasks.finish", "gt_1"),
}
READ_ONLY = {
    "POST /api/segments/preview",
    "POST /api/connections/{connection}/test",
    "POST /api/distribution/plans/example",
    "POST /api/print-runs/preview",
    "POST /api/prospect-imports/preview",
    "POST /api/stores/import/preview",
    "POST /api/sops/check",
    "POST /api/poster-templates/preview",
    "POST /api/poster-templates/{template_id}/preview",
}


class Corp(FakeWeCom):
    """With one tag group, whatever is done to it."""

    def get_corp_tag_list(self) -> list[dict[str, Any]]:
        return [{"group_id": "etg1", "group_name": "a", "tag": [{"id": "et1", "name": "a"}]}]

    def add_corp_tag(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"group_id": "etg1"}

    def del_corp_tag(self, *_: Any, **__: Any) -> None:
        pass


def redrive_of_nothing(request: deadletters.Request) -> Any:
    """What functions/redrive answers; its queues are empty."""
    sqs = settings.client("sqs")
    sqs.create_queue(QueueName="test-assign-dlq")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEAD_LETTERS", "assign")
        return deadletters.answer(msgspec.to_builtins(request), lambda: 25_000)["answer"]


@pytest.fixture
def call(
    tables: None, keys: None, bucket: str, sent: list[Any], at: Any, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    at(clock.parse(NOW))
    new_process()
    asset = {"asset_id": "as_1", "width": 1, "height": 1, "bytes": 8}
    kept = {"asset": asset, "picture": {**asset, "file": f"{'0' * 32}.png"}}
    kept |= {"count": 0, "as_of": NOW, "external_userids": []}
    monkeypatch.setattr("chalicelib.platform.invocations.ask", lambda *_: kept)
    monkeypatch.setenv("POSTER_FUNCTION", "poster")
    monkeypatch.setenv("LAKE_FUNCTION", "lake")
    monkeypatch.setattr("chalicelib.wecom.client.default_client", Corp)
    monkeypatch.setattr(deadletters, "_ask", redrive_of_nothing)
    headers = {"Authorization": f"Bearer {auth.create_key('root', 'admin')}"}
    with Client(app) as client:

        def ask(method: str, path: str, body: Any = None) -> Any:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else b""
            answer = client.http.request(method, path, headers=headers, body=raw)
            assert answer.status_code < 300, answer.body
            return json.loads(answer.body)

        ask("POST", "/api/stores", STORE)
        ask("POST", "/api/users", USER)
        own = {"listing": "segment", "created_at": NOW, "updated_at": NOW, "version": 1}
        SegmentItem("seg_1", name="x", kind="live", rule={"all": []}, **own).save()
        for sop_id, status in (("sop_1", "active"), ("sop_2", "paused")):
            SopItem(sop_id, status=status, created_at="2026-11-22", document=SOP).save()
        auth.ApiKeyItem(KEY, name="old", role="operator").save()
        its = {"holder_kind": "user", "holder": "bo", "began_at": NOW, "expires_at": 4 * 10**9}
        auth.SessionItem(KEY, **its).save()
        jobs.start("print_run", 1, job_id="job_1")
        jobs.give_up("printrun", None, {"kind": "piece", "job_id": "job_1"})
        print_cards()
        keep_codes()
        advertise()
        invite()
        owner = {
            "owner": auth.authorize({k.lower(): v for k, v in headers.items()}, {}, "me.read", False).id,
            "owner_name": "root",
        }
        ViewItem(
            "shared",
            "01VIEW",
            list="customers",
            permission="me.read",
            name="x",
            scope={},
            created_at=NOW,
            **owner,
        ).save()
        missed = {"external_userid": "wm1", "staff_id": "a", "reason": "consent", "expires_at": 4 * 10**9}
        MissedWelcomeItem("mw1", listing="waiting", at=NOW, **missed).save()
        blacklist.put("wm2", "13800138000")
        PlanItem("plan_1", **PLAN).save()
        DistributorItem("d_1", **DISTRIBUTOR).save()
        pay()
        yield ask
    new_process()


def pay() -> None:
    """A payout that waits for WeChat Pay, and one that failed, whose money is back."""
    who = distributors.create(
        NewDistributor(name="王", openid="o9", plan_id="plan_1", external_userid="wm8")
    ).distributor_id
    sums = {"gross_fen": 500, "debt_fen": 0, "tax_fen": 0, "amount_fen": 500}
    for payout_id, status in (("pay1", "calling"), ("pay2", "failed")):
        own = {"settlement_id": "st_1", "distributor_id": who, "openid": "o9", "name": "王"}
        times = {"created_at": NOW, "changed_at": NOW, "called_at": NOW, "asked_at": NOW}
        PayoutItem(payout_id, status=status, rounds=[0], **own, **sums, **times).save()
    back = [*journals.earned(journals.Cause(who, clock.parse(NOW), "o1"), 500, matured=True)]
    tx = Transaction()
    ledger.post_and_return(tx, back, [0])
    tx.commit()


def print_cards() -> None:
    """A coupon pool; a live code; a run of its cards, `W26`, of which the second is bound; a poster template."""
    own = {"version": 1, "created_at": NOW, "updated_at": NOW, "definition": POSTER}
    PosterTemplateItem("pt_222222222222", listing="poster_template", **own).save()
    CouponItem("cp_1", "pool", name="till", created_at=NOW).save()
    config = {"created_at": NOW, "updated_at": NOW, "definition": definition({"staff_id": "a"})}
    LiveCodeItem("lc_1", "config", version=1, active=True, staff_ids_ever=["a"], **config).save()
    run = {"live_code_id": "lc_1", "created_at": NOW, "name": "x", "prefix": "W26", "cards": 5}
    PrintRunItem("pr_AAAA", "run", use="many", sheet={}, **run).save()
    PrintRunItem("prefix#W26", "prefix", run_id="pr_AAAA").save()
    CardItem("AAAA#0000002", order_id="M2").save()


def keep_codes() -> None:
    at = {"created_at": "2026-11-23T04:00:00.000000+00:00", "updated_at": "2026-11-23T04:00:00.000000+00:00"}
    whole = {"definition": definition({"staff_id": "a"}), "staff_ids_ever": ["a"]}
    for live_code_id, active in (("lc_open", True), ("lc_shut", False)):
        LiveCodeItem(live_code_id, "config", version=1, active=active, **at, **whole).save()
        LiveCodeItem(live_code_id, "ticket", version=1, active=active, ticket=0).save()
    ChannelItem("ch_1", listing="channel", version=1, definition={"name": "x", "aliases": []}, **at).save()
    task = {"kind": "remove_member", "status": "open", "how": "owner", "chat_id": "wr1", "owner": "a"}
    TaskItem("gt_1", created_at=at["created_at"], asked=0, **task).save()


def advertise() -> None:
    """A campaign `ac_1` with a conversion `cv1` whose answer was lost."""
    plan = {**AD_CAMPAIGN, "report": {}, "live_code_id": None}
    times = {"created_at": NOW, "updated_at": NOW}
    AdCampaignItem("ac_1", definition=plan, active=True, version=1, link_status="making", **times).save()
    row = {"kind": "added", "token": "ma", "status": "unknown", "listed": f"unknown#{NOW}#cv1"}
    AdConversionItem("cv1", ad_campaign_id="ac_1", at=NOW, created_at=NOW, **row).save()


def invite() -> None:
    """A prospect of guide `a`, a customer `wm1`, and an import `im_1` whose file is uploaded."""
    models.save(Customer("wm1"))
    at = clock.parse(NOW)
    models.save(Customer("wm7", follows={"a": Follow("active", at, at)}))
    GuideItem("guide", "a", status="active").save()
    item = ProspectItem(PROSPECT[:8], PROSPECT, version=1, import_id="im_0", line=1, created_at=NOW)
    placed(item, "a", "to_add", NOW)
    item.save()
    asked = {"staff": PROSPECTS["staff"], "daily_pace": 5, "tags": [], "consent": "x", "country": "CN"}
    row = ImportItem(
        "im_1", listing="import", name="x", source="csv", status="uploading", columns={}, **asked
    )
    row.created_at = NOW
    row.save()
    files.put("uploads/prospects/im_1.csv", b"phone\n13800138000\n")


def test_each_write_route_is_played_or_reads_alone() -> None:
    writes = {f"{method} {path}" for method, path in ROUTES if method != "GET"}
    assert writes == {*PLAYED, *READ_ONLY}
    assert len(writes) == len(PLAYED) + len(READ_ONLY)


def test_the_console_has_words_for_each_action() -> None:
    for language in ("zh", "en"):
        path = build.ROOT / "layers/console/sections/settings_audit" / f"{language}.json"
        texts = json.loads(path.read_text(encoding="utf-8"))
        lacking = set()
        for _, _, action, _ in PLAYED.values():
            noun, _, verb = action.partition(".")
            lacking |= {f"enum.audit_noun.{noun}", f"enum.audit_verb.{verb}"} - texts.keys()
        assert not lacking, language


def made_id(made: Any) -> str:
    return next(str(made[name]) for name in IDS if name in made)


@pytest.mark.parametrize("route", PLAYED)
def test_a_write_leaves_one_entry_of_who_and_what(call: Any, route: str) -> None:
    ids, body, action, object_id = PLAYED[route]
    method, path = route.split()
    before = call("GET", "/api/audit")["items"]
    made = call(method, path.format(**ids), body)
    entries = call("GET", "/api/audit")["items"]
    (entry,) = [row for row in entries if row not in before]
    assert (entry["action"], entry["object"]) == (action, object_id or made_id(made))
    assert entry["actor"]["kind"] == "key" and entry["changes"]
    assert "13800138000" not in json.dumps(entry)
