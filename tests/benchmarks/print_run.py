"""Print runs: cards a second, bytes and memory of each format; what a card, a binding, a gift ask for.

The files are made by one process with all pieces one after another, into a stand-in for S3 that keeps the
bytes elsewhere. The peak of memory is the whole process's, with the emulated store's library; compare a
small run's with a large one's. `print_run.py csv 1000000` makes the largest. On AWS ten functions make
pieces side by side. Prints `name value unit`.
"""

import os
import resource
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import conftest  # sets the environment that the models read
import moto

from chalicelib.coupons import service as coupons
from chalicelib.platform import files as store
from chalicelib.platform import queues, settings, works
from chalicelib.printruns import cards, order_binding, run_files, runs
from chalicelib.printruns.types import Order
from chalicelib.wecom import client as wecom
from tests.support import print_world as world
from tests.support.poster_lambda import PosterLambda
from tests.support.scan_support import NOON, FakeWeCom, requests

SENT: deque[dict[str, Any]] = deque()
MB = 1024 * 1024


class Discard:
    """In place of S3: an upload that counts its bytes, buffering as the real one does."""

    total = 0

    def __init__(self, key: str, content_type: str):
        self._buffer = bytearray()

    def __enter__(self) -> "Discard":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, data: bytes) -> int:
        self._buffer += data
        if len(self._buffer) >= store.PART_BYTES:
            self._buffer = bytearray()
        Discard.total += len(data)
        return len(data)


def worked(count: int, format: str) -> tuple[float, int]:
    """(seconds of the work alone, bytes of the file). Pieces lie on disk meanwhile, as they would in S3."""
    run = world.a_run(count, format="csv")
    SENT.clear()
    job_id = world.start_file(run, format)
    Discard.total = 0
    begin = time.perf_counter()
    while SENT:
        works.do(SENT.popleft())
    seconds = time.perf_counter() - begin
    return seconds, Discard.total or store.size(run_files.get(run.print_run_id, job_id).key) or 0


def on_disk(folder: Path) -> None:
    """store.put, get, size, delete on files, and uploads thrown away."""

    def path(key: str) -> Path:
        return folder / key.replace("/", "_")

    store.put = lambda key, body, *_: path(key).write_bytes(body)  # type: ignore[assignment]
    store.get = lambda key: path(key).read_bytes()  # type: ignore[assignment]
    store.size = lambda key: path(key).stat().st_size if path(key).exists() else None  # type: ignore[assignment]
    store.delete = lambda key: path(key).unlink(missing_ok=True)  # type: ignore[assignment]
    store.Upload = Discard  # type: ignore[assignment, misc]


def prepare() -> None:
    settings._secrets["keys"] = (time.monotonic() + 3600, {"master": "m" * 64})
    os.environ["PUBLIC_BASE_URL"] = "https://m.brand.example.com"
    fake = FakeWeCom()
    wecom.default_client = lambda: fake  # type: ignore[assignment]

    def send(queue: str, message: Any, *, group: str | None = None, key: str | None = None) -> None:
        if queue == "printrun":
            SENT.append(dict(message))

    queues.send = send
    queues.send_all = lambda queue, batch: [send(queue, message) for message, _ in batch]  # type: ignore[assignment]
    os.environ["POSTER_FUNCTION"] = "poster"
    honest = settings.client
    settings.client = lambda name: PosterLambda() if name == "lambda" else honest(name)  # type: ignore[assignment]
    conftest.create_tables()


def file_figures(format: str, count: int) -> None:
    """In a process of its own, for its peak of memory."""
    import tempfile

    with moto.mock_aws(), tempfile.TemporaryDirectory() as folder:
        prepare()
        on_disk(Path(folder))
        worked(100, format)  # imports, tables of the QR code, the font
        seconds, size = worked(count, format)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    name = f"print_{format}_{count}"
    print(f"{name}_cards_per_second {count / seconds:.0f} cards/s")
    print(f"{name}_size {size / MB:.1f} MB")
    print(f"{name}_peak_memory_with_moto {peak:.0f} MB")


def request_figures() -> None:
    with moto.mock_aws():
        prepare()
        run = world.a_run(1000)
        card = cards.find(world.token(run, 1))
        asked = requests()
        begin = time.process_time()
        for number in range(1, 1001):
            cards.find(world.token(run, number))
        token_us = (time.process_time() - begin) * 1e6 / 1000
        assert card and (card.run.print_run_id, card.number) == (run.print_run_id, 1)
        print(f"card_found_cpu {token_us:.0f} us")
        print(f"card_found_requests {len(asked)} requests")
        asked.clear()
        order = Order(order_id="M1")
        order_binding.bind(card, order)
        asked.clear()
        order_binding.bind(cards.Card(runs.get_kept(run.print_run_id), 2), order)
        print(f"card_bind_requests {len([name for name in asked if name != 'GetItem'])} requests")
        pool_id = coupons.create("till", None).pool_id
        begin = time.perf_counter()
        coupons.load(pool_id, "\n".join(f"GIFT{n:08}" for n in range(20_000)).encode())
        print(f"coupon_load_20000_with_moto {time.perf_counter() - begin:.1f} s")
        coupons.claim(pool_id, "wm0", NOON)
        asked.clear()
        coupons.claim(pool_id, "wm1", NOON)
        print(f"coupon_claim_requests {len(asked)} requests")
        asked.clear()
        coupons.claim(pool_id, "wm1", NOON)
        print(f"coupon_claim_again_requests {len(asked)} requests")


def main() -> None:
    print("Base address https://m.brand.example.com: QR version 4, level M; A4, ten cards a page")
    if len(sys.argv) > 2:
        file_figures(sys.argv[1], int(sys.argv[2]))
        return
    request_figures()
    for format, count in (("csv", 1_000), ("csv", 200_000), ("pdf", 100), ("pdf", 4_000), ("zip", 2_000)):
        done = subprocess.run(
            [sys.executable, __file__, format, str(count)], check=True, capture_output=True, text=True
        )
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith("print_")))


if __name__ == "__main__":
    os.environ.pop("AWS_ENDPOINT_URL", None)
    main()
