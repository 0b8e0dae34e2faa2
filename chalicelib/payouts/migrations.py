"""Payouts that were stored up to commit 73343f6 have their receivers' names and openids in plain text."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="seal-payouts",
        items="chalicelib.payouts.models:PayoutItem",
        change="chalicelib.payouts.payees:seal_stored",
    )
]
