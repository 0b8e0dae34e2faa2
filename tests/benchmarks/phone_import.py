"""Phone import: what a row costs, how many go through in a second, and the memory that a million take.

The rows go through the very import (examine, read, normalised, encrypted, spread, written slice by
slice with their progress); DynamoDB and S3 answer at once from this process, so the rate is our own CPU
on one core. Units are reckoned from what is really sent by AWS's rule: a write in a transaction 2 units
a started KB, the index 1 unit a started KB, a read 0.5 units a started 4 KB, twice that consistent.
Reading alone (a million rows of CSV, 100,000 of XLSX; with a number as argument: that many) is done in a
process of its own, whose greatest memory is told by the system.
Prints `name value unit`.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

ROWS, MILLION, GUIDES = 20_000, 1_000_000, 200
READ = {"csv": MILLION, "xlsx": 100_000}  # rows


def line(n: int) -> str:
    return f"138{n:08d},客户{n},会员日来过"


def write_csv(path: Path, rows: int) -> None:
    with path.open("w", encoding="utf-8") as out:
        out.write("手机号,姓名,备注\n")
        out.writelines(f"{line(n)}\n" for n in range(rows))


MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
    f'<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>'
    f'<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>'
    f'<sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="rId1" '
    f'Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}


def write_xlsx(path: Path, rows: int) -> None:
    """As Excel writes it: numbers as numbers, every text in the shared strings; no text comes twice."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
        for name, content in PARTS.items():
            packed.writestr(name, content)
        with packed.open("xl/sharedStrings.xml", "w", force_zip64=True) as out:
            out.write(f'<sst xmlns="{MAIN}">'.encode())
            out.write("<si><t>手机号</t></si><si><t>姓名</t></si><si><t>备注</t></si>".encode())
            for n in range(rows):
                out.write(f"<si><t>客户{n}</t></si><si><t>会员日来过 {n}</t></si>".encode())
            out.write(b"</sst>")
        with packed.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as out:
            out.write(f'<worksheet xmlns="{MAIN}"><dimension ref="A1:C{rows + 1}"/><sheetData>'.encode())
            for n in range(rows + 1):
                r, text = n + 1, 2 * n + 1
                phone = f'<c r="A{r}"><v>138{n:08d}</v></c>' if n else '<c r="A1" t="s"><v>0</v></c>'
                cells = f'<c r="B{r}" t="s"><v>{text}</v></c><c r="C{r}" t="s"><v>{text + 1}</v></c>'
                out.write(f'<row r="{r}">{phone}{cells}</row>'.encode())
            out.write(b"</sheetData></worksheet>")


def read_alone(kind: str, path: Path) -> None:
    """In a process of its own: read all rows → seconds, MB at most."""
    from chalicelib.tables import csv_rows, encodings

    began, count = time.perf_counter(), 0
    base = greatest_memory()
    with path.open("rb") as file:

        def read(start: int, length: int) -> bytes:
            file.seek(start)
            return file.read(length)

        if kind == "csv":
            encoding, _ = encodings.examine(read)
            rows: Iterator[Any] = csv_rows.records(read, 0, 1, encoding, ",")
        else:
            from chalicelib.tables import xlsx_rows  # openpyxl takes memory, too

            rows = xlsx_rows.Book(file).records()
        for _ in rows:
            count += 1
    peak = greatest_memory()
    print(json.dumps([count, time.perf_counter() - began, peak, peak - base]))


