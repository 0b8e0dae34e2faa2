"""Scenes and reasons: their tables say what the documents say, and every code has words."""

import pytest

from chalicelib.platform import messages
from chalicelib.wechatpay import scenes
from chalicelib.wechatpay.client import TransferRejected, Unknown
from chalicelib.wechatpay.messages import TEXTS
from chalicelib.wechatpay.refusals import TREATMENTS
from chalicelib.wechatpay.scenes import Incomplete, Scene


def test_commission_is_the_scene_that_nobody_has_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WECHATPAY_TRANSFER_SCENE_ID", raising=False)
    monkeypatch.delenv("WECHATPAY_SCENE_REPORTS", raising=False)
    assert scenes.from_settings() == Scene("1005", (("岗位类型", "推广员"), ("报酬说明", "推广佣金")))


def test_marketing_and_what_a_setting_says_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WECHATPAY_TRANSFER_SCENE_ID", "1000")
    monkeypatch.setenv("WECHATPAY_SCENE_REPORTS", '[{"info_type": "活动名称", "info_content": "双十二"}]')
    assert scenes.from_settings() == Scene("1000", (("活动名称", "双十二"), ("奖励说明", "推广佣金")))
    monkeypatch.setenv("WECHATPAY_SCENE_REPORTS", "")
    assert scenes.from_settings().reports[0] == ("活动名称", "推广奖励")


def test_a_scene_that_is_not_in_the_table_is_told_what_the_setting_says() -> None:
    made = scenes.scene("1006", '[{"info_type": "报销类型", "info_content": "差旅"}]')
    assert made == Scene("1006", (("报销类型", "差旅"),))


@pytest.mark.parametrize(
    ("scene_id", "setting"),
    [
        ("1006", "[]"),
        ("1011", "[]"),
        ("1005", '[{"info_type": "活动名称", "info_content": "x"}]'),
        ("1005", '{"岗位类型": "推广员"}'),
        ("1005", "not json"),
        ("1005", '[{"info_type": "岗位类型"}]'),
        ("1005", '[{"info_type": "岗位类型", "info_content": ""}]'),
        ("1005", '[{"info_type": "岗位类型", "info_content": "' + "长" * 33 + '"}]'),
        ("1006", '[{"info_type": "' + "长" * 16 + '", "info_content": "x"}]'),
        ("1005", '[{"info_type": 1, "info_content": "x"}]'),
        ("1005", "3"),
    ],
)
def test_what_wechat_would_refuse_is_not_sent(scene_id: str, setting: str) -> None:
    with pytest.raises(Incomplete):
        scenes.scene(scene_id, setting)


def test_what_is_built_in_fits() -> None:
    for fields in scenes.FIELDS.values():
        assert all(0 < len(name) <= 15 and (text is None or len(text) <= 32) for name, text in fields.items())


def test_every_code_has_words_in_both_languages() -> None:
    assert set(TREATMENTS) <= set(TEXTS)
    for code, (zh, en) in TEXTS.items():
        assert any("\u4e00" <= letter <= "\u9fff" for letter in zh), code
        assert en.isprintable() and not any("\u4e00" <= letter <= "\u9fff" for letter in en), code
        assert messages.known(code)


def test_errors_are_said_in_both_languages() -> None:
    assert TransferRejected("NOT_ENOUGH").detail("zh").startswith("微信支付拒绝了这笔转账")
    assert TransferRejected("NOT_ENOUGH").detail("en") == "WeChat Pay refused the transfer: NOT_ENOUGH"
    assert "核实" in Unknown("X").detail("zh") and "certain answer" in Unknown("X").detail("en")
