"""A migration's job: all items, page by page, in as many invocations as it takes; again, it changes nothing."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.customers import models
from chalicelib.customers.models import CustomerItem, FollowItem
from chalicelib.customers.rules import Customer, Follow
from chalicelib.migrations import service
from chalicelib.platform import jobs, works
from chalicelib.platform.errors import NotFound

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


@pytest.fixture
def old(tables: None, at: Callable[[datetime], None]) -> list[str]:
    """Seven customers as a version without lists left them."""
    at(NOW)
    ids = [f"wm{n}" for n in range(7)]
    for who in ids:
        models.save(Customer(who, follows={"ann": Follow("active", NOW, NOW)}))
        CustomerItem(who).update([CustomerItem.place.remove(), CustomerItem.listing.remove()])
    for row in FollowItem.scan():
        row.delete()
    return ids


def test_it_goes_on_where_an_invocation_ended_and_tells_how_far_it_is(
    old: list[str], sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "_PAGE", 3)
    job_id = service.start("customer-lists")
    reached = []
    for _ in range(2):
        while sent:
            queue, message, _group = sent.pop()
            assert queue == "migrate" and message["job_id"] == job_id
            works.do(message, lambda: 0)
            works.do(message, lambda: 0)  # SQS hands it out twice
            while len(sent) > 1:
                assert sent.pop() == sent[-1]
            reached.append(jobs.JobItem.get(job_id).done)
        assert sorted(row.place.partition("#")[2] for row in FollowItem.scan()) == old
        assert reached == [3, 6, 7]
        job = jobs.JobItem.get(job_id)
        assert (job.status, job.done, job.total) == ("finished", 7, 7)
        before = [item.attribute_values for item in CustomerItem.scan()]
        job_id, reached = service.start("customer-lists"), []
    assert before == [item.attribute_values for item in CustomerItem.scan()]


def test_there_is_no_other(tables: None, sent: list[Any]) -> None:
    with pytest.raises(NotFound):
        service.start("none")
    assert not sent
