"""Live codes as a file: what an export says, what applying does, twice and half, and what it refuses."""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from chalice.test import Client
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from app import app
from chalicelib.livecodes import service as livecodes
from chalicelib.livecodes import yaml_files
from chalicelib.platform import auth, yaml_text
from chalicelib.platform.errors import Conflict, Invalid
from tests.support.scan_support import NOON, complete, definition, new_process

WINTER = """
codes:
  - ref: winter-card
    name: 冬季包裹卡
    channel: parcel
    tags: [渠道/包裹卡]
    assignment:
      members:
        - staff_id: lihua
          daily_cap: 100
          hours:
            - {weekdays: [1, 2, 3], from: 09:00, to: 18:00}
      fallback_staff_ids: [wangwu]
    welcome:
      text: "您好 {customer_name}\\n我是 {staff_name}"
    schedule:
      from: 2026-11-22T10:00:00+08:00
"""


class Api:
    def __init__(self, client: Client):
        self.client, self.key = client, auth.create_key("test", "operator")

    def raw(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        data = b"" if body is None else json.dumps(body).encode()
        return self.client.http.request(method, path, headers=headers, body=data)

    def export(self, query: str = "") -> str:
        answer = self.raw("GET", f"/api/live-codes/export{query}")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/yaml; charset=utf-8"
        return answer.body.decode()

    def apply(self, yaml: str, **options: Any) -> tuple[int, Any]:
        answer = self.raw("POST", "/api/live-codes/apply", {"yaml": yaml, "dry_run": False, **options})
        return answer.status_code, json.loads(answer.body)

    def actions(self, yaml: str, **options: Any) -> list[str]:
        status, told = self.apply(yaml, **options)
        assert status == 200, told
        return [change["action"] for change in told["changes"]]

    def wrong(self, yaml: str) -> list[str]:
        """The fields that are told, by a dry run."""
        status, told = self.apply(yaml, dry_run=True)
        assert status == 422, told
        return [error["field"] for error in told["errors"]]


@pytest.fixture
def api(tables: None, at: Callable[[datetime], None], sent: list[Any]) -> Iterator[Api]:
    new_process()
    at(NOON)
    with Client(app) as client:
        yield Api(client)
    new_process()


def listed() -> list[livecodes.LiveCode]:
    return list(livecodes.read_all())


def test_a_dry_run_says_what_would_be_made_and_makes_nothing(api: Api) -> None:
    status, told = api.apply(WINTER, dry_run=True)
    assert (status, told["applied"]) == (200, False)
    (change,) = told["changes"]
    assert change["live_code_id"] == livecodes.id_of("winter-card")
    assert (change["ref"], change["action"], change["diff"]) == ("winter-card", "create", [])
    assert "+  name: 冬季包裹卡\n" in change["text"]
    assert listed() == []
    assert json.loads(
        api.raw("POST", "/api/live-codes/apply", {"yaml": WINTER}).body
    ) == told  # dry is the default  # fmt: skip


def test_applied_twice_it_is_made_once_and_its_export_changes_nothing(api: Api) -> None:
    assert api.actions(WINTER) == ["create"]
    assert api.actions(WINTER) == ["same"]
    (code,) = listed()
    assert code.definition["assignment"]["members"][0]["hours"][0]["from"] == "09:00"
    assert code.definition["schedule"]["from"] == "2026-11-22T10:00:00+08:00"
    text = api.export()
    assert text.startswith(f"codes:\n- live_code_id: {code.live_code_id}\n  ref: winter-card\n  name: 冬季")
    assert "strategy" not in text and "skip_verify" not in text and "null" not in text
    assert api.actions(text) == ["same"]
    assert livecodes.get(code.live_code_id).version == 1


def test_a_change_is_told_field_by_field_and_as_a_diff(api: Api) -> None:
    api.actions(WINTER)
    before = api.export()
    changed = before.replace("daily_cap: 100", "daily_cap: 50").replace("[1, 2, 3]", "[1]")
    changed = changed.replace("  fallback_staff_ids:\n    - wangwu", "  fallback_staff_ids:\n    - zhaoliu")
    status, told = api.apply(changed)
    assert status == 200
    (change,) = told["changes"]
    assert {"field": "assignment.members[0].daily_cap", "from": 100, "to": 50} in change["diff"]
    assert {
        "field": "assignment.fallback_staff_ids",
        "from": ["wangwu"],
        "to": ["zhaoliu"],
    } in change["diff"]
    assert "-      daily_cap: 100\n+      daily_cap: 50\n" in change["text"]
    assert api.export() == changed
    assert livecodes.get(change["live_code_id"]).rule.staff_ids == ["lihua", "zhaoliu"]


def test_what_is_not_in_the_file_is_archived_only_when_that_is_asked(api: Api) -> None:
    other = livecodes.create(definition({"staff_id": "a"}))
    assert api.actions(WINTER) == ["create"]
    assert api.actions(WINTER, archive_missing=True) == ["same", "archive"]
    assert not livecodes.get(other.live_code_id).active
    assert [code.ref for code in listed()] == ["winter-card"]


def test_an_export_is_of_some_or_all_in_one_order(api: Api) -> None:
    made = [livecodes.create(definition({"staff_id": s}, name=s)) for s in "ab"]
    api.actions(WINTER)
    ids = sorted(code.live_code_id for code in made)
    found = [row["live_code_id"] for row in yaml_files.read(api.export())]
    assert found == [*ids, livecodes.id_of("winter-card")]
    assert [row["live_code_id"] for row in yaml_files.read(api.export(f"?ids={ids[1]}"))] == [ids[1]]
    assert api.raw("GET", "/api/live-codes/export?ids=lc_nothere2").status_code == 404


def rows(*given: dict[str, Any]) -> str:
    return json.dumps({"codes": list(given)})  # JSON is YAML


GOOD: dict[str, Any] = {"ref": "a", "name": "A", "assignment": {"members": [{"staff_id": "a"}]}}


WRONG: list[tuple[list[Any], list[str]]] = [
        ([GOOD, {**GOOD, "ref": "b", "name": ""}], ["codes[1].name"]),
        (
            [GOOD, GOOD | {"ref": "b", "assignment": {"members": [{"staff_id": "a b"}]}}],
            ["codes[1].assignment.members[0].staff_id"],
        ),
        (
            [GOOD | {"assignment": {"members": [{"staff_id": "a", "dayly_cap": 1}]}}],
            ["codes[0].assignment.members[0].dayly_cap"],
        ),
        ([GOOD | {"assignment": {}}, GOOD | {"ref": "b", "tags": ["x"]}],
         ["codes[0].assignment.members", "codes[1].tags[0]"]),
        ([GOOD, GOOD], ["codes[1].ref"]),
        ([{k: v for k, v in GOOD.items() if k != "ref"}], ["codes[0].ref"]),
        ([GOOD | {"ref": "Not A Slug"}], ["codes[0].ref"]),
        ([GOOD | {"live_code_id": "lc_nothere2"}], ["codes[0].live_code_id"]),
        ([GOOD | {"live_code_id": "x"}], ["codes[0].live_code_id"]),
        (["text"], ["codes[0].body"]),
]  # fmt: skip


def test_what_is_wrong_is_told_by_its_place_and_nothing_is_done(api: Api) -> None:
    for codes_of, fields in WRONG:
        assert api.wrong(rows(*codes_of)) == fields
        assert api.apply(rows(*codes_of))[0] == 422
    assert listed() == []


def test_a_code_without_a_name_hides_nothing_of_the_others(api: Api) -> None:
    nameless = {name: value for name, value in GOOD.items() if name != "name"} | {"tags": ["none"]}
    _, told = api.apply(rows(nameless, GOOD | {"ref": "b", "tags": ["neither"]}), dry_run=True)
    assert [one["field"] for one in told["errors"]] == [
        "codes[0].name",
        "codes[0].tags[0]",
        "codes[1].tags[0]",
    ]
    assert all(one["params"]["line"] == 1 for one in told["errors"])  # JSON, in one line


def test_names_of_known_codes_are_kept_to(api: Api) -> None:
    api.actions(rows(GOOD))
    known = livecodes.id_of("a")
    plain = livecodes.create(definition({"staff_id": "a"}))
    assert api.wrong(rows(GOOD | {"live_code_id": known, "ref": "b"})) == ["codes[0].ref"]
    assert api.wrong(rows(GOOD | {"live_code_id": plain.live_code_id})) == ["codes[0].ref"]
    assert api.actions(rows({**GOOD, "live_code_id": known})) == ["same"]
    livecodes.archive(known)
    assert api.wrong(rows(GOOD)) == ["codes[0].ref"]


BOMB = "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\ncodes: [*b,*b]\n"


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "codes: !!python/object/apply:os.system [id]",
        "codes: !!binary aGk=",
        "codes: [{name: a, name: b}]",
        "codes: [{1: a}]",
        "codes:\n  - name: 'open",
        "codes: " + "[" * 50_000,
        "codes: " + "{a: " * 100 + "1" + "}" * 100,
        "",
        "- a",
        "codes: text",
        "codes: []\n---\ncodes: []",
        'codes: ["\\ud800"]',
        "codes: []\nother: 1",
        "codes: [{name: \x07}]",
        "codes: [? {a: 1} : b]",
    ],
    ids=range(16),
)
def test_a_file_that_could_harm_or_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        yaml_files.read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18:00", "18:00"),
        ("yes", "yes"),
        ("on", "on"),
        ("2026-11-22", "2026-11-22"),
        ("007", "007"),
        ("1_000", "1_000"),
        ("0x1f", "0x1f"),
        (".inf", ".inf"),
        ("=", "="),
        ("12", 12),
        ("-0.5", -0.5),
        ("true", True),
        ("null", None),
        ("", None),
        ("<<: a", {"<<": "a"}),
    ],
)
def test_only_what_looks_like_json_is_no_text(text: str, value: Any) -> None:
    assert yaml_files.read(f"codes:\n  - {text}\n") == [value]


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30)


