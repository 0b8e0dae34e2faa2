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

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from chalicelib.platform import files

_MANIFEST = "lake/manifest.json"
_CHANGES = "lake/changes/"


class Manifest(Struct, frozen=True, kw_only=True):
    """merged: changes that the base has taken in and that may still be there. Names, not a time up to which:
    a change that takes long to write appears behind younger ones.
    """

    generation: str = ""
    shards: tuple[int, ...] = ()
    merged: tuple[str, ...] = ()

    def facts(self, shard: int) -> str:
        return f"lake/base/{self.generation}/facts-{shard}.parquet"

    def dated(self, shard: int) -> str:
        return f"lake/base/{self.generation}/dated-{shard}.parquet"


def read_manifest() -> Manifest:
    """The base that counts; one of nothing before there is any."""
    if files.size(_MANIFEST) is None:
        return Manifest()
    return msgspec.json.decode(files.get(_MANIFEST), type=Manifest)


def write_manifest(manifest: Manifest) -> None:
    files.put(_MANIFEST, msgspec.json.encode(manifest), "application/json")


def changes() -> list[str]:
    """The names (ULIDs) of the changes that are there, oldest first."""
    keys = files.names(_CHANGES)
    return [key.removeprefix(_CHANGES).partition(".")[0] for key in keys if key.endswith(".facts.parquet")]


def facts_of(change: str) -> str:
    return f"{_CHANGES}{change}.facts.parquet"


def dated_of(change: str) -> str:
    return f"{_CHANGES}{change}.dated.parquet"


def delete_changes(names: Sequence[str]) -> None:
    for name in names:
        files.delete(facts_of(name))
        files.delete(dated_of(name))
