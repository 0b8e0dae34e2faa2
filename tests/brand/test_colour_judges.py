"""The console judges the brand's colours as one types; what it says is what the server says when one saves."""

import json
import random

import quickjs

from chalicelib.brand import rules
from infra.console.sources import SOURCE


def test_the_page_and_the_server_say_one_figure_and_one_better_colour() -> None:
    context = quickjs.Context()
    context.eval((SOURCE / "sections/brand/colours.js").read_text(encoding="utf-8").replace("export ", ""))
    chance = random.Random(9)  # nosec B311
    pairs = [("#ffd966", "#e6f4ee"), ("#ffd966", "#fff5e0")]
    pairs += [tuple(f"#{chance.randrange(1 << 24):06x}" for _ in range(2)) for _ in range(150)]  # type: ignore[misc]
    for first, second in pairs:
        page = json.loads(context.eval(f"JSON.stringify(judge('{first}', '{second}'))"))
        told = {issue.field: issue.params for issue in rules.find_issues([first, second])}
        for field, verdict in zip(("colors[0]", "colors[1]"), page, strict=True):
            assert verdict["ok"] == (field not in told), (first, second)
            if field in told:
                said = (round(verdict["ratio"], 2), verdict["nearest"])
                assert said == (told[field]["ratio"], told[field]["nearest"]), (first, second)
