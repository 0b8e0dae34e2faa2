"""Orders that were stored up to commit 21fa5db are in no list until they are entered, or written again."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="order-lists",
        items="chalicelib.orders.models:OrderItem",
        change="chalicelib.orders.models:enter_in_lists",
    )
]
