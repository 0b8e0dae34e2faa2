"""Who arrives is who: by unionid, remark, number, hand; once; and the number is nowhere in clear."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.customers import models as customer_models
from chalicelib.customers import service as customers
from chalicelib.customers.rules import Customer, Source
from chalicelib.platform import (
    clock,
    consumers,
    declared,
    files,
    ids,
    settings,
    storage,
    timeline,
    vault,
    works,
)
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.platform.lists import Paging
from chalicelib.platform.principal import SYSTEM
from chalicelib.platform.timeline import Line
from chalicelib.prospects import (
    arrivals,
    brand_settings,
    erasure,
    exports,
    imports,
    matching,
    models,
    order_matching,
    prospect_list,
    rules,
    status_changes,
)
from chalicelib.prospects.listeners import MATCH
from chalicelib.prospects.types import BuyerOrder, ExportFilter, ImportsQuery, Match, Prospect
from tests.support.prospects_world import (
    World,
    engine_world,
    number,
    plenty,
    prospects,
    report,
    rows_of,
    settings_of,
    uploaded,
    world,
)

__all__ = ["engine_world", "world"]


def customer(external_userid: str, **values: Any) -> None:
    customer_models.save(Customer(external_userid, **values))


def added(world: World, external_userid: str, staff_id: str = "lihua", kind: str = "customer_added") -> None:
    line = Line(external_userid, kind, world.now, f"k{world.now}", {"staff_id": staff_id})
    declared.resolve(MATCH.handlers[kind])(line)
    world.queues.work(times=2)


def take(numbers: list[str], **changes: Any) -> str:
    given = rows_of(numbers, **{"staff": {"staff_ids": ["lihua"]}, "tags": ["渠道/手机号"], **changes})
    return imports.take(given).import_id


def order(world: World, n: str, unionid: str | None = None, external: str | None = None, **more: str) -> None:
    buyer = {"order_id": ids.derived(n, str(unionid)), "unionid": unionid, "external_userid": external}
    arrivals.on_buyers_phone(
        BuyerOrder(**{"status": "paid", "at": world.now.isoformat(), **buyer, **more}), n
    )
    world.queues.work(times=2)


def test_a_code_in_the_remark_is_known_when_it_comes_later(world: World) -> None:
    import_id = take([number(1), number(2)])
    row = next(r for r in prospects() if r.line == 1)
    status_changes.change(row.prospect_id, rules.ASKED, "me")
    world.now += timedelta(hours=2)
    customer("wm1")
    added(world, "wm1")
    assert models.find(row.prospect_id).status == rules.ASKED
    world.wecom.follows["wm1"] = [
        {"userid": "other", "remark": ""},
        {"userid": "lihua", "remark": f"客户0 {row.code.upper()}"},
    ]
    added(world, "wm1", kind="follow_edited")
    now = models.find(row.prospect_id)
    assert (now.status, now.matched_by, now.external_userid) == ("added", "remark_code", "wm1")
    found = customers.get("wm1")
    assert (
        found and found.channel == "phone" and found.source.origin == import_id and found.live_code_id is None
    )
    told = report(import_id)
    assert told["statuses"]["added"] == 1 and told["mean_seconds_to_add"] == 7200
    assert told["add_rate_bps"] == 5000
    tags = [m for q, m in world.queues.sent if q == "push"]
    assert tags[0] == {
        "kind": "tag",
        "staff_id": "lihua",
        "external_userid": "wm1",
        "add": ["渠道/手机号"],
        "remove": [],
    }
    types = [line["type"] for line in timeline.read("wm1")[0]]
    assert types == ["prospect_matched"]
    assert [
        event.data["status"] for event in prospect_list.history(row.prospect_id, Paging(), SYSTEM).items
    ] == [
        "added",
        "asked",
    ]


@pytest.mark.parametrize(
    "follow", [{"remark": "老客 138 0000 0001"}, {"remark": "", "remark_mobiles": ["13800000001"]}]
)
def test_the_number_in_a_remark_is_known(world: World, follow: dict[str, Any]) -> None:
    take([number(1)])
    customer("wm1", source=Source(world.now, "poster", "lc_1"))
    world.wecom.follows["wm1"] = [{"userid": "lihua", **follow}]
    added(world, "wm1")
    (row,) = prospects()
    assert (row.status, row.matched_by) == ("added", "remark_phone")
    assert matching.customers_of_phone("138 0000 0001") == ["wm1"]
    assert matching.customers_of_phone("nobody's") == matching.customers_of_phone(number(99)) == []
    found = customers.get("wm1")
    assert found and found.channel == "poster"  # who came by something keeps it


def test_a_unionid_that_an_order_told_with_the_number_is_known(world: World) -> None:
    take([number(1), number(2)])
    order(world, number(1), unionid="o1")
    customer("wm1", unionid="o1")
    added(world, "wm1", staff_id="nobody_with_tasks")
    assert {r.line: r.status for r in prospects()} == {1: "added", 2: "to_add"}
    assert "external_contact" not in world.wecom.calls  # WeCom is asked only of guides with tasks


def paid_by(world: World, order_id: str, unionid: str) -> BuyerOrder:
    at = world.now.isoformat()
    return BuyerOrder(order_id=order_id, status="paid", at=at, unionid=unionid, external_userid=None)


def test_many_orders_of_new_people_at_once_all_become_prospects(engine_world: World) -> None:
    """Ten consumers, as many as the queue may have, all at the day's one import."""
    brand_settings.save(settings_of(from_orders={"staff": {"staff_ids": ["lihua"]}, "consent": "下单时同意"}))
    sent = engine_world.queues.waiting
    for n in range(60):
        arrivals.on_buyers_phone(paid_by(engine_world, f"M{n}", f"o{n}"), number(n))

    def delivered(message: dict[str, Any]) -> None:
        for _ in range(20):
            with suppress(storage.Busy):  # SQS delivers it again
                return order_matching.match_order(message)
        raise AssertionError("busy each time")

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(delivered, sent * 2))
    assert len(prospects()) == 60
    assert sorted(int(row.line) for row in prospects()) == list(range(1, 61))


