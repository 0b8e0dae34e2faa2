"""Who is in a segment, as files of the lake: written once, one a generation.

| name | what |
|---|---|
| `lake/members/<segment>/<generation>.parquet` | who is in it |
| `lake/members/<segment>/<generation>.changes.parquet` | who came in (`entered`) or went out with it |
"""

from collections.abc import Mapping

from chalicelib.lake.engine import Lake, write
from chalicelib.platform import files

_FOLDER = "lake/members/"
_NOBODY = "SELECT NULL::VARCHAR AS segment_id, NULL::VARCHAR AS external_userid WHERE false"


def members_key(segment_id: str, generation: str) -> str:
    return f"{_FOLDER}{segment_id}/{generation}.parquet"


def changes_key(segment_id: str, generation: str) -> str:
    return f"{_FOLDER}{segment_id}/{generation}.changes.parquet"


def show(lake: Lake, generations: Mapping[str, str]) -> None:
    """Make the view `members` (segment_id, external_userid) of these segments' files. NotFound."""
    parts = [
        f"SELECT '{segment_id}' AS segment_id, external_userid FROM {lake.file(key)}"
        for segment_id, generation in sorted(generations.items())
        for key in [members_key(segment_id, generation)]
    ]
    lake.ask(f"CREATE OR REPLACE VIEW members AS {' UNION ALL '.join(parts) or _NOBODY}")


def save(lake: Lake, segment_id: str, generation: str, before: str | None, query: str) -> int:
    """Write who is in it by a query of `external_userid`, and what that changes. → how many they are.

    before: the generation to compare with; None: nobody came in or went out.
    """
    lake.ask(f"CREATE OR REPLACE TEMP TABLE present AS SELECT DISTINCT external_userid FROM ({query})")
    write(lake.base, "FROM present ORDER BY 1", members_key(segment_id, generation), lake.folder)
    if before is not None:
        former = lake.file(members_key(segment_id, before))
        changed = f"""
            SELECT external_userid, true AS entered FROM present ANTI JOIN {former} USING (external_userid)
            UNION ALL
            SELECT external_userid, false FROM {former} ANTI JOIN present USING (external_userid)
            ORDER BY 1"""
        write(lake.base, changed, changes_key(segment_id, generation), lake.folder)
    return int(lake.ask("SELECT count(*) FROM present")[0][0])


def changes(lake: Lake, segment_id: str, generation: str, after: str, limit: int) -> list[tuple[str, bool]]:
    """Who came in (True) or went out with a generation, in the order of their ids, behind `after`."""
    source = lake.file(changes_key(segment_id, generation))
    rows = lake.ask(
        f"SELECT external_userid, entered FROM {source} WHERE external_userid > ? ORDER BY 1 LIMIT {limit}",
        after,
    )
    return [(str(who), bool(entered)) for who, entered in rows]


def delete(segment_id: str, kept: set[str]) -> None:
    """Delete the files of a segment's other generations."""
    prefix = f"{_FOLDER}{segment_id}/"
    for key in files.names(prefix):
        if key.removeprefix(prefix).partition(".")[0] not in kept:
            files.delete(key)
