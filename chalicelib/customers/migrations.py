"""Customers that were stored up to commit 21fa5db are in no list until they are entered."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="customer-lists",
        items="chalicelib.customers.models:CustomerItem",
        change="chalicelib.customers.models:enter_in_lists",
    )
]
