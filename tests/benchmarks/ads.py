"""What a landing page's visit and a conversion cost: requests and write units as the engine counts them.

Read units: a visit reads two small items consistently (2); the others are in the docs. WeCom and the ad
platform are answered from memory. Prints `name value unit`.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent))

import callback_units as units  # sets the environment

from chalicelib.ads import campaigns, credits, landing, links, models, reports, rules
from chalicelib.ads.types import NewAdCampaign
from chalicelib.platform import clock, queues
from chalicelib.platform.timeline_line import Line
from chalicelib.wecom import client as wecom
from chalicelib.wecom.client import AcquisitionLink
from tests.support import engine

PLAN: dict[str, Any] = {
    "name": "x", "platform": "baidu", "channel": "ad", "staff_ids": ["lihua"], "credentials": "b",
    "page": {"title": "新客礼", "bullets": ["一", "二", "三"]}, "report": {"added": "79", "bought": "10"},
}  # fmt: skip


class Corp:
    def create_link(self, *_: Any, **__: Any) -> AcquisitionLink:
        return AcquisitionLink("ca1", "https://work.weixin.qq.com/ca/ca1")


def measure() -> None:
    queues.send = lambda *_, **__: None  # type: ignore[assignment]
    wecom.default_client = Corp  # type: ignore[assignment]
    reports.outgoing.send = lambda *_: (200, b'{"header": {"status": 0}}')  # type: ignore[assignment]
    reports._credentials = lambda _: {"token": "T"}  # type: ignore[assignment]
    made = campaigns.create(msgspec.convert(PLAN, NewAdCampaign))
    links.sync(made.ad_campaign_id)
    code = made.ad_campaign_id.removeprefix("ac_")
    query = {"bd_vid": "12031567813456789012"}
    click = rules.click_of("baidu", code, made.url, query)
    assert click is not None
    now = clock.now()
    added = Line(
        units.WHO, "customer_added", now, "d", {"state": click.token, "begins": True, "staff_id": "lihua"}
    )
    told = rules.conversion_id(click.token, "added", "")
    meter = units.Meter()

    def of(name: str, work: Callable[[], Any]) -> None:
        meter.writes, meter.requests = 0.0, 0
        work()
        print(f"ad_{name} {meter.writes:g} write_units")
        print(f"ad_{name}_requests {meter.requests} requests")

    of("visit_with_a_new_click", lambda: landing.visit(code, query))
    of("visit_again", lambda: landing.visit(code, query))
    of("visit_without_click", lambda: landing.visit(code, {}))
    of("add_found", lambda: credits.on_added(added))
    of("conversion_told", lambda: reports.report(told))
    assert models.AdConversionItem.get(told).status == rules.SENT


def main() -> None:
    with engine.running() as os.environ["AWS_ENDPOINT_URL"]:
        units.conftest.create_tables()
        measure()


if __name__ == "__main__":
    main()