@hypothesis_settings(max_examples=60)
@given(
    texts, texts, st.sampled_from(["yes", "18:00", "null", "1e3", "~", "2026-01-01", "*a", "&b", "!x", "#"])
)
def test_whatever_texts_a_code_has_its_file_says_them(name: str, text: str, hard: str) -> None:
    welcome = {"text": text, "attachments": [{"msgtype": "link", "link": {"title": hard, "n": 1, "x": None}}]}
    made = definition({"staff_id": "a"}, name=name, welcome=welcome, channel=hard)
    (read,) = yaml_files.read(yaml_text.dumps({"codes": [yaml_files.lean("lc_22222222", None, made)]}))
    assert read.pop("live_code_id") == "lc_22222222"
    assert complete(read) == made


def test_every_field_of_a_code_comes_back(api: Api) -> None:
    hours = [{"weekdays": [7], "from": "22:00", "to": "02:00"}]
    made = livecodes.create(
        definition(
            {"staff_id": "a", "weight": 3, "daily_cap": 0, "total_cap": 7, "hours": hours},
            fallback=("f",),
            strategy="least_loaded",
            sticky=False,
            reserve_for="PT1H",
            tags=["a/b"],
            printing="native",
            skip_verify=False,
            timezone="America/New_York",
            schedule={"until": "2027-01-01T00:00:00Z", "hours": hours},
            welcome={"by_time": [{**hours[0], "text": "x"}]},
        )
    )
    (read,) = yaml_files.read(api.export())
    assert read.pop("live_code_id") == made.live_code_id
    assert complete(read) == made.definition
    assert api.actions(api.export()) == ["same"]