def greatest_memory() -> float:
    """MB that this process has had resident at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def alone(kind: str, path: Path) -> list[float]:
    command = [sys.executable, __file__, "read", kind, str(path)]
    answer = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    return [float(value) for value in json.loads(answer.stdout)]


class Store:
    """DynamoDB that takes everything at once, and counts its units."""

    def __init__(self) -> None:
        self.write = self.index = self.read = 0.0
        self.requests = 0

    def answer(self, model: Any, params: dict[str, Any]) -> dict[str, Any]:
        self.requests += 1
        if model.name == "TransactWriteItems":
            for action in params["TransactItems"]:
                (what,) = action.values()
                kb = ceil(size(what.get("Item") or what["Key"]) / 1024)
                self.write += 2 * kb
                if "Item" in what and "lane" in what["Item"]:
                    self.index += kb
        elif model.name in ("PutItem", "UpdateItem"):
            self.write += ceil(size(params.get("Item") or params["Key"]) / 1024)
        elif model.name == "BatchGetItem":
            for table in params["RequestItems"].values():
                self.read += len(table["Keys"]) * (1 if table.get("ConsistentRead") else 0.5)
            return {"Responses": {name: [] for name in params["RequestItems"]}, "UnprocessedKeys": {}}
        return {}


def size(item: dict[str, Any]) -> int:
    """Bytes of an item: names and values."""
    return sum(len(name.encode()) + len(str(next(iter(v.values()))).encode()) for name, v in item.items())


def through(rows: int) -> None:
    """A whole import of that many rows."""
    from chalicelib.platform import files, jobs, settings, storage
    from chalicelib.platform.principal import SYSTEM
    from chalicelib.prospects import brand_settings, import_reading, import_rows, imports, models
    from chalicelib.prospects.types import NewImport, Spread

    settings._secrets["keys"] = (time.monotonic() + 3600, {"master": "m" * 64})
    store = Store()
    client = storage.connection().client
    client._make_api_call = lambda name, params: store.answer(
        client.meta.service_model.operation_model(name), params
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.csv")
        write_csv(path, rows)
        raw = path.read_bytes()
        files.part = lambda key, start, length: raw[start : start + length]  # type: ignore[assignment]
        jobs.update = lambda *_, **__: None  # type: ignore[assignment]
        brand_settings.present = lambda rule: rule
        brand_settings.enlist = lambda _: None  # type: ignore[assignment]
        models.ProgressItem.find = classmethod(lambda *_, **__: None)  # type: ignore[assignment]
        spread = Spread(staff_ids=[f"guide_{n:03}" for n in range(GUIDES)])
        new = NewImport(name="a", format="csv", staff=spread, consent="x" * 20)
        job = imports._new(new, "csv", "running", SYSTEM, "zh")
        job.job_id = "job"
        desk = import_rows.Intake(job)
        desk.look = lambda: None  # type: ignore[method-assign]
        began, cpu = time.perf_counter(), time.process_time()
        import_reading._note(desk, lambda: 300_000)
        assert import_reading._read(desk, lambda: 300_000)
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    assert desk.state["new"] == rows, desk.state
    print(f"phone_import_rows_per_second {rows / seconds:.0f} rows/s")
    print(f"phone_import_cpu_per_row {cpu / rows * 1e6:.0f} us")
    print(f"phone_import_write_units_per_row {store.write / rows:.2f} units")
    print(f"phone_import_index_units_per_row {store.index / rows:.2f} units")
    print(f"phone_import_read_units_per_row {store.read / rows:.2f} units")
    print(f"phone_import_requests_per_1000_rows {store.requests / rows * 1000:.1f} requests")
    units = (store.write + store.index) / rows * MILLION
    print(f"phone_import_million_write_units {units / 1e6:.2f} M_units")
    print(f"phone_import_million_own_cpu {cpu / rows * MILLION / 60:.1f} min")


def main() -> None:
    random.seed(1)
    print(f"{ROWS} rows over {GUIDES} guides; then {READ} rows read alone")
    through(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        for kind, write in (("csv", write_csv), ("xlsx", write_xlsx)):
            path = Path(folder, f"a.{kind}")
            write(path, READ[kind])
            count, seconds, peak, more = alone(kind, path)
            assert count == READ[kind] + 1
            print(f"phone_import_read_{kind} {READ[kind] / seconds:.0f} rows/s")
            print(f"phone_import_read_{kind}_memory {peak:.0f} MB")
            print(f"phone_import_read_{kind}_above_start {more:.1f} MB")


if __name__ == "__main__":
    if sys.argv[1:2] == ["read"]:
        read_alone(sys.argv[2], Path(sys.argv[3]))
    else:
        READ |= dict.fromkeys(READ, int(sys.argv[1])) if sys.argv[1:] else {}
        import conftest  # noqa: F401 (sets the environment that the models read)

        os.environ.pop("AWS_ENDPOINT_URL", None)
        main()
