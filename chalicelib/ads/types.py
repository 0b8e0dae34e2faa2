"""Ad campaigns on the wire: types and limits of each field."""

from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Paging, Searching, Tabular
from chalicelib.platform.userids import StaffId, fold_fields
from chalicelib.staff.types import StaffWarning

_Id = Annotated[str, Meta(min_length=1, max_length=64)]
_Event = Annotated[str, Meta(min_length=1, max_length=64, description="the platform's name or number of it")]
_Line = Annotated[str, Meta(min_length=1, max_length=60)]
_Url = Annotated[str, Meta(max_length=1000, pattern=r"^https://[!-~]+\Z")]
Platform = Literal["baidu", "oceanengine", "tencent", "generic"]
ConversionStatus = Literal["waiting", "sent", "refused", "failed", "unknown", "unreported"]


class LandingPage(Struct, kw_only=True, frozen=True):
    """What the page shows: plain text, Chinese first if it has both. image_url: above the title."""

    title: Annotated[str, Meta(min_length=1, max_length=40)]
    subtitle: Annotated[str, Meta(max_length=80)] = ""
    image_url: _Url | None = None
    button: Annotated[str, Meta(min_length=1, max_length=20)] = "添加微信领取"
    bullets: Annotated[list[_Line], Meta(max_length=6)] = []
    legal: Annotated[str, Meta(max_length=300)] = ""


class Report(Struct, kw_only=True, frozen=True):
    """Which event of the platform each conversion is reported as; null: it is only counted.

    baidu: a newType number; oceanengine: an event_type; tencent: an action_type; generic: any text.
    """

    added: _Event | None = None
    chatted: _Event | None = None
    bought: _Event | None = None


class NewAdCampaign(Struct, kw_only=True, frozen=True):
    """live_code_id: its tags and welcome are the adds'. fallback_live_code_id (else live_code_id): where the
    button leads while the acquisition link can't be used. credentials: a name in the secret `ads`.
    report_url: of the platform generic.
    """

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    platform: Platform
    channel: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    live_code_id: _Id | None = None
    fallback_live_code_id: _Id | None = None
    staff_ids: Annotated[list[StaffId], Meta(max_length=500)]
    skip_verify: bool = True
    page: LandingPage
    report: Report = msgspec.field(default_factory=Report)
    credentials: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_./-]{1,64}\Z")] | None = None
    report_url: Annotated[str, Meta(max_length=1000)] | None = None
    attribution_window: Annotated[str, Meta(max_length=30, description="ISO 8601 duration, to P90D")] = "P30D"
    alert_staff_ids: Annotated[list[StaffId], Meta(max_length=20)] = []

    def __post_init__(self) -> None:
        fold_fields(self, "staff_ids", "alert_staff_ids")


class AdCampaignPatch(Struct, kw_only=True):
    """A JSON merge patch (RFC 7396). `platform` can't be changed: clicks are kept in its way."""

    name: Any | UnsetType = UNSET
    channel: Any | UnsetType = UNSET
    live_code_id: Any | UnsetType = UNSET
    fallback_live_code_id: Any | UnsetType = UNSET
    staff_ids: Any | UnsetType = UNSET
    skip_verify: Any | UnsetType = UNSET
    page: Any | UnsetType = UNSET
    report: Any | UnsetType = UNSET
    credentials: Any | UnsetType = UNSET
    report_url: Any | UnsetType = UNSET
    attribution_window: Any | UnsetType = UNSET
    alert_staff_ids: Any | UnsetType = UNSET


Closed = Literal["archived", "no_staff", "link_unavailable", "link_deleted", "no_link", "quota_exhausted"]


class LinkState(Struct, kw_only=True, frozen=True):
    """WeCom's acquisition link. errcode: why WeCom refused the newest version of it."""

    status: Literal["making", "ready", "refused", "deleted"]
    link_id: str | None
    url: str | None
    errcode: int | None


class AdCampaign(NewAdCampaign, kw_only=True, frozen=True):
    """closed: why the page leads to the fallback; null while it leads to the acquisition link.

    warnings: guides whom WeCom does not know, or gives no customers.
    """

    ad_campaign_id: str
    version: int
    url: str
    active: bool
    link: LinkState
    closed: (
        Literal["archived", "no_staff", "link_unavailable", "link_deleted", "no_link", "quota_exhausted"]
        | None
    )
    created_at: str
    updated_at: str
    warnings: list[StaffWarning] | UnsetType = UNSET


class AdConversion(Struct, kw_only=True, frozen=True):
    conversion_id: str
    ad_campaign_id: str
    kind: Literal["added", "chatted", "bought", "refunded"]
    status: ConversionStatus
    reason: str | None
    at: str
    external_userid: str | None
    order_id: str | None
    amount_fen: int | None
    tries: int
    created_at: str
    sent_at: str | None
    next_at: str | None


class AdDay(Struct, kw_only=True, frozen=True):
    """A campaign's figures of one day in Shanghai. buyers: first orders; gmv_fen: less refunds."""

    day: date
    views: int = 0
    clicks: int = 0
    adds: int = 0
    chats: int = 0
    buyers: int = 0
    orders: int = 0
    gmv_fen: int = 0
    reports_sent: int = 0
    reports_failed: int = 0
    reports_unknown: int = 0


class AdCampaignsQuery(Searching, kw_only=True):
    sort: Literal["created_at", "-created_at", "name", "-name"] = "-created_at"
    platform: Platform | None = None
    status: Literal["active", "archived"] = "active"


class AdConversionsQuery(Paging, kw_only=True):
    ad_campaign_id: Annotated[str, Meta(min_length=1)]
    status: (
        Annotated[ConversionStatus, Meta(description="unknown: an answer was lost; unreported: only counted")]
        | None
    ) = None


class DaysQuery(Tabular, kw_only=True):
    first: (
        Annotated[date, Meta(description="First day (Asia/Shanghai); default: 29 days before `to`")] | None
    ) = msgspec.field(name="from", default=None)
    last: Annotated[date, Meta(description="Last day, included; default: today")] | None = msgspec.field(
        name="to", default=None
    )


class Expiring(Struct, kw_only=True, frozen=True):
    expire_date: str
    balance: int


class AdQuota(Struct, kw_only=True, frozen=True):
    """Of all acquisition links together. total: used ever. balance: null until WeCom was first asked."""

    total: int | None
    balance: int | None
    exhausted: bool
    expiring: list[Expiring]
    checked_at: str | None
