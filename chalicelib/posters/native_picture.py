"""The picture of WeCom's own code, for posters of native live codes."""

from chalicelib.assignments import native_list
from chalicelib.groupcodes import join_ways
from chalicelib.groupcodes.group_order import is_group_code, is_native
from chalicelib.livecodes.service import LiveCode


def fetch_native_picture(code: LiveCode) -> bytes | None:
    """PNG or JPEG; None of a dynamic code. Upstream, WeComError, UsedUp."""
    if code.native:
        return native_list.fetch_picture(code)
    return join_ways.fetch_picture(code) if is_group_code(code) and is_native(code) else None
