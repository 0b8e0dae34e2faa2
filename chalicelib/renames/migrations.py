"""Userids that were stored before they were folded: what is kept under them moves to the folded ones."""

from chalicelib.migrations.types import Migration

_FOLD = "chalicelib.renames.folding:order"
MIGRATIONS = [
    Migration(name="userids-of-staff", items="chalicelib.staff.models:StaffItem", change=_FOLD),
    Migration(name="userids-of-follows", items="chalicelib.customers.models:FollowItem", change=_FOLD),
    Migration(name="userids-of-prospects", items="chalicelib.prospects.models:GuideItem", change=_FOLD),
]
