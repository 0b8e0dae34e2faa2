"""Which groups a person is in."""

from chalicelib.facts.sources import Row, Source
from chalicelib.facts.types import DatedFact
from chalicelib.platform import clock
from chalicelib.platform.timeline_line import Line

_ROWS = "chalicelib.groups.facts:rows"
FACTS = [Source(rows=dict.fromkeys(("joined_group", "group_member_imported", "left_group"), _ROWS))]


def rows(line: Line) -> list[Row]:
    """In the group, or no longer; of one second the leaving wins."""
    chat_id, joined = str(line.data["chat_id"]), line.type != "left_group"
    return [
        Row(
            external_userid=line.subject,
            key=f"group#{chat_id}",
            version=f"{clock.iso(line.at)}#{0 if joined else 1}",
            entries=(DatedFact("in_group", line.at, chat_id),) if joined else (),
        )
    ]
