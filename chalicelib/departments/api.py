"""The door of departments: what a person or a key can be kept to."""

from chalicelib.departments import service
from chalicelib.departments.service import Department
from chalicelib.departments.types import DepartmentsQuery
from chalicelib.platform import http, lists
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="People")


@door.route(
    "GET",
    "/api/departments",
    permission="users.read",
    query=DepartmentsQuery,
    answer=Page[Department],
    summary="Departments of WeCom's, by which people and keys can be kept to a part of the corp",
)
def listing(call: Call) -> Page[Department]:
    return lists.whole(
        service.tree(),
        call.query,
        key=lambda row: row.department_id,
        sorts={"name": lambda row: row.name},
        sort=call.query.sort,
        texts=lambda row: (row.name, row.department_id),
    )
