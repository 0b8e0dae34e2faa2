"""Departments on the wire."""

from typing import Literal

from chalicelib.platform.paging import Searching


class DepartmentsQuery(Searching, kw_only=True):
    """`q`: in name and id."""

    sort: Literal["name", "-name"] = "name"
