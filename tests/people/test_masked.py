"""An auditor reads everything, and nobody's id: in lists that name people outside of the corp."""

from chalicelib.blacklist import service as blacklist
from chalicelib.blacklist.types import BlacklistQuery, BlacklistRow
from chalicelib.coupons import service as coupons
from chalicelib.coupons.models import CouponItem
from chalicelib.customers.models import CustomerItem
from chalicelib.groups.models import BLACKLISTED, BlacklistItem
from chalicelib.platform.paging import Paging
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.sops import touches
from chalicelib.sops.types import TouchOut

AUDITOR = Principal("key", "k", "k", "auditor")


def test_who_has_a_coupon(tables: None) -> None:
    CouponItem("cp_1", "pool", name="till", created_at="2026").save()
    CouponItem("cp_1", "claim#wm1", at="2026", code="A-1234567").save()
    seen = [coupons.list_claims("cp_1", Paging(), who).items[0] for who in (SYSTEM, AUDITOR)]
    assert [row.external_userid for row in seen] == ["wm1", "***"]


def test_who_is_on_the_blacklist(tables: None) -> None:
    BlacklistItem("wm1", reason="rude", at="2026", listing=BLACKLISTED).save()
    CustomerItem("wm1", name="林晓", follows={}, tags=[], version=1).save()
    for seen in (
        [blacklist.get("wm1", who) for who in (SYSTEM, AUDITOR)],
        [page("", who)[0] for who in (SYSTEM, AUDITOR)],
    ):
        assert [(row.external_userid, row.name, row.reason) for row in seen] == [
            ("wm1", "林晓", "rude"),
            ("***", "林***", "***"),
        ]
    assert [len(page(word, SYSTEM)) for word in ("linxiao", "wm1", "rude")] == [1, 1, 1]
    assert [len(page(word, AUDITOR)) for word in ("linxiao", "wm1", "rude")] == [0, 0, 0]


def page(q: str, who: Principal) -> list[BlacklistRow]:
    return blacklist.page(BlacklistQuery(q=q), who).items


def test_who_a_touch_is_for() -> None:
    touch = TouchOut(
        touch_id="sop_1.a.wm1",
        sop_id="sop_1",
        step_id="a",
        external_userid="wm1",
        staff_id="ann",
        status="sent",
        reason=None,
        due_at="2026",
        at=None,
        push_id=None,
        msgid=None,
    )
    masked = touches._masked(touch)
    assert (masked.touch_id, masked.external_userid, masked.staff_id) == ("sop_1.a.***", "***", "ann")
