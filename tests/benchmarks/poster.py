"""A poster's cost beside the plain way: the same picture by qrcode's image, Pillow in RGB, a default PNG.

Both begin with the page's fixed part drawn and draw the same words and code; only ours also decodes
the result. Every poster has an address, a title and a guide of its own, so nothing is remembered
from one to the next. Then a designer's template with a photograph, a logo and an avatar; the gate alone;
a page for print; and a batch of 100 from its plan to its ZIP, with files and tables in memory, from which
2,000 are reckoned on the ten functions that work at once. Prints `name value unit`, medians.
"""

import io
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable
from functools import lru_cache
from importlib.resources import files as files_of

import qrcode  # type: ignore[import-untyped]
from msgspec.structs import replace
from PIL import Image, ImageDraw, ImageFont

from chalicelib.platform import files, queues
from chalicelib.posters import (
    batch_state,
    batch_work,
    drawing_tools,
    fonts,
    outside_pictures,
    palette_page,
    qr,
    qr_read_check,
    rendering,
    rules,
    template_store,
)
from chalicelib.posters.built_in_templates import CLASSIC, DEFAULT, TEMPLATES
from chalicelib.posters.rules import Request
from chalicelib.posters.types import Avatar, Background, Face, Qr, Rect, Template, Text

ROUNDS = 40
BATCH = 60
MANY = 100
FUNCTIONS = 10  # stack.yaml: as many work on a batch at once
PHOTO, LOGO = "as_" + "a" * 32, "as_" + "b" * 32
DESIGNED = Template(
    name="designed",
    width=1080,
    height=1920,
    background=Background(asset_id=PHOTO),
    layers=(
        Rect(90, 900, 900, 950, "#FFFFFF", 40),
        Text("{title}", 100, 100, 880, 300, 90, "#FFFFFF", 50, 3, face="serif", weight=0.02),
        Text("{staff_name}", 340, 1640, 600, 80, 44, "#222222", 24, align="left"),
        Avatar(140, 1600, 160),
        Qr(290, 950, 500, logo=LOGO),
    ),
)
A5 = Template(
    name="a5",
    width=148,
    height=210,
    unit="mm",
    bleed_mm=3,
    background=Background(asset_id=PHOTO),
    layers=(Text("{title}", 10, 20, 128, 40, 16, "#FFFFFF", 8, 2, face="serif"), Qr(39, 80, 70)),
)


def request(number: int) -> Request:
    guides = "李晓华王伟张敏刘洋陈静杨帆赵磊黄丽周强吴婷"
    data = {
        "url": f"https://go.example.com/s/Code{number:04d}",
        "title": f"扫码添加第{number}号专属顾问",
        "staff_name": guides[number % 9 * 2 : number % 9 * 2 + 3] + str(number),
    }
    return rules.parse_request(data, TEMPLATES, DEFAULT)


@lru_cache
def pillow_font(face: Face, size: float) -> ImageFont.FreeTypeFont:
    path = files_of("pylopdf_fonts_zh_cn") / fonts.chain(face)[0].file
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


def plain(wanted: Request, ground: Image.Image) -> bytes:
    """The straightforward way, with the same layout and loaded fonts."""
    poster = ground.copy()
    draw = ImageDraw.Draw(poster)
    for text in CLASSIC.texts:
        if "{" in text.value:
            for line in drawing_tools.lines(text, rules.filled(text.value, CLASSIC, wanted)):
                font, stroke = pillow_font(text.face, line.size), text.weight * line.size
                for cluster, x in zip(line.clusters, line.xs, strict=True):
                    draw.text((x, line.baseline), cluster.text, text.colour, font, "ls", stroke_width=stroke)
    code = qrcode.QRCode(error_correction=qrcode.ERROR_CORRECT_M, border=0)
    code.add_data(wanted.url)
    code.make()
    square = rules.place_qr(CLASSIC, code.modules_count, CLASSIC.width)
    code.box_size = square.module
    image = code.make_image(fill_color=CLASSIC.qr.dark, back_color=CLASSIC.qr.light).get_image()
    poster.paste(image, (square.x, square.y))
    png = io.BytesIO()
    poster.save(png, "PNG")
    return png.getvalue()


