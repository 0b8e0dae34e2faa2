"""Making a run's files: the queue `printrun`'s work.

`file`: CSV is written in one go. For PDF and ZIP the head is made and each piece of about 1,000 cards
becomes a message. `piece`: made and kept in S3 under its number; whoever finishes the last one asks for
`join`: head, pieces and tail are streamed into the one file. Every step may come twice or be cut in half:
the same input gives the same bytes under the same name, and what is there already is not made again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import lru_cache
from typing import Any

from chalicelib.platform import files as store
from chalicelib.platform import ids, jobs, queues
from chalicelib.platform.errors import Invalid
from chalicelib.posters import qr
from chalicelib.printruns import files, pdf, pictures, rules, runs
from chalicelib.printruns.files import File
from chalicelib.printruns.font import Font, cut

_LEVEL: qr.Level = "M"  # 15 % of a code may be damaged; with usual addresses its version stays at 4 or below
_HEAD = "head"
_READ = 1024 * 1024
_TELL = 100_000  # rows of a CSV between two words to the job


def work(message: Mapping[str, Any]) -> None:
    """`kind` file, piece or join, of `print_run_id` and `job_id`; with `piece`, its number."""
    file = files.get(message["print_run_id"], message["job_id"])
    if jobs.get(file.job_id)["status"] == "finished":
        return
    try:
        _DO[message["kind"]](file, message)
    except Invalid as error:
        jobs.update(file.job_id, status="failed", error=str(error))


def _begin(file: File, message: Mapping[str, Any]) -> None:
    if file.format == "csv":
        _csv(file)
        return
    if file.format == "pdf":
        _pdf_head(file)
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
            if numbers.stop % _TELL == 1:
                jobs.update(file.job_id, done=numbers.stop - 1)
    _finish(file)


def _piece(file: File, message: Mapping[str, Any]) -> None:
    number = message["piece"]
    if store.size(file.piece_key(number, "index")) is None:
        numbers, key, base = file.pieces[number], runs.key(), runs.base_url()
        cards = (
            (n, qr.matrix(base + rules.token(key, file.run.code, n), _LEVEL, qr.QUICK_MASK)) for n in numbers
        )
        if file.format == "pdf":
            body, begins = pdf.piece(_layout(file), number, [(file.run.label(n), rows) for n, rows in cards])
            index = pdf.index(begins)
        else:
            named = ((f"{file.run.label(n)}.png", pictures.png(rows)) for n, rows in cards)
            body, index = pictures.piece(named)
        store.put(file.piece_key(number, "part"), body)
        store.put(file.piece_key(number, "index"), index)  # last: it says that the piece is whole
    now = files.piece_done(file, number)
    if len(now.finished) == len(now.pieces):
        queues.send("printrun", {**_of(file), "kind": "join", "what": "the whole file"})


def _join(file: File, message: Mapping[str, Any]) -> None:
    count = len(file.pieces)
    head, head_begins = b"", list[int]()
    if file.format == "pdf":
        head, head_begins = pdf.head(_layout(file), file.sheet, f"{file.run.name} {file.run.prefix}")
    at, begins = len(head), list[int]()
    with store.Upload(file.key, files.TYPES[file.format]) as out:
        out.write(head)
        for number in range(count):
            begins.append(at)
            body = store.opened(file.piece_key(number, "part"))
            while data := body.read(_READ):
                at += out.write(data)
        indexes = ((begins[n], store.get(file.piece_key(n, "index"))) for n in range(count))
        if file.format == "pdf":
            end = pdf.tail(head_begins, indexes, at, ids.derived(file.job_id, length=32).encode().hex()[:32])
        else:
            end = pictures.tail(indexes, at)
        for data in end:
            out.write(data)
    _finish(file)
    for number in range(count):  # what is left over when this is cut short, the bucket deletes
        for what in ("part", "index"):
            store.delete(file.piece_key(number, what))


_DO: dict[str, Callable[[File, Mapping[str, Any]], None]] = {"file": _begin, "piece": _piece, "join": _join}


def _finish(file: File) -> None:
    count = file.run.count
    jobs.update(file.job_id, status="finished", done=count, result_key=file.key, result_name=file.name)


def _of(file: File) -> dict[str, str]:
    return {"print_run_id": file.run.print_run_id, "job_id": file.job_id}


def _pdf_head(file: File) -> None:
    """Cut the font once; the pieces read what came of it."""
    font = cut(pdf.characters(file.sheet, file.run.prefix))
    kept = {**asdict(font), "cff": font.cff.hex()}
    store.put(f"{file.folder}/{_HEAD}", json.dumps(kept).encode(), "application/json")


def _layout(file: File) -> pdf.Layout:
    size = files.piece_size(file.format, file.sheet, file.run.count)
    return pdf.layout(file.sheet, _font(f"{file.folder}/{_HEAD}"), file.run.count, size)


@lru_cache(maxsize=4)
def _font(key: str) -> Font:
    kept = json.loads(store.get(key))
    return Font(**{**kept, "cff": bytes.fromhex(kept["cff"]), "box": tuple(kept["box"])})
