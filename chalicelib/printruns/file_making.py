"""Making a run's files: the work of the queue `printrun`.

`file`: CSV is written in one go. For PDF and ZIP each piece (1,000 cards' pictures, 10,000 cards of a PDF)
becomes a message. `piece`: made and kept in S3 under its number; whoever finishes the last
asks for `join`: the pieces are packed as a stream into the ZIP. Every step may come twice or be
cut in half: the same input gives the same bytes under the same name, and what is there is not made again.
"""

import io
import zipfile
from collections.abc import Callable, Iterator

from PIL import Image

from chalicelib.platform import clock, files, jobs, queues
from chalicelib.platform.errors import Invalid
from chalicelib.platform.ziparchive import Archive
from chalicelib.posters import print_pages, qr
from chalicelib.posters.print_pages import About
from chalicelib.printruns import card_design, qr_pictures, rules, run_files, runs, sheet_pdf
from chalicelib.printruns.card_face import CardFace
from chalicelib.printruns.run_files import File

Cards = Iterator[tuple[str, str]]  # number and link of each

_REPORT_EVERY = {"csv": 100_000, "pdf": 1000, "zip": 1000}  # cards


def begin_file(print_run_id: str, job_id: str) -> None:
    _work_on(print_run_id, job_id, _begin)


def make_piece(print_run_id: str, job_id: str, piece: int) -> None:
    _work_on(print_run_id, job_id, lambda file: _make_piece(file, piece))


def join_pieces(print_run_id: str, job_id: str) -> None:
    _work_on(print_run_id, job_id, _join_pieces)


def _work_on(print_run_id: str, job_id: str, work: Callable[[File], None]) -> None:
    """No work on a finished file; one that can't be made fails its job."""
    file = run_files.get(print_run_id, job_id)
    if jobs.get(job_id).status == "finished":
        return
    try:
        work(file)
    except Invalid as error:
        jobs.update(job_id, status="failed", error=str(error))


def _begin(file: File) -> None:
    if file.format == "csv":
        _write_csv(file)
        return
    message = {**_ids(file), "kind": "piece"}
    names = [f"cards {file.run.label(cards[0])} to {file.run.label(cards[-1])}" for cards in file.pieces]
    pieces = [{**message, "piece": number, "what": name} for number, name in enumerate(names)]
    queues.send_all("printrun", [(piece, None) for piece in pieces])


def _make_piece(file: File, piece: int) -> None:
    if files.size(file.piece_key(piece)) is None:
        cards = _iterate_cards(file, file.pieces[piece])
        made = _draw_sheets(file, cards) if file.format == "pdf" else _draw_pictures(cards)
        files.put(file.piece_key(piece), made, run_files.TYPES[file.format])
    now = run_files.add_piece(file, piece)
    if len(now.finished) == len(now.pieces):
        queues.send("printrun", {**_ids(file), "kind": "join", "what": "the whole file"})


def _join_pieces(file: File) -> None:
    if len(file.pieces) == 1:
        _finish(file)
        return
    with files.Upload(file.key, run_files.TYPES[file.type]) as out, Archive(out) as archive:
        for number, cards in enumerate(file.pieces):
            piece = files.get(file.piece_key(number))
            if file.format == "pdf":
                archive.add(f"{file.run.label(cards[0])}-{cards[-1]:06}.pdf", piece)
            else:
                packed = zipfile.ZipFile(io.BytesIO(piece))
                for name in packed.namelist():
                    archive.add(name, packed.read(name))
    _finish(file)
    for number in range(len(file.pieces)):  # what is left over when this is cut short, the bucket deletes
        files.delete(file.piece_key(number))


def _write_csv(file: File) -> None:
    """For Excel as well: a byte order mark, and CRLF."""
    key, run, base = runs.signing_key(), file.run, runs.base_url()
    with files.Upload(file.key, run_files.TYPES["csv"]) as out:
        out.write("\ufeffnumber,card,url\r\n".encode())
        for numbers in rules.split_numbers(run.count, run_files.PIECE):
            rows = [f"{n},{run.label(n)},{base}{rules.make_token(key, run.code, n)}\r\n" for n in numbers]
            out.write("".join(rows).encode())
            if (numbers.stop - 1) % _REPORT_EVERY["csv"] == 0:
                jobs.update(file.job_id, done=numbers.stop - 1)
    _finish(file)


def _iterate_cards(file: File, numbers: range) -> Cards:
    key, base = runs.signing_key(), runs.base_url()
    for number in numbers:
        token = rules.make_token(key, file.run.code, number)
        yield file.run.label(number), base + token
        if len(file.pieces) == 1 and number % _REPORT_EVERY[file.format] == 0:
            jobs.update(file.job_id, done=number)


def _draw_sheets(file: File, cards: Cards) -> bytes:
    run, template = file.run, file.design or card_design.design(file.sheet)
    length = len(runs.make_url(run, 1).encode())
    words = {
        "title": file.sheet.title or "",
        "subtitle": file.sheet.subtitle or "",
        "footer": file.sheet.footer,
        "code_name": file.code_name,
    }
    face = CardFace(
        template,
        words,
        run.label(run.count),
        card_design.millimetres(template),
        {False: qr.modules(length, "M"), True: qr.modules(length, "H")},
    )
    about = About(f"{run.name} {run.prefix}", print_pages.brand(), clock.parse(run.created_at))
    return sheet_pdf.document(file.sheet, face, cards, about, _load_picture)


def _load_picture(asset_id: str) -> Image.Image:
    from chalicelib.posters import outside_pictures  # for designed cards alone: it brings a QR reader

    return outside_pictures.load(asset_id)


def _draw_pictures(cards: Cards) -> bytes:
    out = io.BytesIO()
    with Archive(out) as archive:
        for label, url in cards:
            archive.add(f"{label}.png", qr_pictures.draw_png(sheet_pdf.code_rows(url, 0)))
    return out.getvalue()


def _finish(file: File) -> None:
    count = file.run.count
    jobs.update(file.job_id, status="finished", done=count, result_key=file.key, result_name=file.name)


def _ids(file: File) -> dict[str, str]:
    return {"print_run_id": file.run.print_run_id, "job_id": file.job_id}
