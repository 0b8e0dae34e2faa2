"""The line of a group code: its groups in the order in which they fill up, and what a code says of them."""

from collections.abc import Sequence

from msgspec.structs import replace

from chalicelib.groupcodes.models import LineItem
from chalicelib.groups import rules as group_rules
from chalicelib.groups import service as groups
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform import storage
from chalicelib.platform.storage import Transaction

_WECOM_LIMIT = 200  # people in a group, from which nobody enters by its QR code


def is_group_code(code: LiveCode) -> bool:
    return code.kind == "group"


def is_native(code: LiveCode) -> bool:
    """Whether posters hold WeCom's own code, which leads into several groups."""
    return bool(code.definition["printing"] == "native")


def line_of(code: LiveCode) -> list[str]:
    """The code's groups in the order in which they fill up."""
    item = LineItem.find(code.live_code_id)
    own = (code.definition["groups"] or {}).get("chat_ids", ())
    return group_rules.line(own, (item.added or ()) if item else ())


def add_group(code: LiveCode, chat_id: str) -> bool:
    """Add a group to the end of the line. False when it stands in it already."""
    groups.use(chat_id, code.live_code_id)  # first: whoever finds it in the line finds that it is used
    if chat_id in line_of(code):
        return False
    added = LineItem.added
    new = added.does_not_exist() | ~added.contains(chat_id)
    return storage.update_if(LineItem(code.live_code_id), [added.set((added | []).append([chat_id]))], new)


def check_not_appended(tx: Transaction, live_code_id: str, chat_id: str) -> None:
    """Let `tx` fail, on its item `line`, when the line has gone on in this group: that raises no version."""
    tx.check("line", LineItem(live_code_id), ~LineItem.added.contains(chat_id))


def limit_of(code: LiveCode) -> int:
    return int(code.definition["groups"]["limit"])


def of_store(code: LiveCode, chat_ids: Sequence[str]) -> LiveCode:
    """A nearest_store code as one of these groups: each to WeCom's limit, and no further ones."""
    settings = {"chat_ids": list(chat_ids), "limit": _WECOM_LIMIT, "auto_create": False}
    named = {"room_base_name": "", "room_base_id": 1}
    return replace(code, definition={**code.definition, "groups": {**settings, **named}})


def is_opened_by_wecom(code: LiveCode) -> bool:
    """Whether WeCom opens the next group."""
    return group_rules.by_wecom(bool(code.definition["groups"]["auto_create"]), limit_of(code))
