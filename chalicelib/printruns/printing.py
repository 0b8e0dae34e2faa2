"""Making a run's files: the queue `printrun`'s work.

`file`: CSV is written in one go. For PDF and ZIP each piece (files.PIECE cards' pictures, files.VOLUME
cards of a PDF) becomes a message. `piece`: made and kept in S3 under its number; whoever finishes the last
one asks for `join`: the pieces are packed as a stream into the one ZIP. Every step may come twice or be
cut in half: the same input gives the same bytes under the same name, and what is there is not made again.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.platform import files as store
from chalicelib.platform import jobs, queues
from chalicelib.platform.errors import Invalid
from chalicelib.platform.ziparchive import Archive
from chalicelib.posters import qr
from chalicelib.printruns import files, pdf, pictures, rules, runs
from chalicelib.printruns.files import File
from chalicelib.printruns.font import font

_LEVEL: qr.Level = "M"  # 15 % of a code may be damaged; with usual addresses its version stays at 4 or below
_TELL = {"csv": 100_000, "pdf": 1000, "zip": 1000}  # cards between two words to the job

Cards = Iterator[tuple[str, list[bytes]]]  # number and code of each


def work(message: Mapping[str, Any]) -> None:
    """`kind` file, piece or join, of `print_run_id` and `job_id`; with `piece`, its number."""
    file = files.get(message["print_run_id"], message["job_id"])
    if jobs.get(file.job_id).status == "finished":
        return
    try:
        _DO[message["kind"]](file, message)
    except Invalid as error:
        jobs.update(file.job_id, status="failed", error=str(error))


def _begin(file: File, message: Mapping[str, Any]) -> None:
    if file.format == "csv":
        _csv(file)
        return
    for_one = {**_of(file), "kind": "piece"}
    told = [f"cards {file.run.label(cards[0])} to {file.run.label(cards[-1])}" for cards in file.pieces]
    pieces = [{**for_one, "piece": n, "what": what} for n, what in enumerate(told)]
    queues.send_all("printrun", [(piece, None) for piece in pieces])


def _csv(file: File) -> None:
    """For Excel as well: a byte order mark, and CRLF."""
    key, run, base = runs.key(), file.run, runs.base_url()
    with store.Upload(file.key, files.TYPES["csv"]) as out:
        out.write("\ufeffnumber,card,url\r\n".encode())
        for numbers in rules.parts(run.count, files.PIECE):
            rows = [f"{n},{run.label(n)},{base}{rules.token(key, run.code, n)}\r\n" for n in numbers]
            out.write("".join(rows).encode())
            if (numbers.stop - 1) % _TELL["csv"] == 0:
                jobs.update(file.job_id, done=numbers.stop - 1)
    _finish(file)


def _piece(file: File, message: Mapping[str, Any]) -> None:
    number = message["piece"]
    if store.size(file.piece_key(number)) is None:
        cards = _cards(file, file.pieces[number])
        made = _sheets(file, cards) if file.format == "pdf" else _pictures(cards)
        store.put(file.piece_key(number), made, files.TYPES[file.format])
    now = files.piece_done(file, number)
    if len(now.finished) == len(now.pieces):
        queues.send("printrun", {**_of(file), "kind": "join", "what": "the whole file"})


def _cards(file: File, numbers: range) -> Cards:
    key, base = runs.key(), runs.base_url()
    for number in numbers:
        token = rules.token(key, file.run.code, number)
        yield file.run.label(number), qr.matrix(base + token, _LEVEL, qr.QUICK_MASK)
        if len(file.pieces) == 1 and number % _TELL[file.format] == 0:
            jobs.update(file.job_id, done=number)


def _sheets(file: File, cards: Cards) -> bytes:
    return pdf.document(file.sheet, cards, font(), f"{file.run.name} {file.run.prefix}")


def _pictures(cards: Cards) -> bytes:
    out = io.BytesIO()
    with Archive(out) as archive:
        for label, modules in cards:
            archive.add(f"{label}.png", pictures.png(modules))
    return out.getvalue()


def _join(file: File, message: Mapping[str, Any]) -> None:
    if len(file.pieces) == 1:
        _finish(file)
        return
    with store.Upload(file.key, files.TYPES[file.type]) as out, Archive(out) as archive:
        for number, cards in enumerate(file.pieces):
            piece = store.get(file.piece_key(number))
            if file.format == "pdf":
                archive.add(f"{file.run.label(cards[0])}-{cards[-1]:06}.pdf", piece)
            else:
                packed = zipfile.ZipFile(io.BytesIO(piece))
                for name in packed.namelist():
                    archive.add(name, packed.read(name))
    _finish(file)
    for number in range(len(file.pieces)):  # what is left over when this is cut short, the bucket deletes
        store.delete(file.piece_key(number))


_DO: dict[str, Callable[[File, Mapping[str, Any]], None]] = {"file": _begin, "piece": _piece, "join": _join}


def _finish(file: File) -> None:
    count = file.run.count
    jobs.update(file.job_id, status="finished", done=count, result_key=file.key, result_name=file.name)


def _of(file: File) -> dict[str, str]:
    return {"print_run_id": file.run.print_run_id, "job_id": file.job_id}
