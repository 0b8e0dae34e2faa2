"""Two people change one code: who read an older version is told what it is now."""

import pytest

from tests.support.api import Api

CODE = {"name": "包裹卡", "channel": "parcel", "assignment": {"members": [{"staff_id": "lihua"}]}}


@pytest.mark.usefixtures("tables")
def test_a_change_of_what_was_changed_since_is_refused_with_its_present_state(api: Api) -> None:
    _, made = api("POST", "/api/live-codes", CODE)
    path = f"/api/live-codes/{made['live_code_id']}"
    read = api.raw("GET", path)
    version = {"If-Match": read.headers["ETag"]}
    changed = api.raw("PATCH", path, {"name": "门店海报"}, **version)
    assert (changed.status_code, changed.headers["ETag"]) == (200, api.raw("GET", path).headers["ETag"])
    status, problem = api("PATCH", path, {"name": "收银台"}, **version)
    assert (status, problem["present"]["name"]) == (409, "门店海报")
    assert api("GET", path)[1]["name"] == "门店海报"
    assert api("PATCH", path, {"name": "收银台"})[0] == 200  # without one the last write wins
