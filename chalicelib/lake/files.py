"""The lake's files in S3: a base in shards, and changes that came since.

| name | what |
|---|---|
| `lake/manifest.json` | which base counts, and the changes that it has taken in |
| `lake/base/<generation>/facts-<shard>.parquet`, `dated-…` | a base, written once |
| `lake/changes/<ulid>.facts.parquet`, `….dated.parquet` | what changed in some seconds; the facts come last |

A change counts once its facts are there. Of one customer the greatest version counts, so a change that is
written twice is there once. A reader lists the changes before it reads the manifest: what was taken into the
base in between is in the base.
"""

from collections.abc import Collection, Sequence

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from chalicelib.platform import files

_MANIFEST = "lake/manifest.json"
_BASES = "lake/base/"
_CHANGES = "lake/changes/"


class Manifest(Struct, frozen=True, kw_only=True):
    """tag: of the file it was read from; it is replaced if it is still that.

    merged: changes that the base has taken in and that may still be there. Names, not a time up to which:
    a change that takes long to write appears behind younger ones.
    """

    tag: str | None = None
    generation: str = ""
    shards: tuple[int, ...] = ()
    merged: tuple[str, ...] = ()

    def facts(self, shard: int) -> str:
        return f"{_BASES}{self.generation}/facts-{shard}.parquet"

    def dated(self, shard: int) -> str:
        return f"{_BASES}{self.generation}/dated-{shard}.parquet"


def read_manifest() -> Manifest:
    """The base that counts; one of nothing before there is any."""
    stored = files.get_tagged(_MANIFEST)
    if stored is None:
        return Manifest()
    content, tag = stored
    return replace(msgspec.json.decode(content, type=Manifest), tag=tag)


def write_manifest(manifest: Manifest) -> bool:
    """Make this the base that counts. False when another than the one of its tag does."""
    content = msgspec.json.encode(replace(manifest, tag=None))
    return files.replace(_MANIFEST, content, "application/json", manifest.tag)


def changes() -> list[str]:
    """The names (ULIDs) of the changes that are there, oldest first."""
    keys = files.names(_CHANGES)
    return [key.removeprefix(_CHANGES).partition(".")[0] for key in keys if key.endswith(".facts.parquet")]


def delete_bases(kept: Collection[str]) -> None:
    """Delete the bases of other generations than these, halves of them too."""
    for key in files.names(_BASES):
        if key.removeprefix(_BASES).partition("/")[0] not in kept:
            files.delete(key)


def facts_of(change: str) -> str:
    return f"{_CHANGES}{change}.facts.parquet"


def dated_of(change: str) -> str:
    return f"{_CHANGES}{change}.dated.parquet"


def delete_changes(names: Sequence[str]) -> None:
    for name in names:
        files.delete(facts_of(name))
        files.delete(dated_of(name))
