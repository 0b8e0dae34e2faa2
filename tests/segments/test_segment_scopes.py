"""A manager sees and counts their stores' customers alone."""

from chalicelib.platform.auth import Scope
from tests.orders.test_orders_scopes import staff_store
from tests.support.lake_world import VIP, Ask, add, look, make

KEPT = {
    ("GET", "/api/segments"),
    ("POST", "/api/segments"),
    ("POST", "/api/segments/preview"),
    ("GET", "/api/segments/{segment_id}"),
    ("PATCH", "/api/segments/{segment_id}"),
    ("DELETE", "/api/segments/{segment_id}"),
    ("GET", "/api/segments/{segment_id}/customers"),
    ("POST", "/api/segments/{segment_id}/export"),
}


def test_a_manager_counts_and_sees_their_stores_customers_alone(ask: Ask) -> None:
    staff_store("s1", "ann")
    staff_store("s2", "bob")
    for who, guide in (("wm1", "ann"), ("wm2", "bob")):
        add(who, guide, "等级/VIP")
    mine = Scope(("s1",))
    everybodys = make(ask)
    _, preview = ask("POST", "/api/segments/preview", {"rule": VIP}, mine)
    assert preview["count"] == 1 and [row["staff_id"] for row in preview["by_staff"]] == ["ann"]
    assert [row["external_userid"] for row in preview["sample"]] == ["wm1"]
    assert {row["count"] for row in preview["lines"]} <= {1}
    assert ask("GET", f"/api/segments/{everybodys}", None, mine)[1]["count"] == 1
    listed = ask("GET", f"/api/segments/{everybodys}/customers", None, mine)[1]
    assert [row["external_userid"] for row in listed["items"]] == ["wm1"] and listed["total"] == 1
    assert ask("GET", "/api/segments", None, mine)[1]["items"][0]["count"] is None
    for method, body in (("PATCH", {"name": "x"}), ("DELETE", None)):
        assert ask(method, f"/api/segments/{everybodys}", body, mine)[0] == 403
    _, own = ask("POST", "/api/segments", {"name": "mine", "rule": VIP}, mine)
    path = f"/api/segments/{own['segment_id']}"
    assert ask("GET", path, None, mine)[1]["count"] == ask("GET", path)[1]["count"] == 1
    assert ask("GET", path, None, Scope(("s2",)))[0] == 404
    assert ask("POST", f"{path}/export", {"format": "csv"}, Scope(("s2",)))[0] == 404
    assert ask("GET", "/api/segments", None, Scope(("s2",)))[1]["total"] == 1
    assert ask("PATCH", path, {"name": "y"}, mine)[0] == 200
    look()
    assert ask("GET", "/api/segments?sort=name", None, mine)[1]["items"][1]["count"] == 1
