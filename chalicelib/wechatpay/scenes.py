"""Transfer scenes (转账场景): what WeChat Pay wants to be told with a transfer of each.

The names of the fields are WeChat's and fixed; what stands in them is ours. A wrong or missing one is
answered with PARAM_ERROR. From pay.weixin.qq.com, documents 4013774588 to 4013774595; 1005: 4012711988.
"""

import json
from collections.abc import Mapping

from msgspec import Struct

from chalicelib.platform import settings

DEFAULT = "1005"
_TYPE, _CONTENT = 15, 32  # characters

Reports = tuple[tuple[str, str], ...]  # (info_type, info_content)


class Scene(Struct, frozen=True):
    scene_id: str
    reports: Reports


class Incomplete(ValueError):
    """The settings do not give what the scene must be told."""


# scene → its fields; a text: what stands there unless WECHATPAY_SCENE_REPORTS says otherwise
FIELDS: Mapping[str, Mapping[str, str | None]] = {
    "1000": {"活动名称": "推广奖励", "奖励说明": "推广佣金"},  # 现金营销
    "1002": {"补贴类型": None},  # 行政补贴
    "1004": {"保险产品备案编号": None, "保险名称": None, "保险操作单号": None},  # 保险理赔
    "1005": {"岗位类型": "推广员", "报酬说明": "推广佣金"},  # 佣金报酬
    "1010": {"回收商品名称": None},  # 二手回收
    "1011": {"赔付原因": None},  # 企业赔付
}


def from_settings() -> Scene:
    """The scene of WECHATPAY_TRANSFER_SCENE_ID with its fields. Incomplete."""
    scene_id = settings.env("WECHATPAY_TRANSFER_SCENE_ID", DEFAULT)
    return scene(scene_id, settings.env("WECHATPAY_SCENE_REPORTS", "[]"))


def scene(scene_id: str, setting: str) -> Scene:
    """setting: `[{"info_type": "岗位类型", "info_content": "…"}]`; empty: the built-in ones. Incomplete."""
    given = _parse_reports(setting)
    fields = FIELDS.get(scene_id)
    if fields is None:
        if not given:
            raise Incomplete(f"scene {scene_id} needs WECHATPAY_SCENE_REPORTS")
        return Scene(scene_id, tuple(given.items()))
    foreign = [name for name in given if name not in fields]
    reports = {name: given.get(name) or text for name, text in fields.items()}
    missing = [name for name, text in reports.items() if not text]
    if foreign or missing:
        raise Incomplete(f"scene {scene_id} takes {', '.join(fields)}")
    return Scene(scene_id, tuple((name, text) for name, text in reports.items() if text))


def _parse_reports(setting: str) -> dict[str, str]:
    try:
        given = {entry["info_type"]: entry["info_content"] for entry in json.loads(setting)}
    except (ValueError, TypeError, KeyError):
        raise Incomplete("WECHATPAY_SCENE_REPORTS is no list of info_type and info_content") from None
    for name, text in given.items():
        if not (
            isinstance(name, str)
            and isinstance(text, str)
            and 0 < len(name) <= _TYPE
            and 0 < len(text) <= _CONTENT
        ):
            raise Incomplete(f"info_type takes {_TYPE} characters, info_content {_CONTENT}")
    return given
