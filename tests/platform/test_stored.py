"""Rows of another version's rules are read: no limit, pattern or field hides them."""

from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta, Struct

from chalicelib.ads.models import AdCampaignItem
from chalicelib.channels.models import ChannelItem
from chalicelib.livecodes.models import LiveCodeItem
from chalicelib.platform.stored import read_stored, without_limits
from chalicelib.posters.models import PosterTemplateItem
from chalicelib.sops.models import SopItem
from tests.support.api import Api

Short = Annotated[str, Meta(max_length=3)]


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    origin: Short = msgspec.field(name="from", default="abc")
    amounts: list[Annotated[int, Meta(ge=0)]] = []


class Whole(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: Short
    parts: dict[str, Part | None]
    part: Part = Part()

    def first_letter(self) -> str:
        return self.name[0]


def test_limits_and_new_fields_hide_nothing() -> None:
    stored = {
        "name": "abcdef",
        "parts": {"x": {"from": "longer", "amounts": [-1], "later": 1}, "y": None},
        "new": 2,
    }
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(stored, Whole)
    read = read_stored(stored, Whole)
    assert isinstance(read, Whole) and read.first_letter() == "a"
    part = read.parts["x"]
    assert part and (part.origin, part.amounts, read.parts["y"], read.part.origin) == (
        "longer",
        [-1],
        None,
        "abc",
    )
    assert msgspec.to_builtins(read)["parts"]["x"] == {"from": "longer", "amounts": [-1]}


def test_what_is_no_such_value_is_an_error() -> None:
    for stored in ({"parts": {}}, {"name": 1, "parts": {}}, {"name": "a", "parts": []}):
        with pytest.raises(msgspec.ValidationError):
            read_stored(stored, Whole)


def test_a_type_is_made_once() -> None:
    assert without_limits(Whole) is without_limits(Whole)


STEP = {
    "step_id": "a",
    "after": "PT1H",
    "delivery": "mass_send",
    "content": [{"type": "text", "text": "hi"}],
}
SOP = {"name": "s", "trigger": {"event": "customer_added"}, "steps": [STEP]}
DOCUMENTS = [
    (LiveCodeItem, "definition", "/api/live-codes", {"name": "c", "assignment": {"members": [{"staff_id": "a"}]}}),
    (AdCampaignItem, "definition", "/api/ad-campaigns", {"name": "c", "platform": "baidu", "staff_ids": ["a"], "page": {"title": "x"}}),
    (PosterTemplateItem, "definition", "/api/poster-templates", {"name": "c", "width": 720, "height": 720, "layers": [{"type": "qr", "x": 0, "y": 0, "size": 720}]}),
    (SopItem, "document", "/api/sops", SOP),
    (ChannelItem, "definition", "/api/channels", {"name": "c"}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "attribute", "path", "body"), DOCUMENTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_row_that_todays_rules_refuse_hides_neither_itself_nor_its_list(
    api: Api,
    poster_function: None,
    monkeypatch: pytest.MonkeyPatch,
    model: Any,
    attribute: str,
    path: str,
    body: dict[str, Any],
) -> None:
    status, made = api.post(path, body)
    assert status == 201, made
    (item,) = [row for row in model.scan() if (getattr(row, attribute) or {}).get("name") == body["name"]]
    name = "n" * 3_000
    setattr(item, attribute, {**getattr(item, attribute), "name": name, "of_a_later_version": 1})
    item.save()
    monkeypatch.setattr(
        "chalicelib.platform.http._CHECK_ANSWERS", False
    )  # the row is not what the route would take today
    status, page = api.get(path)
    assert status == 200 and [row["name"] for row in page["items"]] == [name], page
    key = page["items"][0][model._hash_keyname]
    status, single = api.get(f"{path}/{key}")
    assert status == 200 and single["name"] == name, single
