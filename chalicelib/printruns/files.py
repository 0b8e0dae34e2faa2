"""A run's files: which there are, and how far each one is. The cards are the same in all of them."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from chalicelib.platform import ids, jobs, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound
from chalicelib.printruns import rules, runs, sheets
from chalicelib.printruns.models import PrintRunItem
from chalicelib.printruns.runs import Run

MOST = {"csv": rules.MAX_COUNT, "pdf": 100_000, "zip": 100_000}  # cards in one file
PIECE = 1000  # cards whose pictures one message makes
VOLUME = 10_000  # cards in one PDF, filled up to whole pages; a larger run is a ZIP of such
TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf", "zip": "application/zip"}


class File(Struct, frozen=True):
    """One file of a run, made in `pieces` of the cards' numbers: several are packed into one ZIP."""

    job_id: str
    run: Run
    format: str
    sheet: Mapping[str, Any]
    finished: frozenset[int]

    @property
    def pieces(self) -> list[range]:
        return rules.parts(self.run.count, piece_size(self.format, self.sheet, self.run.count))

    @property
    def type(self) -> str:
        """Of the whole: csv, pdf or zip."""
        return self.format if len(self.pieces) == 1 else "zip"

    @property
    def key(self) -> str:
        """In the bucket; what is there is deleted after 30 days."""
        return f"{self._folder}/file.{self.type}"

    @property
    def name(self) -> str:
        return f"{self.run.prefix}.{self.type}"

    def piece_key(self, piece: int) -> str:
        """A single piece is the whole."""
        return self.key if len(self.pieces) == 1 else f"{self._folder}/{piece:05}.{self.format}"

    @property
    def _folder(self) -> str:
        return f"results/print-runs/{self.job_id}"


def check(count: int, format: str) -> None:
    """Invalid when a file of that format would be too large."""
    if count > MOST[format]:
        raise Invalid(("count", f"at most {MOST[format]} for {format}; csv takes {MOST['csv']}"))


def piece_size(format: str, sheet: Mapping[str, Any], count: int) -> int:
    """Cards in a piece: all for CSV, which one go writes faster than it could be put together."""
    if format == "csv":
        return count
    if format == "zip":
        return PIECE
    per_page = len(sheets.grid(sheet).corners)
    return -(-VOLUME // per_page) * per_page


def start(run: Run, format: str, sheet: Mapping[str, Any] | None = None) -> jobs.Job:
    """Have a file made: the job's first state. Invalid, Conflict."""
    check(run.count, format)
    if run.closed_at is not None:
        raise Conflict("the run is closed")
    if sheet is not None:
        runs.check_sheet(sheet)
    job_id = f"job_{ids.short(16)}"
    PrintRunItem(run.print_run_id, job_id, format=format, sheet=dict(sheet or run.sheet)).save()
    begin = {"kind": "file", "print_run_id": run.print_run_id, "what": "the whole file"}
    jobs.start("print_run", run.count, run.print_run_id, job_id, first=("printrun", begin))
    return jobs.get(job_id)


def get(print_run_id: str, job_id: str) -> File:
    """NotFound."""
    row = PrintRunItem.find(print_run_id, job_id)
    if row is None:
        raise NotFound(f"the run has no file {job_id}")
    return _file(runs.get(print_run_id), row)


def piece_done(file: File, piece: int) -> File:
    """Note that a piece is there, and tell the job; the file as it is then. Twice is once."""
    row = PrintRunItem(file.run.print_run_id, file.job_id)
    storage.update_if(row, [PrintRunItem.finished.add({piece})], PrintRunItem.format.exists())
    now = _file(file.run, row)
    jobs.raise_done(file.job_id, sum(len(now.pieces[piece]) for piece in now.finished))
    return now


def _file(run: Run, row: PrintRunItem) -> File:
    finished = frozenset(int(piece) for piece in row.finished or ())
    return File(row.part, run, str(row.format), row.sheet, finished)
