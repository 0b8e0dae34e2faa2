"""An auditor reads everything, and nobody's id: in lists that name people outside of the corp."""

from chalicelib.coupons import service as coupons
from chalicelib.coupons.models import CouponItem
from chalicelib.groups import blacklist
from chalicelib.groups.models import BlacklistItem
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
    BlacklistItem("wm1", reason="rude", at="2026").save()
    seen = [blacklist.get("wm1", who) for who in (SYSTEM, AUDITOR)]
    assert [(row.external_userid, row.reason) for row in seen] == [("wm1", "rude"), ("***", "***")]


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
