"""A ZIP written straight into an upload, stored, in constant memory, that every unpacker takes.

zipfile goes back to write an entry's size and checksum before it; what it may go back to is held here,
one entry, and goes on when the next one begins. So no entry needs a data descriptor, which readers of
streams do not take behind stored ones.
"""

import io
import zipfile
from typing import Any

_WHEN = (2026, 1, 1, 0, 0, 0)  # the same archive from the same files, however often it is made


class Archive:
    """`with Archive(out) as archive: archive.add("店.png", data)`. out: has `write`, as files.Upload."""

    def __init__(self, out: Any):
        self._window = _Window(out)
        self._zip = zipfile.ZipFile(self._window, "w", zipfile.ZIP_STORED)

    def __enter__(self) -> "Archive":
        return self

    def add(self, name: str, data: bytes) -> None:
        entry = zipfile.ZipInfo(name, _WHEN)
        entry.external_attr = 0o644 << 16
        self._zip.writestr(entry, data)
        self._window.release()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is None:
            self._zip.close()
            self._window.release()


class _Window(io.RawIOBase):
    """The end of a file that is being written: what was released can't be gone back to."""

    def __init__(self, out: Any):
        self._out, self._start, self._buffer = out, 0, io.BytesIO()

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._buffer.write(data)

    def tell(self) -> int:
        return self._start + self._buffer.tell()

    def seek(self, at: int, whence: int = 0) -> int:
        if whence != io.SEEK_SET or at < self._start:
            raise io.UnsupportedOperation("only within the last entry")
        return self._start + self._buffer.seek(at - self._start)

    def release(self) -> None:
        """Send on what is held."""
        held = self._buffer.getvalue()
        self._out.write(held)
        self._start += len(held)
        self._buffer = io.BytesIO()
