"""What is stored of customer groups: the group and its counts, its members, tasks, the blacklist."""

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, IncludeProjection, KeysOnlyProjection

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta

LISTED = "chat"
BLACKLISTED = "blacklist"


class ByChat(GlobalSecondaryIndex["ChatItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = KeysOnlyProjection()  # nothing reads it: to go one release after `names` has come

    listing = UnicodeAttribute(hash_key=True)
    chat_id = UnicodeAttribute(range_key=True)


class ByName(GlobalSecondaryIndex["ChatItem"]):
    """What a list of groups is filtered and sorted by; none of it changes with a scan."""

    class Meta(BaseMeta):
        index_name = "names"
        projection = IncludeProjection(["name", "owner", "status", "created_at"])

    listing = UnicodeAttribute(hash_key=True)
    chat_id = UnicodeAttribute(range_key=True)
    name = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    status = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)


class ChatItem(Base):
    """A group. `people`: all members, staff among them; always the number of its rows that have not left.

    reserved: open reservations. taken = people + reserved: one attribute, so that one condition can
    hold it under a limit. member_version: WeCom's, up to which the mirror is true; `passed`: the last
    few before it. codes: live codes whose line it is or was in. seen_at: when WeCom last told all of it.
    """

    class Meta(BaseMeta):
        table_name = settings.table("group_chats")

    chat_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    name = UnicodeAttribute(null=True)
    owner = UnicodeAttribute(null=True)
    status = UnicodeAttribute()
    people = NumberAttribute()
    staff = NumberAttribute()
    reserved = NumberAttribute()
    taken = NumberAttribute()
    member_version = UnicodeAttribute()
    passed = JSONAttribute()
    codes = UnicodeSetAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)
    seen_at = UnicodeAttribute(null=True)
    by_chat = ByChat()
    by_name = ByName()


class ByPerson(GlobalSecondaryIndex["MemberItem"]):
    class Meta(BaseMeta):
        index_name = "person"
        projection = KeysOnlyProjection()

    external_userid = UnicodeAttribute(hash_key=True)
    chat_id = UnicodeAttribute(range_key=True)


class MemberItem(Base):
    """Somebody who is, or was, in a group. external_userid: only while in it, and only of outsiders.

    scene: invited, link, qr. pending: came by QR code, and by whose is not known yet. black: was on
    the blacklist when they came.
    """

    class Meta(BaseMeta):
        table_name = settings.table("group_members")

    chat_id = UnicodeAttribute(hash_key=True)
    member_id = UnicodeAttribute(range_key=True)
    staff = BooleanAttribute()
    joined_at = UnicodeAttribute()
    scene = UnicodeAttribute()
    version = UnicodeAttribute()
    state = UnicodeAttribute(null=True)
    invitor = UnicodeAttribute(null=True)
    pending = BooleanAttribute(null=True)
    black = BooleanAttribute(null=True)
    left_at = UnicodeAttribute(null=True)
    external_userid = UnicodeAttribute(null=True)
    by_person = ByPerson()


class ByStatus(GlobalSecondaryIndex["TaskItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    status = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class ByOwner(GlobalSecondaryIndex["TaskItem"]):
    class Meta(BaseMeta):
        index_name = "owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class WaitingForOwner(GlobalSecondaryIndex["TaskItem"]):
    class Meta(BaseMeta):
        index_name = "waits_for"
        projection = KeysOnlyProjection()

    waits_for = UnicodeAttribute(hash_key=True)
    created_at = UnicodeAttribute(range_key=True)


class TaskItem(Base):
    """What an owner is asked to do: `open_group` or `remove_member`. waits_for: the owner, while open.

    how: `owner` (asked by app message) or `auto` (WeCom opens it, we look for it). name: the new group's.
    """

    class Meta(BaseMeta):
        table_name = settings.table("group_tasks")

    task_id = UnicodeAttribute(hash_key=True)
    kind = UnicodeAttribute()
    status = UnicodeAttribute()
    how = UnicodeAttribute()
    created_at = UnicodeAttribute()
    chat_id = UnicodeAttribute()
    owner = UnicodeAttribute()
    waits_for = UnicodeAttribute(null=True)
    live_code_id = UnicodeAttribute(null=True)
    name = UnicodeAttribute(null=True)
    external_userid = UnicodeAttribute(null=True)
    told_at = UnicodeAttribute(null=True)
    asked = NumberAttribute()
    done_at = UnicodeAttribute(null=True)
    new_chat_id = UnicodeAttribute(null=True)
    by_status = ByStatus()
    by_owner = ByOwner()
    waiting_for = WaitingForOwner()


class BlacklistListing(GlobalSecondaryIndex["BlacklistItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    at = UnicodeAttribute(range_key=True)


class BlacklistItem(Base):
    """by: who put them on it, a member of staff or an API key. listing: BLACKLISTED, or not listed yet."""

    class Meta(BaseMeta):
        table_name = settings.table("group_blacklist")

    external_userid = UnicodeAttribute(hash_key=True)
    reason = UnicodeAttribute()
    at = UnicodeAttribute()
    by = UnicodeAttribute(null=True)
    listing = UnicodeAttribute(null=True)
    by_listing = BlacklistListing()
