"""Guides of campaigns who have another userid, and those who are told of them."""

from functools import partial

from chalicelib.ads import campaigns
from chalicelib.ads.models import LISTED, AdCampaignItem
from chalicelib.platform import lists


def move(old: str, new: str) -> bool:
    for row in lists.partition(partial(AdCampaignItem.by_creation.query, LISTED)):
        named = (*row.definition["staff_ids"], *row.definition.get("alert_staff_ids", ()))
        if old in named:
            campaigns.rename_guide(row.ad_campaign_id, old, new)
    return False
