"""One small module for each ad platform: how a conversion is reported to it, and what its answer means.

Each has BASE (its host), `check(event)`, `request(…)`, `outcome(status, body)` and `repeatable(kind)`. To
add a platform: a module like these, a line in `PLATFORMS` here and one in `rules.CLICK_IDS`.
"""

from types import ModuleType

from chalicelib.ads.adapters import baidu, generic, oceanengine, tencent

PLATFORMS: dict[str, ModuleType] = {
    "baidu": baidu,
    "oceanengine": oceanengine,
    "tencent": tencent,
    "generic": generic,
}
