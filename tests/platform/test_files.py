"""Files in S3: streamed in, streamed out, and never there by halves."""

import urllib.request
from pathlib import Path

import pytest

from chalicelib.platform import files, jobs
from chalicelib.platform import keys as master
from chalicelib.platform.errors import NotFound


def test_a_file_larger_than_a_part_is_streamed_and_whole(tables: None, bucket: str) -> None:
    piece = b"0123456789abcdef" * 65_536  # 1 MiB
    with files.Upload("results/a.bin", "application/octet-stream") as out:
        for _ in range(18):
            out.write(piece)
    assert files.size("results/a.bin") == 18 * len(piece)
    assert files.get("results/a.bin") == piece * 18
    assert files.part("results/a.bin", 17 * len(piece), 2 * len(piece)) == piece


def test_a_large_file_is_downloaded_whole(tables: None, bucket: str, tmp_path: Path) -> None:
    content = bytes(range(256)) * 4096 * 20  # 20 MiB: in three parts, side by side
    files.put("uploads/a.xlsx", content)
    with (tmp_path / "a").open("w+b") as into:
        files.download("uploads/a.xlsx", into)
    assert (tmp_path / "a").read_bytes() == content
    with (tmp_path / "b").open("w+b") as into, pytest.raises(NotFound, match="no file uploads"):
        files.download("uploads/b.xlsx", into)


def test_what_fails_on_the_way_leaves_no_file(tables: None, bucket: str) -> None:
    for size in (10, 9 * 1024 * 1024):
        with pytest.raises(ZeroDivisionError), files.Upload("results/b.bin", "text/plain") as out:
            out.write(b"x" * size)
            raise ZeroDivisionError
        assert files.size("results/b.bin") is None
    with pytest.raises(NotFound):
        files.get("results/b.bin")


def test_lines_come_without_their_ends(tables: None, bucket: str) -> None:
    files.put("uploads/c.csv", "a,b\r\n甲,乙\n".encode())
    assert list(files.lines("uploads/c.csv")) == [b"a,b", "甲,乙".encode()]


def test_a_finished_jobs_link_downloads_its_file(engine: str, bucket: str) -> None:
    files.put("results/cards.csv", b"1,2", "text/csv")
    job_id = jobs.start("print_run", 2)
    assert jobs.get(job_id).result_url is None
    jobs.update(job_id, status="finished", done=2, result_key="results/cards.csv", result_name="卡片.csv")
    with urllib.request.urlopen(jobs.get(job_id).result_url) as answer:
        assert answer.read() == b"1,2"
        assert "%E5%8D%A1" in answer.headers["Content-Disposition"]


def test_keys_differ_by_purpose_and_stay_the_same(tables: None, keys: None) -> None:
    assert master.key("print-run") == master.key("print-run") != master.key("phone")
    assert len(master.tag("phone", "+8613800000000")) == 32
