"""Commissions that were stored up to commit 21fa5db are in no list until they are entered, or changed."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="commission-list",
        items="chalicelib.distribution.models:CommissionItem",
        change="chalicelib.distribution.models:enter_in_list",
    )
]
