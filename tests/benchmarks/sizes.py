"""What is deployed: the size of each layer and function, zipped and unzipped."""

import sys
import zipfile

from infra import build, package


def main() -> None:
    folder = build.ROOT / "build" / "bench" / "package"
    package.package("prod", folder, build.aws())
    for path in sorted((folder / "archives").iterdir()):
        name = path.stem.rsplit("-", 1)[0]
        with zipfile.ZipFile(path) as packed:
            unzipped = sum(entry.file_size for entry in packed.infolist())
        print(f"size_{name}_zipped {path.stat().st_size / 1e6:.2f} MB")
        print(f"size_{name}_unzipped {unzipped / 1e6:.2f} MB")


if __name__ == "__main__":
    sys.exit(main())
