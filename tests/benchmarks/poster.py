"""A poster's cost beside the plain way: the same picture by qrcode's image, Pillow in RGB, a default PNG.

Both begin with the page's fixed part drawn and draw the same words and code; only ours also decodes
the result. Every poster has an address, a title and a guide of its own, so nothing is remembered
from one to the next. Prints `name value unit`, the median of interleaved rounds.
"""

import io
import multiprocessing
import statistics
import time
from collections.abc import Callable

import qrcode  # type: ignore[import-untyped]
from PIL import Image, ImageDraw

from chalicelib.posters import rules, service
from chalicelib.posters.templates import CLASSIC, DEFAULT, TEMPLATES

ROUNDS = 40
BATCH = 120


def request(number: int) -> rules.Request:
    guides = "李晓华王伟张敏刘洋陈静杨帆赵磊黄丽周强吴婷"
    data = {
        "url": f"https://go.example.com/s/Code{number:04d}",
        "title": f"扫码添加第{number}号专属顾问",
        "staff_name": guides[number % 9 * 2 : number % 9 * 2 + 3] + str(number),
    }
    return rules.parse_request(data, TEMPLATES, DEFAULT)


def plain(wanted: rules.Request, ground: Image.Image) -> bytes:
    """The straightforward way, with the same layout and loaded fonts."""
    poster = ground.copy()
    draw = ImageDraw.Draw(poster)
    for text in CLASSIC.texts:
        if "{" in text.value:
            for line in service._lines(text, rules.filled(text.value, CLASSIC, wanted)):
                font = service._font(text.face, line.size)
                for character, x in zip(line.text, line.xs, strict=True):
                    stroke = text.weight * line.size
                    draw.text((x, line.baseline), character, text.colour, font, "ls", stroke_width=stroke)
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
    return len(service.render(request(number)))


def main() -> None:
    begun = time.perf_counter()
    first = service.render(request(0))
    print(f"poster_first {(time.perf_counter() - begun) * 1000:.1f} ms")
    page = service._page(CLASSIC, CLASSIC.width, True)
    ground = page.picture.copy()
    ground.putpalette(page.palette)
    ground = ground.convert("RGB")
    plain(request(0), ground)
    ours, theirs = [], []
    for number in range(1, ROUNDS + 1):
        wanted, other = request(2 * number), request(2 * number + 1)
        ours.append(milliseconds(lambda wanted=wanted: service.render(wanted)))  # type: ignore[misc]
        theirs.append(milliseconds(lambda other=other: plain(other, ground)))  # type: ignore[misc]
    print(f"poster {statistics.median(ours):.1f} ms")
    print(f"poster_plain {statistics.median(theirs):.1f} ms")
    print(f"poster_ratio {statistics.median(ours) / statistics.median(theirs):.2f} x")
    print(f"poster_size {len(first) / 1024:.0f} KiB")
    with multiprocessing.Pool(2) as pool:
        pool.map(draw_one, range(10), chunksize=5)
        rates = []
        for _ in range(3):
            begun = time.perf_counter()
            pool.map(draw_one, range(BATCH), chunksize=10)
            rates.append(BATCH / (time.perf_counter() - begun))
    print(f"posters_per_second_2_cores {max(rates):.0f} 1/s")


if __name__ == "__main__":
    main()
