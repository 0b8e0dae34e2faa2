"""Enrolments that were stored up to commit 21fa5db are in no list by SOP or guide until they are entered."""

from chalicelib.migrations.types import Migration

MIGRATIONS = [
    Migration(
        name="touch-lists",
        items="chalicelib.sops.models:EnrolmentItem",
        change="chalicelib.sops.models:enter_in_lists",
    )
]
