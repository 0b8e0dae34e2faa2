"""A tag has another name, or is gone: in our mirror of each customer who has it, it is so too.

The lake says who, in bounded chunks; each chunk is a message. All of it may come twice, late, or stop in the
middle and begin again.
"""

from chalicelib.facts import rule_reader
from chalicelib.lake import engine, rule_query
from chalicelib.platform import clock, queues

_CHUNK = 200  # customers


def spread(tag_id: str, old: str) -> None:
    """Work, where the lake is: a message for each chunk of those who have the old name."""
    lake = engine.current()
    lake.refresh()
    query = rule_query.select_customers(rule_reader.read({"tag": {"any": [old]}}), clock.now()).sql("duckdb")
    who = [str(row[0]) for row in lake.ask(f"SELECT external_userid FROM ({query}) ORDER BY 1")]  # noqa: S608
    queues.send_all(
        "push",
        (
            ({"kind": "tag_carry", "tag_id": tag_id, "old": old, "who": who[at : at + _CHUNK]}, tag_id)
            for at in range(0, len(who), _CHUNK)
        ),
    )
