"""A customer's state is a function of the set of events, not of their order; the figures agree with it."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.customers import rules
from chalicelib.customers.rules import ACTIVE, HALF, LOST, Change, Customer, Source

T0 = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NOBODY = Customer("wm1")

Happening = tuple[str, str, int, str | None]  # what, staff, second, channel


def apply(customer: Customer, happening: Happening) -> Change:
    what, staff_id, second, channel = happening
    at = T0 + timedelta(seconds=second)
    if what == LOST:
        return rules.lost(customer, staff_id, at)
    source = Source(at, channel, f"lc_{channel}") if channel else None
    return rules.added(customer, staff_id, at, what == HALF, source)


def play(happenings: list[Happening]) -> tuple[Customer, list[Change]]:
    customer, changes = NOBODY, []
    for happening in happenings:
        changes.append(apply(customer, happening))
        customer = changes[-1].customer
    return customer, changes


happenings = st.lists(
    st.tuples(
        st.sampled_from([HALF, ACTIVE, LOST]),
        st.sampled_from(["lihua", "wangwu"]),
        st.integers(0, 3),  # few seconds: ties are what goes wrong
        st.sampled_from([None, "parcel", "poster"]),
    ),
    max_size=7,
    unique=True,
)


@given(happenings, st.randoms())
def test_any_order_gives_the_same_state(events: list[Happening], random: object) -> None:
    shuffled = list(events)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert play(events)[0] == play(shuffled)[0]


@given(happenings)
def test_begun_less_ended_is_what_stands(events: list[Happening]) -> None:
    customer, changes = play(events)
    begun, ended = sum(c.begins for c in changes), sum(c.ends for c in changes)
    assert begun - ended == len(customer.staff_ids)


@given(happenings)
def test_a_repeat_changes_no_state_and_no_figure(events: list[Happening]) -> None:
    customer, _ = play(events)
    for event in events:
        again = apply(customer, event)
        assert again.customer == customer
        assert not again.begins and not again.ends


@given(happenings)
def test_only_one_add_is_the_first(events: list[Happening]) -> None:
    _, changes = play(events)
    adds = [c for c, e in zip(changes, events, strict=True) if e[0] != LOST]
    assert [c.first for c in adds] == [True, *[False] * (len(adds) - 1)][: len(adds)]


def test_within_one_second_a_loss_wins_and_a_whole_add_over_a_half_one() -> None:
    same = [(ACTIVE, "lihua", 0, None), (HALF, "lihua", 0, None), (LOST, "lihua", 0, None)]
    for order in permutations(same):
        assert play(list(order))[0].follows["lihua"].status == LOST
    assert play(same[:2])[0].follows["lihua"].status == ACTIVE
    assert play(same[1::-1])[0].follows["lihua"].status == ACTIVE


def test_deleted_before_added_is_lost_and_counts_once_each() -> None:
    loss, late = play([(LOST, "lihua", 2, None), (ACTIVE, "lihua", 1, "parcel")])[1]
    assert (loss.begins, loss.ends, loss.last) == (False, False, True)
    assert (late.begins, late.ends, late.channel) == (True, True, "parcel")
    follow = late.customer.follows["lihua"]
    assert follow.status == LOST
    assert follow.added_at == T0 + timedelta(seconds=1)


def test_the_whole_add_after_a_half_one_begins_nothing() -> None:
    half, whole = play([(HALF, "lihua", 0, "parcel"), (ACTIVE, "lihua", 5, None)])[1]
    assert (half.begins, half.first) == (True, True)
    assert (whole.begins, whole.first, whole.channel) == (False, False, "parcel")
    assert whole.customer.follows["lihua"].status == ACTIVE


def test_last_is_when_no_bond_is_left() -> None:
    both = [(ACTIVE, "lihua", 0, None), (ACTIVE, "wangwu", 1, None)]
    first, second = play([*both, (LOST, "lihua", 2, None), (LOST, "wangwu", 3, None)])[1][2:]
    assert (first.last, second.last) == (False, True)
    assert (first.customer.staff_ids, second.customer.staff_ids) == (["wangwu"], [])


def test_the_customers_channel_is_the_first_that_brought_them_the_bonds_the_newest() -> None:
    customer, _ = play([(ACTIVE, "lihua", 3, "poster"), (ACTIVE, "lihua", 1, "parcel")])
    assert (customer.channel, customer.live_code_id) == ("parcel", "lc_parcel")
    source = customer.follows["lihua"].source
    assert source is not None and source.channel == "poster"


def test_the_newest_bond_comes_first() -> None:
    assert play([(ACTIVE, "lihua", 0, None), (ACTIVE, "wangwu", 1, None)])[0].staff_ids == ["wangwu", "lihua"]


def test_corp_tags_leaves_out_what_is_personal_or_has_no_group() -> None:
    follows = [
        {"userid": "a", "tags": [{"group_name": "来源", "tag_name": "海报", "type": 1}]},
        {"userid": "b", "tags": [{"group_name": "个人", "tag_name": "爱聊", "type": 2}, {"type": 1}]},
        {"userid": "c"},
    ]
    assert rules.corp_tags(follows) == {"来源/海报"}


def test_a_profile_without_a_part_keeps_what_is_known() -> None:
    known = Customer("wm1", name="小王", avatar="https://a", unionid="o1")
    assert rules.with_profile(known, {"name": ""}) == known
    assert rules.with_profile(known, {"name": "王", "unionid": "o2"}).unionid == "o2"


def test_tags_are_a_sorted_set() -> None:
    assert rules.with_tags(Customer("wm1", tags=("b/b",)), add=["a/a", "a/a"], remove=["b/b"]).tags == (
        "a/a",
    )


@given(happenings, st.integers(0, 7), st.integers(0, 7))
def test_an_import_among_the_events_changes_neither_state_nor_figures(
    events: list[Happening], which: int, when: int
) -> None:
    """It finds a bond that was made by one of the adds, before or after that one is heard of."""
    adds = [one for one in events if one[0] == ACTIVE]
    if not adds:
        return
    _, staff_id, second, channel = adds[which % len(adds)]
    at = T0 + timedelta(seconds=second)
    source = Source(at, channel, f"lc_{channel}") if channel else None
    customer, changes = NOBODY, []
    for number, event in enumerate(events):
        if number == when % len(events):
            customer = rules.found(customer, staff_id, at, source)
        changes.append(apply(customer, event))
        customer = changes[-1].customer
    assert customer == play(events)[0]
    begun, ended = sum(c.begins for c in changes), sum(c.ends for c in changes)
    assert begun - ended == len(customer.staff_ids)


def test_a_bond_that_was_only_imported_begins_nothing_and_its_end_is_a_loss() -> None:
    old = rules.found(NOBODY, "lihua", T0 - timedelta(days=900), None)
    assert old.follows["lihua"].imported and old.staff_ids == ["lihua"]
    again = rules.added(old, "lihua", T0, False, None)  # deleted, unheard of, and added again
    assert (again.begins, again.first) == (False, False)
    assert not again.customer.follows["lihua"].imported
    change = rules.lost(old, "lihua", T0)
    assert (change.ends, change.last) == (True, True)
