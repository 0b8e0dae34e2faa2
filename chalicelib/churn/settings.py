"""Who hears of losses, and who counts as at risk."""

from typing import Any

import msgspec

from chalicelib.churn.types import ChurnSettings
from chalicelib.facts import rule_reader
from chalicelib.platform import corp_settings
from chalicelib.platform.stored import read_stored
from chalicelib.platform.versions import ANY_VERSION, IfMatch

_NAME = "churn"
# Who bought, not for two months, and is still a friend of somebody's.
_FIRST = ChurnSettings(
    risk={"all": [{"last_order_at": {"not_within": "P60D"}}, {"not": {"lost_at": {"within": "P3650D"}}}]}
)


def read() -> tuple[ChurnSettings, int]:
    """With their version."""
    value, version = corp_settings.read(_NAME)
    return _shown(value), version


def save(wanted: ChurnSettings, if_match: IfMatch = ANY_VERSION) -> tuple[ChurnSettings, int]:
    """Invalid for the rule; Stale."""
    rule_reader.read(wanted.risk, "risk")
    return wanted, corp_settings.save(_NAME, msgspec.to_builtins(wanted), if_match, shown=_shown)


def _shown(value: dict[str, Any] | None) -> ChurnSettings:
    return read_stored(value, ChurnSettings) if value else _FIRST
