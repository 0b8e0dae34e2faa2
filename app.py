"""The HTTP doors, nothing but routing: one line per door, with the roots of its routes.

Two functions are made of this app. DOORS in the environment says which doors one of them serves,
`api` or `public`; without it, both. A door is imported at the first request of one of its roots.
"""

import os

from chalicelib.platform.http_routing import Millrace

API_ROOTS = ("/api", "/console", "/sidebar", "/h5/tasks", "/h5/login")  # all else is public

DOORS = {
    "ads.api": "/api/ad-campaigns /api/ad-conversions /api/ad-quota /h5/a",
    "alarms.api": "/api/settings",
    "assignments.api": "/api/assignments /api/live-codes",
    "blacklist.api": "/api/blacklist",
    "brand.api": "/api/brand /brand",
    "callbacks.api": "/wecom /",  # WW_verify_….txt
    "channels.api": "/api/channels",
    "churn.api": "/api/churn",
    "segments.api": "/api/segments",
    "collect.api": "/h5/d",
    "connections.api": "/api/connections",
    "console.api": "/console",
    "console.entrance": "/",
    "departments.api": "/api/departments",
    "contactways.api": "/api/contact-ways /api/live-codes",
    "coupons.api": "/api/coupon-pools",
    "customers.api": "/api/customers",
    "distribution.api": "/api/distribution /api/distributors /api/commissions",
    "distribution.books": "/api/ledger /api/distributors",
    "embeds.api": "/api/live-codes /embed.js /s",
    "exports.api": "/api/exports",
    "groupcodes.api": "/api/group-tasks /api/live-codes",
    "groups.api": "/api/groups",
    "home.api": "/api/home /api/pulse",
    "imports.api": "/api/imports",
    "ledger.api": "/api/ledger",
    "livecodes.api": "/api/live-codes",
    "malls.api": "/mall",
    "messaging.api": "/api/settings /api/welcomes",
    "metrics.api": "/api/metrics",
    "migrations.api": "/api/migrations",
    "orders.api": "/api/orders",
    "payouts.api": "/api/settlements /api/payouts /pay",
    "people.api": "/api/me /api/users /api/api-keys /api/audit /api/sessions /console/session",
    "platform.api": "/api/dead-letters /api/jobs /api/openapi.json /healthz",
    "posters.api": "/api/poster-assets /api/poster-batches /api/poster-templates /api/live-codes",
    "printruns.api": "/api/print-runs /api/cards /api/live-codes",
    "prospects.api": "/api/prospects /api/prospect-imports",
    "prospects.task_page": "/h5/tasks",
    "scans.api": "/s",
    "sidebar.api": "/sidebar /api/sidebar",
    "sops.api": "/api/sops /api/touches",
    "roster.api": "/api/staff",
    "staffauth.api": "/h5/login /console/login",
    "stores.api": "/api/stores",
    "taggroups.api": "/api/tag-groups /api/tags",
    "tags.api": "/api/customers",
    "views.api": "/api/views",
}


def function_of(path: str) -> str:
    """Which of the two functions serves a path."""
    return "api" if any(path == root or path.startswith(f"{root}/") for root in API_ROOTS) else "public"


app = Millrace(
    DOORS,
    serves=lambda path: os.environ.get("DOORS") in (None, function_of(path)),
    spellings="chalicelib.staff.spelling",
    pages="chalicelib.web.frame",
)
