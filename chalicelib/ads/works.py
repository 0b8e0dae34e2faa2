"""Ad campaigns' outside work: acquisition links, the quota, notices, conversions told to ad platforms."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="ad_link",  # WeCom's acquisition link in step with its campaign
        queue="convert",
        handler="chalicelib.ads.links:sync",
        takes=("subject",),
        order="subject",
    ),
    Work(
        kind="ad_lost",  # word of a link that was not known yet
        queue="convert",
        handler="chalicelib.ads.links:lost_at_last",
        takes=("subject", "why", "at"),
        order="subject",
    ),
    Work(
        kind="ad_report",
        queue="convert",
        handler="chalicelib.ads.conversions:report",
        takes=("subject",),
        order="subject",
    ),
    Work(
        kind="ad_quota",  # each hour; at once when an event asks
        queue="convert",
        handler="chalicelib.ads.quota:hourly",
        takes=(),
        optional=("digest",),
        order="subject",
    ),
    Work(
        kind="ad_notice",
        queue="convert",
        handler="chalicelib.ads.notices:tell",
        takes=("why", "ad_campaign_id"),
        order="subject",
    ),
]
