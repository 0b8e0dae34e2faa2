"""Moving the local stack's clock: from instant to instant, whatever is stuck on the way."""

from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local import moves

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


class Stack(moves.Mover):
    """A mover whose emulator and sandbox are at rest; `due` holds when work falls due."""

    def __init__(self, due: list[datetime], stuck: list[datetime]):
        super().__init__(None, 0, None)  # type: ignore[arg-type]
        self.due, self.stuck, self.time, self.instants = due, stuck, NOON, [NOON]

    def emulator(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if body:
            self.time = datetime.fromtimestamp(moves.time.time() + body["offset"], UTC).replace(microsecond=0)
            self.instants.append(self.time)
        return {"now": self.time.timestamp()}

    def settle(self) -> None:
        self.due = [at for at in self.due if at > self.time]

    def due_times(self) -> list[datetime]:
        return self.due + self.stuck

    def next_instant(self, now: datetime, ticks: list[datetime]) -> datetime:
        return min((at for at in ticks if at > now), default=datetime.max.replace(tzinfo=UTC))

    def skip_empty(self, until: datetime) -> None:
        self.skipped = until


def minutes(stack: Stack) -> list[int]:
    return [round((at - NOON).total_seconds() / 60) for at in stack.instants]


def test_the_clock_stops_where_something_falls_due_and_nowhere_else() -> None:
    stack = Stack([NOON + timedelta(minutes=30), NOON + timedelta(hours=5)], [])
    stack.advance(timedelta(days=1))
    assert minutes(stack) == [0, 30, 300, 1440]


def test_work_that_is_never_taken_does_not_make_each_minute_an_instant() -> None:
    stack = Stack([NOON + timedelta(hours=5)], [NOON - timedelta(hours=2), NOON + timedelta(hours=1)])
    stack.advance(timedelta(days=1))
    assert minutes(stack)[-1] == 1440
    assert 300 in minutes(stack)
    assert len(stack.instants) <= 6
