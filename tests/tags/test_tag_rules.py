"""Tag names and WeCom's groups of them."""

import pytest

from chalicelib.tags import rules


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("渠道/包裹卡", True),
        ("组" * 30 + "/" + "签" * 30, True),
        ("组" * 31 + "/b", False),
        ("a/" + "签" * 31, False),
        ("/b", False),
        ("a/", False),
        ("ab", False),
        ("", False),
    ],
)
def test_what_wecom_would_take(name: str, good: bool) -> None:
    assert rules.valid(name) is good


def test_by_group_is_one_call_for_each_group() -> None:
    names = ["来源/海报", "等级/VIP", "来源/包裹卡"]
    assert rules.by_group(names) == {"来源": ["海报", "包裹卡"], "等级": ["VIP"]}


def test_ids_leaves_out_what_is_deleted() -> None:
    tags = [{"id": "et1", "name": "海报"}, {"id": "et2", "name": "旧", "deleted": True}]
    groups = [{"group_name": "来源", "tag": tags}, {"group_name": "废", "deleted": True, "tag": tags}]
    assert rules.ids(groups) == {"来源/海报": "et1"}
