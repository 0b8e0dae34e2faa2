"""Whoever changes a single thing may say which version of it they have seen."""

from app import app
from chalicelib.platform.http import Door
from chalicelib.platform.versions import IfMatchHeader

assert app  # whose doors these are
# A view has one owner and no door of its own; on the blacklist one is, or is not.
WITHOUT = {("PATCH", "/api/views/{view_id}"), ("PUT", "/api/blacklist/{external_userid}")}


def test_every_change_takes_the_version_that_was_seen() -> None:
    changes = [
        route for route in Door.routes if route.method in ("PATCH", "PUT") and route.path.startswith("/api/")
    ]
    assert len(changes) > 15
    assert {(one.method, one.path) for one in changes if one.headers is not IfMatchHeader} == WITHOUT
