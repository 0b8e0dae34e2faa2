"""The line of a group code as the API shows it."""

from msgspec.structs import asdict

from chalicelib.groupcodes.group_order import is_group_code, is_opened_by_wecom, limit_of, line_of
from chalicelib.groupcodes.join_ways import find_native
from chalicelib.groupcodes.types import LineOut
from chalicelib.groups import service as groups
from chalicelib.groups.types import RoomOut
from chalicelib.livecodes import service as livecodes
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import Principal


def show_line(live_code_id: str, principal: Principal) -> LineOut:
    """The code's groups in the order in which they fill up. NotFound."""
    code = livecodes.get(live_code_id, principal)
    if not is_group_code(code):
        raise NotFound(code="not_a_group_code")
    limit, chat_ids = limit_of(code), line_of(code)
    rooms = zip(groups.describe(chat_ids), groups.rooms(chat_ids), strict=True)
    return LineOut(
        live_code_id=live_code_id,
        printing=code.definition["printing"],
        limit=limit,
        opened_by="wecom" if is_opened_by_wecom(code) else "owner",
        line=[RoomOut(**asdict(group), places_left=room.left(limit)) for group, room in rooms],
        native=find_native(code),
    )
