"""Import time of each handler, as a multiple of `import boto3` in the same run (warm bytecode, CPU seconds)."""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 7
# Kept by the first round, also where Python is told to keep none.
BYTECODE = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(ROOT / "build" / "bench" / "bytecode")}
MEASURE = "import time; t = time.process_time(); import {module}; print((time.process_time() - t) * 1000)"


def milliseconds(module: str, path: str) -> float:
    answer = subprocess.run(
        [sys.executable, "-c", MEASURE.format(module=module)],
        env={**os.environ, **BYTECODE, "PYTHONPATH": path, "AWS_DEFAULT_REGION": "cn-north-1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(answer.stdout)


def main() -> None:
    handlers = sorted(ROOT.glob("functions/*/handler.py"))
    times: dict[str, list[float]] = {"boto3": []}
    for _ in range(ROUNDS + 1):  # in turn, so that a slow moment hits all alike
        times["boto3"].append(milliseconds("boto3", str(ROOT)))
        for handler in handlers:
            name = handler.parent.name
            times.setdefault(name, []).append(milliseconds("handler", f"{handler.parent}:{ROOT}"))
    boto3 = statistics.median(times.pop("boto3")[1:])
    print(f"import_boto3 {boto3:.0f} ms")
    for name, found in times.items():
        print(f"import_{name} {statistics.median(found[1:]):.0f} ms")
        print(f"import_{name}_to_boto3 {statistics.median(found[1:]) / boto3:.2f} x")


if __name__ == "__main__":
    main()
