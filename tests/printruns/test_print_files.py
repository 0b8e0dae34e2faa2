"""A run's files: made in pieces, put together, and read by programs that are not ours."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pypdfium2
import pytest
import zxingcpp
from PIL import Image

from chalicelib.platform import files as store
from chalicelib.platform import jobs, works
from chalicelib.platform.errors import NotFound
from chalicelib.platform.ziparchive import Archive
from chalicelib.printruns import cards, file_making, rules, run_files, runs
from chalicelib.printruns.runs import Run
from chalicelib.printruns.sheet_layout import grid
from chalicelib.printruns.types import Format, Sheet
from tests.support import print_world as world
from tests.support.scan_support import NOON, new_process


@pytest.fixture(autouse=True)
def _world(
    tables: None,
    keys: None,
    bucket: str,
    at: Callable[[datetime], None],
    poster_function: None,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[None]:
    new_process()
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://m.brand.example.com")
    at(NOON)
    yield
    new_process()


def made(run: Run, format: Format, sent: world.Sent, sheet: Sheet | None = None) -> bytes:
    sent.clear()
    job_id = world.start_file(run, format, sheet)
    world.work_off(sent)
    now = jobs.get(job_id)
    assert (now.status, now.done) == ("finished", run.count), now
    return store.get(run_files.get(run.print_run_id, job_id).key)


def test_csv_opens_in_excel_and_every_link_is_its_cards(sent: world.Sent) -> None:
    run = world.a_run(2500, prefix="W26")
    raw = made(run, "csv", sent)
    assert raw.startswith(b"\xef\xbb\xbfnumber,card,url\r\n") and raw.count(b"\r\n") == 2501
    rows = [line.split(",") for line in raw.decode("utf-8-sig").splitlines()[1:]]
    assert rows[122][:2] == ["123", "W26-000123"]
    assert len({url for _, _, url in rows}) == 2500
    assert [cards.find(url.rsplit("/", 1)[1]).number for _, _, url in rows] == list(range(1, 2501))


def numbers_and_links(document: Any) -> tuple[list[str], list[str]]:
    numbers, links = [], []
    for page in document:
        numbers += page.get_textpage().get_text_bounded().split()
        links += [
            found.text for found in zxingcpp.read_barcodes(page.render(scale=100 / 72).to_pil().convert("L"))
        ]
    return numbers, links


def test_a_pdf_has_every_card_with_its_number_as_text_and_no_font_that_is_not_in_it(sent: world.Sent) -> None:
    run = world.a_run(45, prefix="W26")
    data = made(run, "pdf", sent)
    document = pypdfium2.PdfDocument(data)
    assert len(document) == 5
    points = 72 / 25.4
    for page in document:
        assert page.get_size() == pytest.approx((210 * points, 297 * points), abs=0.01)
        assert page.get_trimbox() == pytest.approx(
            (15 * points, 13.5 * points, 195 * points, 283.5 * points), abs=0.01
        )
    numbers, links = numbers_and_links(document)
    assert numbers == [run.label(n) for n in range(1, 46)]
    assert sorted(links) == sorted(runs.make_url(run, n) for n in range(1, 46))
    assert re.findall(rb"/BaseFont /([^ ]+)", data) == [b"AAAAAA+BitstreamVeraSans-Roman"]


def test_more_cards_than_a_volume_takes_are_a_zip_of_pdfs(
    sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "VOLUME", 15)  # filled up to two whole pages
    run = world.a_run(45, prefix="W26")
    packed = zipfile.ZipFile(io.BytesIO(made(run, "pdf", sent)))
    assert packed.namelist() == [f"W26-{a:06}-{b:06}.pdf" for a, b in ((1, 20), (21, 40), (41, 45))]
    pages, numbers, links = [], [], []
    for name in packed.namelist():
        document = pypdfium2.PdfDocument(packed.read(name))
        pages.append(len(document))
        of_this = numbers_and_links(document)
        numbers += of_this[0]
        links += of_this[1]
    assert pages == [2, 2, 1]
    assert numbers == [run.label(n) for n in range(1, 46)]
    assert sorted(links) == sorted(runs.make_url(run, n) for n in range(1, 46))


def test_a_file_in_one_piece_tells_how_far_it_is(sent: world.Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(file_making._REPORT_EVERY, "pdf", 10)
    told: list[int] = []
    real = jobs.update
    monkeypatch.setattr(jobs, "update", lambda job, **v: told.append(v.get("done", 0)) or real(job, **v))
    made(world.a_run(25), "pdf", sent)
    assert told[:2] == [10, 20]


def test_a_sheet_of_ones_own(sent: world.Sent) -> None:
    sheet = world.wanted(
        1, sheet={"page": "SRA3", "card_width_mm": 54, "card_height_mm": 86, "bleed_mm": 3, "gutter_mm": 6,
                  "background": "#0B3D2E", "title": "扫码领新人礼", "subtitle": "满 100 减 20\n仅限新客", "footer": "客服 400"},
    ).sheet  # fmt: skip
    run = world.a_run(7)
    document = pypdfium2.PdfDocument(made(run, "pdf", sent, sheet))
    page = document[0]
    picture = page.render(scale=150 / 72).to_pil().convert("RGB")
    assert len(zxingcpp.read_barcodes(picture.convert("L"))) == 7
    x, y = grid(sheet).corners[0]
    height = picture.height
    per_mm = 150 / 25.4

    def colour(right: float, up: float) -> Any:
        return picture.getpixel((round((x + right) * per_mm), height - round((y + up) * per_mm)))

    green, white = (0x0B, 0x3D, 0x2E), (255, 255, 255)
    assert colour(2, 2) == colour(-2.5, 2) == green  # the ground, and into the bleed
    assert colour(-3.5, 2) == white


def test_pictures_are_named_by_number_and_sharp_in_print(
    sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "PIECE", 10)
    run = world.a_run(25, prefix="W26")
    packed = zipfile.ZipFile(io.BytesIO(made(run, "zip", sent)))
    assert packed.testzip() is None
    assert packed.namelist() == [f"{run.label(n)}.png" for n in range(1, 26)]
    for n in (1, 10, 11, 25):
        picture = Image.open(io.BytesIO(packed.read(f"{run.label(n)}.png")))
        assert picture.mode == "1" and picture.width == picture.height >= 12 * 37
        assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert zxingcpp.read_barcode(picture.convert("L")).text == runs.make_url(run, n)


def test_a_zip_of_more_than_65535_entries_is_read() -> None:
    out = io.BytesIO()
    names = [f"{n:06}" for n in range(70_000)]
    with Archive(out) as archive:
        for name in names:
            archive.add(name, b"x")
    packed = zipfile.ZipFile(out)
    assert packed.namelist() == names and packed.read("069999") == b"x"


@pytest.mark.parametrize("format", ["pdf", "zip"])
def test_killed_anywhere_and_done_again_it_is_the_same_file(
    format: str, sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the calls to S3, the store and the queue is once the last that is made."""
    monkeypatch.setattr(run_files, "PIECE", 10)
    monkeypatch.setattr(run_files, "VOLUME", 10)
    run = world.a_run(15)
    whole = made(run, format, sent)
    kills = 0
    for survives in range(60):
        left = [survives]

        def dying(real: Callable[..., Any], left: list[int] = left) -> Callable[..., Any]:
            def call(*args: Any, **values: Any) -> Any:
                if not left[0]:
                    raise ConnectionError("killed")
                left[0] -= 1
                return real(*args, **values)

            return call

        sent.clear()
        job_id = world.start_file(run, format)
        (first,) = [message for queue, message, _ in sent if queue == "printrun"]
        sent.clear()
        waiting, died = [first], False
        with monkeypatch.context() as patch:
            for place, name in (
                (store, "put"),
                (store, "delete"),
                (jobs, "update"),
                (jobs, "raise_done"),
                (file_making.queues, "send"),
                (file_making.queues, "send_all"),
            ):
                patch.setattr(place, name, dying(getattr(place, name)))
            while waiting:
                message = waiting.pop(0)
                try:
                    works.do(message)
                except ConnectionError:
                    died, left[0] = True, 10_000
                    waiting.append(message)  # the queue hands it out again
                waiting += [m for queue, m, _ in sent if queue == "printrun"]
                sent.clear()
        now = jobs.get(job_id)
        assert (now.status, now.done) == ("finished", 15)
        got = store.get(run_files.get(run.print_run_id, job_id).key)
        assert got == whole
        if not died:
            break
        kills += 1
    assert kills >= 10


