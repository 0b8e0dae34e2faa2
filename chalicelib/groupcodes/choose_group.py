"""Which group of a group code gets the next person: the first that has room; pure."""

from collections.abc import Container, Iterable, Sequence
from itertools import islice

from chalicelib.groups.rules import Room, end_of, with_waiting


def choose_with_room(
    rooms: Iterable[Room], limit: int, without: Container[str], first: int = 1, turn: int = 0
) -> Room | None:
    """One of the `first` groups that have room, in turn: by default the very first."""
    fitting = (room for room in rooms if room.left(limit) and room.chat_id not in without)
    fitting_rooms = list(islice(fitting, first))
    return fitting_rooms[turn % len(fitting_rooms)] if fitting_rooms else None


def choose_last(rooms: Sequence[Room], limit: int, without: Container[str]) -> Room | None:
    """The group at the end of a full line, from which WeCom opens the next: it may do so at a scan only.

    None when as many as `with_waiting` allows were sent there in vain.
    """
    last = end_of(rooms)
    if last is None or last.taken >= with_waiting(limit) or last.chat_id in without:
        return None
    return last
