"""Who sees a shared view. Pure."""

from chalicelib.platform.principal import Principal, Scope

# A view is of a list of the API, and takes the permission that the list takes.
PERMISSIONS: dict[str, str] = {
    "ad-campaigns": "ad_campaigns.read",
    "ad-conversions": "ad_conversions.read",
    "api-keys": "keys.read",
    "assignments": "assignments.read",
    "audit": "audit.read",
    "commissions": "commissions.read",
    "coupon-pools": "coupons.read",
    "customers": "customers.read",
    "distribution/plans": "distribution_plans.read",
    "distributors": "distributors.read",
    "group-tasks": "group_tasks.read",
    "groups": "groups.read",
    "jobs": "jobs.read",
    "live-codes": "live_codes.read",
    "orders": "orders.read",
    "payouts": "payouts.read",
    "print-runs": "print_runs.read",
    "prospect-imports": "prospects.read",
    "prospects": "prospects.read",
    "settlements": "settlements.read",
    "sops": "sops.read",
    "staff": "staff.read",
    "stores": "stores.read",
    "touches": "touches.read",
    "users": "users.read",
}


def may_use(principal: Principal, list_name: str) -> bool:
    """Whether the principal may read the list at all."""
    return list_name in PERMISSIONS and principal.may(PERMISSIONS[list_name])


def is_shared_with(principal: Principal, owner: Scope) -> bool:
    """Whether what a colleague of that scope shared is for the principal.

    The whole corp's is for all: what is outside of their scope the list itself refuses. A scope's is for the
    same scope, and for who has none: a filter may hold a customer's name.
    """
    return owner == Scope() or principal.scope in (Scope(), owner)
