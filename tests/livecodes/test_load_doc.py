"""docs/load.md says what the code does: its constants are the code's."""

import re
from pathlib import Path

from chalicelib.livecodes import rates


def test_the_pages_constants_are_the_codes() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/load.md").read_text()
    told = {name: float(value) for name, value in re.findall(r"`([A-Z_]+)` = ([0-9]+)", text)}
    names = (
        "TICKET_RATE",
        "TICKET_SHARD_RATE",
        "PLACE_RATE",
        "PLACE_SHARD_RATE",
        "MAX_SHARDS",
        "BLOCK_SECONDS",
    )
    assert told == {name: getattr(rates, name) for name in names}
    assert (rates.ticket_items(500), rates.shards(25), rates.shards(250)) == (3, 5, 50)
    assert rates.MAX_SHARDS * rates.PLACE_SHARD_RATE == 320
