"""Which campaign an add came by: its `State` names the campaign, and with a click id the very click."""

from msgspec import Struct

from chalicelib.ads import rules
from chalicelib.ads.models import AdCampaignItem
from chalicelib.livecodes import service as livecodes
from chalicelib.platform.errors import NotFound


class Lead(Struct, frozen=True):
    """Where an add by a campaign's link belongs. live_code_id "": to no live code."""

    ad_campaign_id: str
    live_code_id: str
    channel: str
    tags: tuple[str, ...] = ()


def find_lead(state: str) -> Lead | None:
    """Where an add with this `State` belongs; None for one that no campaign's link gave."""
    item = find_campaign_of(state)
    if item is None:
        return None
    live_code_id, channel = item.plan.live_code_id or "", item.plan.channel
    tags: tuple[str, ...] = ()
    if live_code_id:
        try:
            code = livecodes.current(live_code_id)
        except NotFound:
            live_code_id = ""
        else:
            channel, tags = channel or code.channel, tuple(code.tags)
    return Lead(item.ad_campaign_id, live_code_id, channel or "ad", tags)


def find_campaign_of(state: str | None) -> AdCampaignItem | None:
    """The campaign in a callback's `State`; no request for one that is not ours."""
    code = rules.code_of(state)
    return find_campaign(f"ac_{code}") if code else None


def find_campaign(ad_campaign_id: str) -> AdCampaignItem | None:
    """The campaign as stored, archived or not."""
    item: AdCampaignItem | None = (
        AdCampaignItem.find(ad_campaign_id) if ad_campaign_id.startswith("ac_") else None
    )
    return item
