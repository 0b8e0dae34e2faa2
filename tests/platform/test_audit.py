"""What an entry of the audit says of a change, and what it must not say."""

import json

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.platform import audit

SECRET = "13800138000"
SAFE = st.sampled_from(["name", "city", "hours", "levels"])
HIDDEN = st.sampled_from(sorted(audit.MASKED))


@st.composite
def nested(draw: st.DrawFn, inner: st.SearchStrategy[object]) -> object:
    return draw(
        st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(SAFE, inner, max_size=3),
            st.dictionaries(HIDDEN, inner),
        )
    )


VALUES = st.recursive(st.sampled_from([1, "a", None]), nested, max_leaves=12)
RECORDS = st.dictionaries(SAFE, VALUES, max_size=4)
PEOPLE = st.dictionaries(HIDDEN, st.sampled_from([SECRET, [SECRET], {"a": SECRET}]), min_size=1, max_size=3)


@given(before=RECORDS, after=RECORDS, person=PEOPLE, where=st.sampled_from(["top", "inside", "list"]))
def test_nothing_personal_and_no_secret_is_in_an_entry(
    before: dict[str, object], after: dict[str, object], person: dict[str, object], where: str
) -> None:
    places: dict[str, dict[str, object]] = {
        "top": person,
        "inside": {"city": person},
        "list": {"city": [person]},
    }
    changes = audit.differences(before, {**after, **places[where]}, audit.MASKED)
    assert SECRET not in json.dumps([[change.before, change.after] for change in changes])
    assert changes


@given(record=RECORDS)
def test_the_same_is_no_change(record: dict[str, object]) -> None:
    assert audit.differences(record, record, audit.MASKED) == []


def test_fields_inside_are_named_by_their_path_and_a_long_value_by_its_length() -> None:
    changes = audit.differences(
        {"hours": {"monday": "9-18"}, "phone": "1", "members": []},
        {"hours": {"monday": "9-20"}, "members": ["x" * 3000]},
        audit.MASKED,
    )
    assert changes == [
        audit.Change("hours.monday", "9-18", "9-20"),
        audit.Change("members", [], "(3004 bytes)"),
        audit.Change("phone", audit.MASK, None),
    ]
