"""What is stored of group codes: the groups that were added to a code's line, who came once."""

from pynamodb.attributes import ListAttribute, UnicodeAttribute

from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta


class LineItem(Base):
    """Groups that fill up after the operator's own: opened by WeCom, or by an owner who was asked."""

    class Meta(BaseMeta):
        table_name = settings.table("group_lines")

    live_code_id = UnicodeAttribute(hash_key=True)
    added: ListAttribute[str] = ListAttribute(null=True)


class PersonItem(Base):
    """Somebody who came into a group of a code by that code: counted once. Key: `<live_code_id>#<person>`."""

    class Meta(BaseMeta):
        table_name = settings.table("group_people")

    person = UnicodeAttribute(hash_key=True)
    chat_id = UnicodeAttribute()
    at = UnicodeAttribute()
    assignment_id = UnicodeAttribute(null=True)
