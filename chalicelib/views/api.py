"""Doors of saved views."""

from chalicelib.platform import http
from chalicelib.platform.http import Call
from chalicelib.platform.lists import Page
from chalicelib.views import service
from chalicelib.views.types import DeletedView, NewView, View, ViewPatch, ViewsQuery

door = http.Door(__name__, tag="Views")


@door.route(
    "GET",
    "/api/views",
    permission="views.read",
    query=ViewsQuery,
    answer=Page[View],
    summary="Saved views of lists, by name: one's own and those that are shared",
)
def index(call: Call) -> Page[View]:
    return service.page(call.query, call.principal)


@door.route(
    "POST",
    "/api/views",
    permission="views.write",
    body=NewView,
    status=201,
    answer=View,
    summary="Save a list's filters and order under a name",
)
def create(call: Call) -> View:
    return service.create(call.body, call.principal)


@door.route(
    "PATCH",
    "/api/views/{view_id}",
    permission="views.write",
    body=ViewPatch,
    answer=View,
    summary="Rename, change, share a view of one's own",
)
def change(call: Call, view_id: str) -> View:
    return service.change(view_id, call.body, call.principal)


@door.route(
    "DELETE",
    "/api/views/{view_id}",
    permission="views.write",
    answer=DeletedView,
    summary="Delete a view of one's own",
)
def delete(call: Call, view_id: str) -> DeletedView:
    service.delete(view_id, call.principal)
    return DeletedView(view_id=view_id)