def test_an_order_told_twice_at_the_same_moment_is_one_row(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other delivery is done while ours, which saw nobody there, is about to look at the day's import."""
    brand_settings.save(settings_of(from_orders={"staff": {"staff_ids": ["lihua"]}, "consent": "下单时同意"}))
    arrivals.on_buyers_phone(paid_by(world, "M1", "o1"), number(1))
    (message,) = world.queues.waiting
    import_of = order_matching._import_of

    def late(*given: Any) -> models.ImportItem:
        monkeypatch.setattr(order_matching, "_import_of", import_of)
        order_matching.match_order(message)
        return import_of(*given)

    monkeypatch.setattr(order_matching, "_import_of", late)
    order_matching.match_order(message)
    (row,) = prospects()
    figures = report(str(row.import_id))
    assert (figures["rows"], figures["new"], figures["duplicates"]) == (1, 1, 0)


def test_who_arrives_while_their_order_makes_a_prospect_is_that_prospect(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand_settings.save(settings_of(from_orders={"staff": {"staff_ids": ["lihua"]}, "consent": "下单时同意"}))
    import_of = order_matching._import_of

    def meanwhile(*given: Any) -> models.ImportItem:
        customer("wm1", unionid="o1")
        matching.match_arrival("wm1", "lihua", clock.iso(world.now))
        assert not prospects()
        return import_of(*given)

    monkeypatch.setattr(order_matching, "_import_of", meanwhile)
    arrivals.on_buyers_phone(paid_by(world, "M1", "o1"), number(1))
    world.queues.work()
    (row,) = prospects()
    assert (row.status, row.external_userid) == ("added", "wm1")


def test_an_order_by_a_customer_we_know_settles_it(world: World) -> None:
    take([number(1), number(2)])
    customer("wm1", unionid="o1")
    order(world, number(1), unionid="o1")
    order(world, number(2), external="wm1")
    assert {r.matched_by for r in prospects()} == {"order"}


def test_buyers_become_prospects_only_when_it_is_set_and_only_if_unknown(world: World) -> None:
    order(world, number(1), unionid="o1")
    assert not prospects() and not world.queues.sent  # not in use: nothing is kept
    rule = {"staff": {"staff_ids": ["lihua", "wangwu"]}, "consent": "下单页勾选", "daily_pace": 10}
    brand_settings.save(settings_of(from_orders=rule))
    customer("wm9", unionid="o9")
    order(world, number(9), unionid="o9")
    order(world, number(2), status="created")
    order(world, "not a number")
    assert not prospects()
    for n in (1, 2, 3):
        order(world, number(n), unionid=f"u{n}")
    order(world, number(3), unionid="u3")
    found = sorted(prospects(), key=lambda r: r.line)
    assert [(r.line, r.staff_id) for r in found] == [(1, "lihua"), (2, "wangwu"), (3, "lihua")]
    (made,) = imports.page(ImportsQuery()).items
    assert made.name == "订单 2026-11-23" and report(made.import_id)["new"] == 3
    customer("wm2", unionid="u2")
    added(world, "wm2")
    assert found[1].status == "to_add" and models.find(found[1].prospect_id).matched_by == "unionid"


def test_the_first_customer_stays_and_others_are_refused(world: World) -> None:
    take([number(1)])
    (row,) = prospects()
    for who in ("wm1", "wm2"):
        customer(who)
        world.wecom.follows[who] = [{"userid": "lihua", "remark": row.code}]
        added(world, who)
    assert models.find(row.prospect_id).external_userid == "wm1"
    with pytest.raises(Conflict):
        matching.match_by_hand(Match(external_userid="wm2", phone=number(1)))


@pytest.mark.parametrize("how", ["phone", "prospect_id", "code"])
def test_an_operator_says_who_it_is(world: World, how: str) -> None:
    take([number(1)])
    customer("wm1")
    (row,) = prospects()
    value = {"phone": "+86 138 0000 0001", "prospect_id": row.prospect_id, "code": row.code}[how]
    matched = matching.match_by_hand(Match(external_userid="wm1", **{how: value}))
    assert (matched.status, matched.matched_by) == ("added", "api")
    with pytest.raises(NotFound):
        matching.match_by_hand(Match(external_userid="wm_unknown", **{how: value}))
    with pytest.raises(NotFound):
        unknown = number(7) if how == "phone" else "zzzzzzzz"
        matching.match_by_hand(Match(external_userid="wm1", **{how: unknown}))
    with pytest.raises(Invalid):
        matching.match_by_hand(Match(external_userid="wm1"))


def test_who_was_erased_is_matched_to_nobody_and_the_link_is_gone(world: World) -> None:
    take([number(1)])
    order(world, number(1), unionid="o1")
    (row,) = prospects()
    erasure.erase_number("138 0000 0001", "CN")
    erasure.erase(row.prospect_id)
    customer("wm1", unionid="o1")
    world.wecom.follows["wm1"] = [{"userid": "lihua", "remark": f"{row.code} 13800000001"}]
    added(world, "wm1")
    assert models.find(row.prospect_id).status == rules.ERASED
    assert models.find(row.prospect_id).external_userid is None
    assert not list(models.ProspectItem.query("unionid#o1"))
    order(world, number(1), unionid="o1")
    assert not list(models.ProspectItem.query("unionid#o1"))


def test_erasure_finds_each_link_to_the_number_whenever_it_was_made(world: World) -> None:
    brand_settings.save(settings_of())
    for n, unionid in (
        (1, "o10"),
        (1, "o1"),
        (1, "o2"),
        (2, "o3"),
    ):  # before the number is anybody's, and two persons
        order(world, number(n), unionid=unionid)
    take([number(1)])
    order(world, number(1), unionid="o4")
    (row,) = prospects()
    assert len(models.links(row.prospect_id)) == 4
    assert matching._named(Match(external_userid="wm1", code=row.code)) == row.prospect_id
    erasure.erase(row.prospect_id)
    erasure.erase_number(number(2), "CN")  # one we never had
    for unionid in ("o1", "o3", "o5"):
        order(world, number(1 if unionid != "o3" else 2), unionid=unionid)
    left = json.loads(stored())
    assert not [unionid for unionid in ("o1", "o2", "o3", "o4", "o5") if unionid in json.dumps(left)]


def test_an_erasure_killed_before_the_links_were_gone_is_finished_by_its_repeat(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take([number(1)])
    order(world, number(1), unionid="o1")
    (row,) = prospects()
    with monkeypatch.context() as patch:
        patch.setattr(erasure, "_unlink", lambda _: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            erasure.erase(row.prospect_id)
    assert list(models.ProspectItem.query("unionid#o1"))
    erasure.erase(row.prospect_id)
    assert not list(models.ProspectItem.query("unionid#o1"))


def exported(world: World) -> str:
    """The key of a finished export of all."""
    job_id = exports.start_export(ExportFilter()).job_id
    world.queues.work()
    return f"results/prospect-exports/{job_id}.csv"


def test_an_erasure_takes_the_files_of_exports_with_it(world: World) -> None:
    take([number(1), number(2)])
    keys = [exported(world) for _ in range(2)]
    assert "客户0" in files.get(keys[0]).decode()
    row = min(prospects(), key=lambda p: p.line)
    erasure.erase(row.prospect_id)
    assert [files.size(key) for key in keys] == [None, None]
    assert "客户1" in (told := files.get(exported(world)).decode()) and "客户0" not in told
    assert not [row for row in models.ExportItem.query("exports") if row.stale]


def test_who_is_erased_while_an_export_is_written_is_not_in_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take([number(1), number(2)])
    (row, other) = sorted(prospects(), key=lambda p: p.line)
    monkeypatch.setattr(prospect_list, "_lanes", lambda *_: ["lihua#to_add"])
    monkeypatch.setattr(prospect_list, "_query", lambda *_: iter([row, other]))  # the index has both still
    shown = prospect_list.show

    def slow(item: models.ProspectItem, *given: Any) -> Prospect:
        if item is other and models.find(row.prospect_id).status != rules.ERASED:
            erasure.erase(row.prospect_id)
        return shown(item, *given)

    monkeypatch.setattr(prospect_list, "show", slow)
    told = files.get(exported(world)).decode()
    assert "客户1" in told and "客户0" not in told


def stored() -> str:
    """All tables, as text."""
    client = storage.connection().client
    names = client.list_tables()["TableNames"]
    return json.dumps(
        [client.scan(TableName=name)["Items"] for name in names], ensure_ascii=False, default=repr
    )


def filed() -> str:
    """All files, as text."""
    found = settings.client("s3").list_objects_v2(Bucket="test-files").get("Contents", [])
    return "\n".join(files.get(one["Key"]).decode("utf-8", "replace") for one in found)


def test_no_number_is_anywhere_in_clear(world: World, logged: io.StringIO) -> None:
    """Numbers planted in every way in, then looked for in all tables, files, messages and logs."""
    planted = [f"1380000{n:04d}" for n in range(4100, 4112)]
    spread = {"staff_ids": ["lihua"]}
    brand_settings.save(settings_of(from_orders={"staff": spread, "consent": "下单页勾选"}))
    take(
        planted[:6],
        rows=[{"phone": p, "name": "张三", "note": f"打 {p}", "external_id": p} for p in planted[:6]],
    )
    text = "手机,备注\n" + "\n".join(f"{p},x" for p in planted[4:9]) + f'\n{planted[9]}0,"{planted[9]}"\n'
    uploaded(text.encode(), staff=spread)
    world.queues.work(times=2)
    order(world, planted[10], unionid="o1")
    world.morning()
    for row in prospects()[:4]:
        status_changes.change(row.prospect_id, rules.ASKED, "me")
        prospect_list.reveal_number(row.prospect_id, SYSTEM)
    customer("wm1")
    world.wecom.follows["wm1"] = [{"userid": "lihua", "remark": planted[2]}]
    added(world, "wm1")
    exports.start_export(ExportFilter())
    world.queues.work()
    for bad in (
        {"kind": "order", "order_id": "x", "sealed": planted[11], "unionid": None},
        {"kind": planted[0]},
    ):
        body = {"messageId": "1", "eventSourceARN": "arn", "body": json.dumps(bad)}
        answer = consumers.sqs(lambda m: works.do(m, plenty))({"Records": [body]}, None)
        assert answer["batchItemFailures"]
    said = json.dumps([world.queues.sent, world.wecom.messages], ensure_ascii=False)
    everywhere = stored() + filed() + said + logged.getvalue()
    assert "138****4100" in filed() and "message failed" in logged.getvalue()  # it looks where things are
    for secret in planted:
        for form in (secret, secret[3:], f"{secret[:3]} {secret[3:7]} {secret[7:]}"):
            assert form not in everywhere, form
    assert "张三" not in stored() + said + logged.getvalue()


def test_what_is_sealed_opens_in_its_own_row_only(world: World) -> None:
    take([number(1), number(2)])
    one, two = prospects()
    two.sealed = one.sealed
    with pytest.raises(vault.Broken):
        models.person(two)
    assert models.person(one)["phone"].startswith("+86138")
