"""Tag groups as their doors have them."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.platform.paging import Searching

Name = Annotated[str, Meta(min_length=1, max_length=30)]
Order = Annotated[int, Meta(ge=0, le=4_294_967_295, description="The larger comes first")]


class NewTag(Struct, frozen=True, kw_only=True):
    """tag_id: of a tag that is there, whose name this is from now on."""

    name: Name
    tag_id: str | None = None


class NewTagGroup(Struct, frozen=True, kw_only=True):
    """Tags in the order in which they are shown."""

    name: Name
    tags: Annotated[tuple[NewTag, ...], Meta(min_length=1, max_length=1000)]
    order: Order = 0


class TagGroupPatch(Struct, frozen=True, kw_only=True):
    """A JSON merge patch. `tags` are all of them: one that is left out is deleted."""

    name: Any | UnsetType = UNSET
    tags: Any | UnsetType = UNSET
    order: Any | UnsetType = UNSET


class Tag(Struct, frozen=True, kw_only=True):
    """same_as: another tag of the group, whose name differs by spaces, width or case alone."""

    tag_id: str
    name: str
    order: int
    same_as: str | None = None


class TagGroup(Struct, frozen=True, kw_only=True):
    tag_group_id: str
    name: str
    order: int
    tags: tuple[Tag, ...]


class TagGroupOut(TagGroup, frozen=True, kw_only=True):
    version: int


class TagGroupsQuery(Searching, kw_only=True):
    sort: Literal["order", "-order", "name", "-name"] = "order"


class DeletedTagGroup(Struct, frozen=True, kw_only=True):
    tag_group_id: str


class Plan(Struct, frozen=True, kw_only=True):
    """What is to be done at WeCom. `named`, `ordered`: by ids of tags, or the group's."""

    named: dict[str, str]
    ordered: dict[str, int]
    made: tuple[str, ...]
    deleted: tuple[str, ...]
