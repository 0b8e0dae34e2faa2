"""What stored distributors and commissions need, after an upgrade from before these were there.

Commissions that were stored up to commit 21fa5db are in no list until they are entered, or changed.
Distributors that were stored up to commit 73343f6 have their real names and openids in plain text, and
nobody can be found by their openid.
"""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="commission-list",
        items="chalicelib.distribution.models:CommissionItem",
        change="chalicelib.distribution.models:enter_in_list",
    ),
    Migration(
        name="seal-distributors",
        items="chalicelib.distribution.models:DistributorItem",
        change="chalicelib.distribution.distributors:migrate",
    ),
]