def milliseconds(work: Callable[[], bytes]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000


def draw_one(number: int) -> int:
    return len(rendering.render(request(number), CLASSIC))


def photograph() -> Image.Image:
    """Soft as a photograph is, with its grain."""
    soft = Image.effect_noise((54, 96), 80).resize((1080, 1920), Image.Resampling.BICUBIC)
    grain = Image.effect_noise((1080, 1920), 6)
    return Image.merge("RGB", (soft, Image.blend(soft, grain, 0.2), grain))


def median(work: Callable[[int], bytes], rounds: int = 8) -> float:
    work(0)
    return statistics.median(milliseconds(lambda n=n: work(n)) for n in range(1, rounds))  # type: ignore[misc]


def designed() -> None:
    pictures = {PHOTO: photograph(), LOGO: Image.new("RGB", (200, 200), "#C9381F")}
    outside_pictures.load = pictures.__getitem__  # type: ignore[assignment]
    for form in ("png", "jpg"):
        took = median(lambda n, form=form: rendering.render(replace(request(n), format=form), DESIGNED))  # type: ignore[misc]
        size = len(rendering.render(replace(request(99), format=form), DESIGNED))
        print(f"poster_designed_{form} {took:.1f} ms\nposter_designed_{form}_size {size / 1024:.0f} KiB")
    for name, template in (("classic", CLASSIC), ("a5_photo", A5)):
        took = median(lambda n, t=template: rendering.render(replace(request(n), format="pdf"), t), 8)  # type: ignore[misc]
        size = len(rendering.render(replace(request(99), format="pdf"), template))
        print(f"poster_pdf_{name} {took:.1f} ms\nposter_pdf_{name}_size {size / 1024:.0f} KiB")
    begun = time.perf_counter()
    assert rendering.find_template_issues(DESIGNED, 60) == []
    print(f"poster_template_judged {(time.perf_counter() - begun) * 1000:.0f} ms")


def gates() -> None:
    wanted = request(1)
    poster = rendering.drawn(wanted, CLASSIC, rules.frame(CLASSIC))
    once = statistics.median(
        milliseconds(lambda: b"" * len(qr_read_check.decoded(poster.grey))) for _ in range(ROUNDS)
    )
    whole = statistics.median(
        milliseconds(lambda: b"" * len(qr_read_check.unread(poster.grey, wanted.url, poster.codes, CLASSIC)))
        for _ in range(ROUNDS)
    )
    print(f"poster_decoded_once {once:.1f} ms\nposter_gate {whole:.1f} ms")
    matrix = statistics.median(
        milliseconds(lambda n=n: qr.matrix(f"https://go.example.com/s/Code{n:04d}")[0])  # type: ignore[misc]
        for n in range(200)
    )
    print(f"qr_matrix {matrix:.3f} ms")


def batch() -> None:
    kept: dict[str, bytes] = {}
    rows = [
        {"url": request(n).url, "staff_name": request(n).staff_name, "format": "png", "file": f"{n}.png"}
        for n in range(MANY)
    ]
    done: list[int] = []
    files.put = lambda key, data, kind="": kept.__setitem__(key, data)  # type: ignore[assignment]
    files.get = kept.__getitem__
    files.size = lambda key: len(kept[key]) if key in kept else None  # type: ignore[assignment]
    batch_state.read_rows = lambda batch_id: rows  # type: ignore[assignment]
    batch_state.is_done = lambda batch_id, number: number in done  # type: ignore[assignment]
    batch_state.count_chunk = lambda batch_id, number, made, errors, left_out: done.append(number)  # type: ignore[assignment]
    batch_state.is_complete = lambda batch_id: len(done) * batch_state.CHUNK == MANY  # type: ignore[assignment]
    batch_state.read_errors = batch_state.read_left_out = lambda batch_id: []  # type: ignore[assignment]
    batch_state.finish = lambda *told: None  # type: ignore[assignment]
    queues.send = lambda *told: None  # type: ignore[assignment]
    template_store.get_design = TEMPLATES.__getitem__
    begun = time.perf_counter()
    for number in range(MANY // batch_state.CHUNK):
        batch_work.make_chunk("b", number)
    drawn = time.perf_counter() - begun
    begun = time.perf_counter()
    batch_work.pack_zip("b")
    packed = time.perf_counter() - begun
    print(f"poster_batch_of_100 {drawn:.2f} s\nposter_batch_zip_of_100 {packed * 1000:.0f} ms")
    print(f"poster_batch_of_2000_reckoned {2000 / MANY * (drawn / FUNCTIONS + packed):.1f} s")


def main() -> None:
    begun = time.perf_counter()
    first = rendering.render(request(0), CLASSIC)
    print(f"poster_first {(time.perf_counter() - begun) * 1000:.1f} ms")
    page = palette_page.page_of(CLASSIC, request(0), rules.frame(CLASSIC))
    ground = page.picture.copy()
    ground.putpalette(page.palette)
    ground = ground.convert("RGB")
    plain(request(0), ground)
    ours, theirs = [], []
    for number in range(1, ROUNDS + 1):
        wanted, other = request(2 * number), request(2 * number + 1)
        ours.append(milliseconds(lambda wanted=wanted: rendering.render(wanted, CLASSIC)))  # type: ignore[misc]
        theirs.append(milliseconds(lambda other=other: plain(other, ground)))  # type: ignore[misc]
    print(f"poster {statistics.median(ours):.1f} ms")
    print(f"poster_plain {statistics.median(theirs):.1f} ms")
    print(f"poster_ratio {statistics.median(ours) / statistics.median(theirs):.2f} x")
    print(f"poster_size {len(first) / 1024:.0f} KiB")
    gates()
    with multiprocessing.Pool(2) as pool:
        pool.map(draw_one, range(10), chunksize=5)
        rates = []
        for _ in range(2):
            begun = time.perf_counter()
            pool.map(draw_one, range(BATCH), chunksize=10)
            rates.append(BATCH / (time.perf_counter() - begun))
    print(f"posters_per_second_2_cores {max(rates):.0f} 1/s")
    begun = time.perf_counter()
    rendering.render(
        replace(request(1), title="满 300 减 50，静安寺店开业大酬宾，仅限三天", staff_name="ئالىم"), CLASSIC
    )
    print(
        f"poster_first_that_breaks_lines_and_runs_from_the_right {(time.perf_counter() - begun) * 1000:.1f} ms"
    )
    print(f"poster_peak_memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    designed()
    batch()


if __name__ == "__main__":
    main()
