"""Which group gets the next person: the first with room, or several side by side."""

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.groupcodes.choose_group import choose_with_room
from chalicelib.groups.rules import Room

_ROOMS = st.lists(st.builds(Room, st.uuids().map(str), st.integers(0, 260), st.booleans()), max_size=12)


@given(_ROOMS, st.integers(1, 200))
def test_the_first_with_room_is_the_first(rooms: list[Room], limit: int) -> None:
    found = choose_with_room(rooms, limit, frozenset())
    before = rooms if found is None else rooms[: rooms.index(found)]
    assert not any(room.usable and room.taken < limit for room in before)
    assert found is None or (found.usable and found.taken < limit)


@given(_ROOMS, st.integers(1, 200), st.integers(1, 5), st.integers(0, 50))
def test_side_by_side_the_first_ones_with_room_in_turn(
    rooms: list[Room], limit: int, first: int, turn: int
) -> None:
    free = [room for room in rooms if room.usable and room.taken < limit][:first]
    found = [choose_with_room(rooms, limit, frozenset(), first, turn + n) for n in range(len(free))]
    assert sorted(free, key=id) == sorted(found, key=id)
