"""Many at once, on an engine whose transactions hold: one click, one conversion, one report."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from chalicelib.ads import campaigns, credits, landing, links, models, reports, rules
from chalicelib.ads.models import AdClickItem, AdConversionItem
from chalicelib.ads.types import NewAdCampaign
from chalicelib.platform.timeline_line import Line
from chalicelib.wecom import client as wecom
from chalicelib.wecom.client import AcquisitionLink

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


def test_many_at_once_make_one_click_one_conversion_one_report(
    engine: str, at: Callable[[datetime], None], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    at(NOW)
    asked: list[str] = []
    gate = threading.Lock()

    class Corp:
        def create_link(self, fields: Any, **_: Any) -> AcquisitionLink:
            return AcquisitionLink("ca1", "https://work.weixin.qq.com/ca/ca1")

    def send(request: Any, guarded: bool) -> tuple[int, bytes]:
        with gate:
            asked.append(request.url)
        return 200, b'{"header": {"status": 0}}'

    monkeypatch.setattr(wecom, "default_client", Corp)
    monkeypatch.setattr(reports.outgoing, "send", send)
    monkeypatch.setattr(reports, "_credentials", lambda _: {"token": "T"})
    definition = msgspec.convert(
        {
            "name": "x",
            "platform": "baidu",
            "staff_ids": ["lihua"],
            "page": {"title": "x"},
            "report": {"added": "79"},
            "credentials": "b",
        },
        NewAdCampaign,
    )
    made = campaigns.create(definition)
    links.sync(made.ad_campaign_id)
    code = made.ad_campaign_id.removeprefix("ac_")
    token = rules.click_of("baidu", code, made.url, {"bd_vid": "1"}).token  # type: ignore[union-attr]
    line = Line("wm1", "customer_added", NOW, "d", {"state": token, "begins": True, "staff_id": "lihua"})

    def all_at_once(work: Callable[[], Any], times: int = 8) -> None:
        threads = [threading.Thread(target=work) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    all_at_once(lambda: landing.visit(code, {"bd_vid": "1"}))
    all_at_once(lambda: credits.on_added(line))
    (row,) = AdConversionItem.scan()
    all_at_once(lambda: reports.report(row.conversion_id))
    assert len(asked) == 1
    day = NOW.date()
    figures = models.stats(made.ad_campaign_id, day, day)[day.isoformat()]
    assert figures == {"views": 8, "clicks": 1, "adds": 1, "reports_sent": 1}
    assert AdClickItem.find(token).click_id == "1"
