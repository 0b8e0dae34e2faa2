"""How far a store is from the next one."""

from hypothesis import given
from hypothesis import strategies as st
from pytest import approx

from chalicelib.stores.geo import Position, distance_m, nearest_m

places = st.builds(Position, st.floats(20, 30), st.floats(105, 120))


def test_of_one_store_there_is_no_next() -> None:
    assert nearest_m([]) == [] and nearest_m([Position(22.5, 113.9)]) == [None]


@given(st.lists(places, min_size=2, max_size=12))
def test_it_is_the_nearest_of_all_others(positions: list[Position]) -> None:
    for n, found in enumerate(nearest_m(positions)):
        others = [distance_m(positions[n], one) for m, one in enumerate(positions) if m != n]
        assert found is not None
        # In a straight line: 0.3 % short at 1,700 km.
        assert approx(min(others), rel=0.004, abs=0.01) == found