def test_progress_is_exact_however_often_a_piece_comes(
    sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_files, "PIECE", 10)
    run = world.a_run(35)
    sent.clear()
    job_id = world.start_file(run, "zip")
    of = {"print_run_id": run.print_run_id, "job_id": job_id}
    done = []
    for piece in (3, 3, 0, 3, 1):
        works.do({**of, "kind": "piece", "piece": piece})
        done.append(jobs.get(job_id).done)
    assert done == [5, 5, 15, 15, 25]
    assert not [m for _, m, _ in sent if m["kind"] == "join"]
    works.do({**of, "kind": "piece", "piece": 2})
    assert [m["kind"] for _, m, _ in sent if m["kind"] == "join"] == ["join"]
    world.work_off(sent)
    works.do({**of, "kind": "join"})  # once more: it is finished
    with pytest.raises(NotFound):
        store.get(run_files.get(run.print_run_id, job_id).piece_key(0))


def test_a_million_rows_take_no_more_memory_than_a_thousand(
    sent: world.Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written at once is a thousand rows, whatever the run's size."""
    sizes: list[int] = []
    monkeypatch.setattr(rules, "make_token", lambda key, run, n: "2" * 16)
    run = world.a_run(30_000)
    real = store.Upload.write
    monkeypatch.setattr(store.Upload, "write", lambda self, data: sizes.append(len(data)) or real(self, data))
    made(run, "csv", sent)
    assert len(sizes) == 31 and max(sizes) < 80_000
