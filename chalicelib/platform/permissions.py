"""What each role may do. A permission is `<noun>.<verb>`; each route and job names the one it takes."""

_EVERYBODY = frozenset(
    {
        "brand.read",
        "me.read",
        "openapi.read",
        "sessions.end",  # their own, as the views
        "sessions.read",
        "views.read",
        "views.write",
    }
)

_READS = frozenset(
    {
        "ad_campaigns.read",
        "ad_conversions.read",
        "assignments.read",
        "blacklist.read",
        "channels.read",
        "connections.read",
        "contact_ways.read",
        "coupon_claims.read",
        "coupons.read",
        "customers.read",
        "dead_letters.read",  # masked
        "distribution_plans.read",  # without the rates
        "distributors.read",  # without amounts
        "exports.write",  # of lists that one may read
        "group_tasks.read",
        "groups.read",
        "home.read",
        "imports.read",
        "jobs.read",
        "live_codes.read",
        "metrics.read",
        "orders.read",
        "poster_templates.read",
        "print_runs.read",
        "prospects.export",  # masked
        "prospects.read",
        "pulse.read",
        "segments.read",
        "settings.read",
        "sops.read",
        "staff.read",
        "stores.read",
        "tag_groups.read",
        "touches.read",
    }
)
_WRITES = frozenset(
    {
        "ad_campaigns.write",
        "ad_conversions.retry",
        "ad_conversions.write",
        "blacklist.write",
        "channels.write",
        "connections.test",
        "brand.write",
        "coupons.write",
        "customers.write",
        "dead_letters.redrive",
        "distribution_plans.change",  # what is no money in them
        "distributors.change",  # likewise
        "distributors.write",
        "group_tasks.write",
        "groups.sync",
        "imports.write",
        "jobs.resume",
        "jobs.write",
        "live_codes.write",
        "poster_batches.write",
        "poster_templates.write",
        "print_runs.write",
        "prospects.erase",
        "prospects.write",
        "segments.write",
        "settings.write",
        "sops.write",
        "staff.sync",
        "staff.write",
        "stores.rebuild",
        "stores.write",
        "tag_groups.write",
        "views.share",
    }
)
# What is of the whole corp is outside of any scope: refused to whoever is kept to one, whatever the role.
CORP_WIDE = frozenset(
    {
        "audit.read",
        "balances.read",  # money is of no store
        "blacklist.read",
        "blacklist.write",
        "channels.write",  # a channel is the whole corp's
        "tag_groups.write",  # so are tags
        "brand.write",
        "commissions.read",
        "connections.read",
        "connections.test",
        "contact_ways.read",
        "coupon_claims.read",  # of any store's guides
        "coupons.write",  # a pool is the whole corp's stock
        "dead_letters.read",
        "dead_letters.redrive",
        "distribution_plans.change",
        "distribution_plans.read",
        "distribution_plans.write",
        "groups.sync",
        "imports.read",
        "imports.write",
        "keys.read",
        "ledger.read",
        "payees.write",
        "payouts.read",
        "payouts.retry",
        "rates.read",
        "settings.read",
        "settings.write",
        "settlements.read",
        "settlements.run",
        "staff.sync",
        "stores.rebuild",
        "users.read",
    }
)
_GUIDES = frozenset(
    {"customers.read", "customers.write", "home.read", "pulse.read", "touches.read"}
)  # their own
_MONEY_TOTALS = frozenset({"ledger.read", "settlements.read"})
_MONEY = _MONEY_TOTALS | {
    "balances.read",
    "commissions.read",
    "distribution_plans.change",
    "distribution_plans.write",
    "distributors.change",
    "payees.write",  # a distributor's openid, level, status
    "payouts.read",
    "payouts.retry",
    "rates.read",
    "settlements.run",
}
_PEOPLE = frozenset({"keys.read", "users.read"})
_ADMINS = frozenset(
    {
        "keys.write",
        "migrations.run",
        "phones.reveal",
        "users.write",
    }
)
_AUDIT = frozenset({"audit.read"})

ALL = _EVERYBODY | _READS | _WRITES | _MONEY | _PEOPLE | _ADMINS | _AUDIT
ROLES: dict[str, frozenset[str]] = {
    "admin": ALL,
    "operator": _EVERYBODY | _READS | _WRITES,
    "store_manager": (_EVERYBODY | _READS | _WRITES) - CORP_WIDE,
    "guide": _EVERYBODY | _GUIDES,
    "finance": _EVERYBODY | _READS | _MONEY | {"jobs.resume", "views.share"},
    "auditor": _EVERYBODY | _READS | _MONEY_TOTALS | _PEOPLE | _AUDIT,
}
