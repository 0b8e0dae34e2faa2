"""Who was put on the blacklist before there was a list of them is in none until they are entered."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="blacklist-list",
        items="chalicelib.groups.models:BlacklistItem",
        change="chalicelib.groups.blacklist:enter_in_list",
    )
]
