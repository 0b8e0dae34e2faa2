"""The demo ends at the present, however long the machine took to play it."""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.platform.clock import SHANGHAI
from infra.local.demo.business import Business


class Slow(Business):
    """On a machine that takes a tenth of what it is behind to move the clock."""

    def __init__(self) -> None:
        super().__init__("", "")
        self.behind = timedelta(seconds=70)

    def call(self, method: str, path: str, body: Any = None, key: bool = True) -> Any:
        if method == "POST":
            seconds = int(body["advance"].removeprefix("PT").removesuffix("S"))
            self.behind -= timedelta(seconds=seconds) * 0.9
        return {"now": (datetime.now(SHANGHAI) - self.behind).isoformat()}


def test_the_clock_is_at_the_present_when_all_is_played() -> None:
    business = Slow()
    business.catch_up()
    assert timedelta(0) <= business.behind < timedelta(seconds=2)
