"""What a list is asked and answers: the types of lists.py, for types that rules import too."""

from collections.abc import Callable
from typing import Annotated, Generic, Literal, TypeVar

from msgspec import Meta, Struct

Row = TypeVar("Row")
Item = TypeVar("Item")


Id = Annotated[str, Meta(min_length=1, max_length=256)]  # of what a list is filtered by: a key of the store


class Tabular(Struct, kw_only=True):
    """The query of what can be had as a file: all rows of it, whatever `limit` and `cursor` say."""

    format: Annotated[
        Literal["json", "csv", "xlsx"],
        Meta(description="`csv`, `xlsx`: the whole list as a file; one that is too large: POST /api/exports"),
    ] = "json"


class Paging(Tabular, kw_only=True):
    """The query of every list."""

    limit: Annotated[int, Meta(ge=1, le=200, description="Items on a page")] = 50
    cursor: Annotated[str | None, Meta(description="`next_cursor` of the page before")] = None


class Searching(Paging, kw_only=True):
    """The query of a list of named things; each list adds its own `sort` and filters."""

    q: Annotated[str, Meta(max_length=100, description="Part of a name or id, or its pinyin")] | None = None


class Page(Struct, Generic[Row]):
    """One page of a list. `total` counts the whole list, or as far as it was read (`at_least`)."""

    items: list[Row]
    total: int
    next_cursor: str | None = None
    total_is: Literal["exact", "at_least"] = "exact"

    def map(self, convert: Callable[[Row], Item]) -> "Page[Item]":
        """The same page with each row converted, to what its door answers with."""
        return Page([convert(row) for row in self.items], self.total, self.next_cursor, self.total_is)
