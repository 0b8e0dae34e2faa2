"""SOPs as YAML: checked, made, got back; what is wrong has its line."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.test import Client

from app import app
from chalicelib.platform import auth

FILE = """\
name: 新客 48 小时
trigger:
  event: customer_added
quiet_hours: {from: "22:00", to: "08:00"}
stop_on: [order_paid]
steps:
  - step_id: hello
    after: PT1H
    delivery: mass_send
    content:
      - type: text
        text: 您好
  - step_id: offer
    after: P2D
    at: 10:00
    delivery: mass_send
    content:
      - type: link
        title: 护肤清单
        url: https://brand.example/list
    when: {no_tags: [状态/已购]}
"""


class Api:
    def __init__(self, client: Client) -> None:
        self.client, self.key = client, auth.create_key("t", "operator")

    def __call__(self, method: str, path: str, text: str | bytes = "") -> tuple[int, Any]:
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/yaml"}
        answer = self.client.http.request(
            method, path, headers=headers, body=text if isinstance(text, bytes) else text.encode()
        )
        is_json = "json" in answer.headers.get("Content-Type", "json")
        return answer.status_code, json.loads(answer.body) if is_json else answer.body.decode()


@pytest.fixture
def api(tables: None) -> Iterator[Api]:
    with Client(app) as client:
        yield Api(client)


def test_a_file_makes_an_sop_and_comes_back_as_it_was(api: Api) -> None:
    status, plan = api("POST", "/api/sops/check", FILE)
    assert status == 200 and plan["steps"][1]["at"] == "10:00"
    assert api("GET", "/api/sops")[1]["total"] == 0
    status, made = api("POST", "/api/sops", FILE)
    assert status == 201
    status, text = api("GET", f"/api/sops/{made['sop_id']}/file")
    assert status == 200 and "您好" in text and "null" not in text
    assert api("POST", "/api/sops/check", text)[1] == plan


def test_a_file_in_another_encoding_is_refused_and_no_name_is_spoiled(api: Api) -> None:
    status, problem = api("POST", "/api/sops", FILE.encode("gb18030"))
    (wrong,) = problem["errors"]
    line = next(n for n, text in enumerate(FILE.splitlines(), start=1) if not text.isascii())
    assert (status, wrong["code"], wrong["params"]["line"]) == (422, "yaml_encoding", line)
    assert api("GET", "/api/sops")[1]["total"] == 0
    assert api("POST", "/api/sops/check", FILE.encode("utf-8-sig"))[1]["name"] == "新客 48 小时"


@pytest.mark.parametrize(
    ("old", "new", "field", "line"),
    [
        ("after: P2D", "after: PT1M", "steps[1].after", 14),
        ("delivery: mass_send", "delivery: pigeon", "steps[0].delivery", 9),
        ("  event: customer_added\n", "  tags: [a/b]\n", "trigger.event", 2),
        ("url: https", "url: javascript", "steps[1].content[0].url", 20),
        ("name: 新客", "colour: red\nname: 新客", "colour", 1),
        ("quiet_hours: {", "quiet_hours: {{", "yaml", 5),
    ],
)
def test_what_is_wrong_has_its_line(api: Api, old: str, new: str, field: str, line: int) -> None:
    for path in ("/api/sops/check", "/api/sops"):
        status, problem = api("POST", path, FILE.replace(old, new, 1))
        assert status == 422
        assert [(one["field"], one["params"]["line"]) for one in problem["errors"]] == [(field, line)]
    assert api("GET", "/api/sops")[1]["total"] == 0


def test_a_misspelled_field_does_not_hide_what_else_is_wrong(api: Api) -> None:
    text = FILE.replace("name: 新客", "nam: 新客", 1).replace("after: P2D", 'after: "1 hour"', 1)
    _, problem = api("POST", "/api/sops/check", text)
    assert {one["field"] for one in problem["errors"]} == {"name", "nam", "steps[1].after"}
