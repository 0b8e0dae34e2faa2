"""Journals that were written before there was a list of them are in none until they are entered."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="journal-list",
        items="chalicelib.ledger.models:JournalItem",
        change="chalicelib.ledger.models:enter_in_list",
    )
]
