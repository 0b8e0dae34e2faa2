"""The bytes of what was uploaded."""

import re
from pathlib import Path

_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Files:
    """The bytes of media: in memory, or in a folder, so that they outlive a run."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder) if folder else None
        self._kept: dict[str, bytes] = {}

    def put(self, media_id: str, data: bytes) -> None:
        if self._folder is None:
            self._kept[media_id] = data
        else:
            self._folder.mkdir(parents=True, exist_ok=True)
            (self._folder / media_id).write_bytes(data)

    def get(self, media_id: str) -> bytes | None:
        if self._folder is None:
            return self._kept.get(media_id)
        path = self._folder / media_id
        return path.read_bytes() if _PLAIN_NAME.fullmatch(media_id) and path.is_file() else None

    def drop(self, media_id: str) -> None:
        self._kept.pop(media_id, None)
        if self._folder is not None:
            (self._folder / media_id).unlink(missing_ok=True)
