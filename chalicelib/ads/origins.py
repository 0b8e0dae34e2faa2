"""Adds by an ad campaign's customer-acquisition link."""

from chalicelib.origins.types import Channel, Origin


def _find(state: str) -> Origin | None:
    from chalicelib.ads.leads import find_lead

    lead = find_lead(state)
    if lead is None:
        return None
    return Origin("ad", state, lead.channel, lead.live_code_id, lead.ad_campaign_id, lead.tags)


ORIGINS = [Channel("ad", "ma", _find)]
