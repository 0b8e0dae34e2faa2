"""`python -m infra.console`: build the console into build/console, and say how large it is."""

import shutil
import sys
import time

import brotli

from infra import console
from infra.build import ROOT


def main() -> None:
    began, out = time.monotonic(), ROOT / "build" / "console"
    shutil.rmtree(out, ignore_errors=True)
    try:
        built = console.write(out)
    except console.Failed as failed:
        sys.exit(str(failed))
    for name, content in sorted(built.files.items()):
        print(f"{name} {len(content) / 1024:.1f} KiB, {len(brotli.compress(content)) / 1024:.1f} as sent")
    print(f"built in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
