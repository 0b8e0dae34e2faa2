"""A run's files: which there are, and how far each is. The cards are the same in all of them."""

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from chalicelib.platform import ids, jobs, storage
from chalicelib.platform.errors import Issue, NotFound, issue
from chalicelib.platform.storage import Transaction
from chalicelib.platform.stored import read_stored
from chalicelib.posters.types import Template
from chalicelib.printruns import rules, runs, sheet_layout
from chalicelib.printruns.models import PrintRunItem
from chalicelib.printruns.runs import Run
from chalicelib.printruns.types import Format, Sheet

MAX_CARDS = {"csv": rules.MAX_COUNT, "pdf": 100_000, "zip": 100_000}  # in one file
PIECE = 1000  # cards whose pictures one message makes
VOLUME = 10_000  # cards in one PDF, filled up to whole pages; a larger run is a ZIP of such
TYPES = {"csv": "text/csv; charset=utf-8", "pdf": "application/pdf", "zip": "application/zip"}


class PrintJob(jobs.Job, frozen=True, kw_only=True):
    """The job that makes a run's file."""

    print_run_id: str


class File(Struct, frozen=True):
    """One file of a run, made in `pieces` of the cards' numbers: several are packed into one ZIP."""

    job_id: str
    run: Run
    format: Format
    sheet: Sheet
    design: Template | None = None  # of the sheet's template, as it was when the file was ordered
    code_name: str = ""
    finished: frozenset[int] = frozenset()

    @property
    def pieces(self) -> list[range]:
        size = count_piece_cards(self.format, self.sheet, self.run.count)
        return rules.split_numbers(self.run.count, size)

    @property
    def type(self) -> Format:
        """Of the whole."""
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


def find_issues(count: int, format: Format) -> list[Issue]:
    """What is wrong with a file of so many cards in that format."""
    if count <= MAX_CARDS[format]:
        return []
    return [issue("count", "too_many_cards", maximum=MAX_CARDS[format], format=format, csv=MAX_CARDS["csv"])]


def count_piece_cards(format: Format, sheet: Sheet, count: int) -> int:
    """Cards in a piece: all for CSV, which one go writes faster than it could be put together."""
    if format == "csv":
        return count
    if format == "zip":
        return PIECE
    per_page = len(sheet_layout.grid(sheet).corners)
    return -(-VOLUME // per_page) * per_page


def new(
    run: Run, format: Format, sheet: Sheet | None = None, design: Template | None = None, code_name: str = ""
) -> File:
    """A file that `add` stores and `start` has made."""
    return File(f"job_{ids.short(16)}", run, format, sheet or run.sheet, design, code_name)


def add(tx: Transaction, file: File) -> None:
    item = PrintRunItem(
        file.run.print_run_id,
        file.job_id,
        format=file.format,
        sheet=msgspec.to_builtins(file.sheet),
        design=msgspec.to_builtins(file.design) if file.design else None,
        name=file.code_name or None,
    )
    tx.put("file", item)


def start(file: File) -> PrintJob:
    """Have a stored file made: its job."""
    print_run_id = file.run.print_run_id
    begin = {"kind": "file", "print_run_id": print_run_id, "what": "the whole file"}
    jobs.start("print_run", file.run.count, print_run_id, file.job_id, first=("printrun", begin))
    return PrintJob(**asdict(jobs.get(file.job_id)), print_run_id=print_run_id)


def get(print_run_id: str, job_id: str) -> File:
    """NotFound."""
    row = PrintRunItem.find(print_run_id, job_id)
    if row is None:
        raise NotFound(f"the run has no file {job_id}")
    return _file(runs.get(print_run_id), row)


def add_piece(file: File, piece: int) -> File:
    """Note that a piece is there, and report it to the job; the file as it is then. Twice is once."""
    row = PrintRunItem(file.run.print_run_id, file.job_id)
    storage.update_if(row, [PrintRunItem.finished.add({piece})], PrintRunItem.format.exists())
    now = _file(file.run, row)
    jobs.raise_done(file.job_id, sum(len(now.pieces[piece]) for piece in now.finished))
    return now


def _file(run: Run, row: PrintRunItem) -> File:
    finished = frozenset(int(piece) for piece in row.finished or ())
    return File(
        job_id=row.part,
        run=run,
        format=row.format,  # type: ignore[arg-type]
        sheet=read_stored(row.sheet, Sheet),
        design=read_stored(row.design, Template) if row.design else None,
        code_name=row.name or "",
        finished=finished,
    )