# Cut off, and at the same time


def test_a_file_of_which_half_was_applied_is_applied_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    many = rows(*({**GOOD, "ref": f"c{n}"} for n in range(4)))
    create, left = livecodes.create, [2]

    def dies(*args: Any) -> Any:
        left[0] -= 1
        if left[0] < 0:
            raise RuntimeError("killed")
        return create(*args)

    monkeypatch.setattr(livecodes, "create", dies)
    assert api.apply(many)[0] == 500
    monkeypatch.setattr(livecodes, "create", create)
    assert sorted(api.actions(many)) == ["create", "create", "same", "same"]
    assert len(listed()) == 4


def test_a_code_that_was_changed_since_the_plan_is_a_conflict(api: Api) -> None:
    api.actions(rows(GOOD))
    wanted = [{**complete({k: v for k, v in GOOD.items() if k != "ref"}), "ref": "a", "live_code_id": None}]
    wanted[0]["name"] = "From the file"
    changes = yaml_files.plan(wanted, False)
    archived = yaml_files.plan([], True)
    livecodes.change(livecodes.id_of("a"), {"name": "By hand"}, complete)
    for late in (changes, archived):
        with pytest.raises(Conflict, match="0 of 1 changes"):
            yaml_files.apply(late)
    assert livecodes.get(livecodes.id_of("a")).name == "By hand"


def test_two_who_make_the_same_code_make_one(api: Api) -> None:
    wanted = [{**complete({k: v for k, v in GOOD.items() if k != "ref"}), "ref": "a", "live_code_id": None}]
    first, second = yaml_files.plan(wanted, False), yaml_files.plan(wanted, False)
    yaml_files.apply(first)
    with pytest.raises(Conflict):
        yaml_files.apply(second)
    assert len(listed()) == 1


def test_too_many_changes_are_told_before_any_is_made(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_files, "MAX_CHANGES", 2)
    assert api.apply(rows(*({**GOOD, "ref": f"c{n}"} for n in range(3))))[0] == 422
    assert listed() == []
