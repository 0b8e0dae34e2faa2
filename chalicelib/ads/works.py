"""Ad campaigns' outside work: acquisition links, the quota, notices, conversions reported to ad platforms."""

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
        handler="chalicelib.ads.links:mark_lost_again",
        takes=("subject", "why", "at"),
        order="subject",
    ),
    Work(
        kind="ad_report",
        queue="convert",
        handler="chalicelib.ads.reports:report",
        takes=("subject",),
        order="subject",
    ),
    Work(
        kind="ad_quota",  # each hour; at once when an event asks
        queue="convert",
        handler="chalicelib.ads.quota:check_hourly",
        takes=(),
        optional=("digest",),
        order="subject",
    ),
    Work(
        kind="ad_notice",
        queue="convert",
        handler="chalicelib.ads.notices:send",
        takes=("why", "ad_campaign_id", "due_at"),
        order="subject",
    ),
]
