"""The command line against a stack: made, listed, refused, fetched."""

import json
from pathlib import Path

import pytest

from infra.cli.__main__ import main
from infra.local.client import LocalStack

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def address(stack: LocalStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MILLRACE_URL", stack.base)
    monkeypatch.setenv("MILLRACE_API_KEY", stack.key)


def test_a_code_is_made_from_a_file_shown_and_its_poster_fetched(tmp_path: Path, capsys: Captured) -> None:
    file = tmp_path / "code.yaml"
    file.write_text("channel: parcel\nassignment: {members: [{staff_id: cli-guide}]}\n", encoding="utf-8")
    assert main(["live-codes", "create", "-f", str(file), "--name", "命令行", "-o", "json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["name"] == "命令行" and made["channel"] == "parcel"
    assert main(["live-codes", "get", made["live_code_id"], "-o", "yaml"]) == 0
    assert "name: 命令行" in capsys.readouterr().out
    poster = tmp_path / "poster.png"
    assert (
        main(["live-codes", "poster.png", made["live_code_id"], "--width", "600", "--save", str(poster)]) == 0
    )
    assert poster.read_bytes().startswith(b"\x89PNG")


def test_what_is_refused_names_its_field_and_fails(capsys: Captured) -> None:
    assert main(["live-codes", "create", "--name", "x", "--kind", "nobody"]) == 1
    assert "kind:" in capsys.readouterr().err
    assert main(["live-codes", "get", "lc_nothing"]) == 1
    assert "404" in capsys.readouterr().err


def test_a_table_of_stores_is_sent_as_a_file(tmp_path: Path, capsys: Captured) -> None:
    table = tmp_path / "stores.csv"
    table.write_text(
        "store_id,name,latitude,longitude\ncli-1,一号店,31.2,121.4\ncli-2,,31,121\n", encoding="utf-8"
    )
    assert main(["stores", "import", "--data", f"@{table}", "-o", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["imported"] == 1 and told["errors"][0]["field"] == "name"
    assert main(["stores", "delete", "cli-1"]) == 0


def test_files_go_to_disk_whatever_their_size(tmp_path: Path, capsys: Captured) -> None:
    assert (
        main(
            [
                "live-codes",
                "create",
                "--name",
                "文件",
                "--assignment",
                "{members: [{staff_id: cli-guide}]}",
                "-o",
                "json",
            ]
        )
        == 0
    )
    made = json.loads(capsys.readouterr().out)["live_code_id"]
    for name, options, begin in (
        ("cards.csv", ["print-runs", made, "--name", "卡", "--count", "30", "--format", "csv", "--wait"], b"\xef\xbb\xbfnumber"),
        ("cards.zip", ["print-runs", made, "--name", "卡", "--count", "30", "--format", "zip", "--wait"], b"PK"),
        ("poster.png", ["poster.png", made, "--width", "4000"], b"\x89PNG"),
        ("codes.yaml", ["export", "--ids", made], b"codes:"),
    ):  # fmt: skip
        assert main(["live-codes", *options, "--save", str(tmp_path / name)]) == 0
        assert (tmp_path / name).read_bytes().startswith(begin)
    assert "30 of 30" in capsys.readouterr().err
