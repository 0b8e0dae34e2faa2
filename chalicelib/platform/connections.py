"""What was last heard of each outside connection: who answered, who refused, and when.

Noted by whoever calls or is called, at most once a minute and process, and never at the cost of the work
itself: what can't be noted is logged. `api` shows it (package connections).

| part | what |
|---|---|
| `now` | the last success; the last failure and its code; the last test and its end; secrets that are set |
| a day | how many were refused at a door of ours, by reason; TTL a month |
"""

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.expressions.update import Action

from chalicelib.platform import clock, log, settings, storage
from chalicelib.platform.storage import Base, BaseMeta

NOW = "now"
_EVERY = timedelta(minutes=1)
_REFUSALS_EVERY = timedelta(seconds=10)  # anybody can be refused: no write for each of them
_KEPT = timedelta(days=31)
_noted: dict[str, tuple[str, datetime]] = {}
_refused: dict[str, Counter[str]] = {}
_refusals_written: dict[str, datetime] = {}


class ConnectionItem(Base):
    class Meta(BaseMeta):
        table_name = settings.table("connections")

    connection = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)
    last_success_at = UnicodeAttribute(null=True)
    last_failure_at = UnicodeAttribute(null=True)
    failure = UnicodeAttribute(null=True)  # a code of package connections
    asked_at = UnicodeAttribute(null=True)  # when a test was asked for that another function makes
    tested_at = UnicodeAttribute(null=True)
    test_failure = UnicodeAttribute(null=True)  # null: the last test went well
    secrets = JSONAttribute(null=True)  # name → whether it is set, as its function has said
    refused = JSONAttribute(null=True)  # of a day: how many, by reason
    expires_at = NumberAttribute(null=True)


def note_success(connection: str) -> None:
    """It answered, and took us for who we are."""
    _note(connection, "", "last_success_at")


def note_failure(connection: str, code: str) -> None:
    """It does not answer, or refuses us whatever we ask."""
    _note(connection, code, "last_failure_at")


def note_refusal(connection: str, reason: str) -> None:
    """Somebody was refused at a door of ours. Those of ten seconds are written together: at least so many."""
    waiting = _refused.setdefault(connection, Counter())
    waiting[reason] += 1
    now = clock.now()
    last = _refusals_written.get(connection)
    if last is not None and now - last < _REFUSALS_EVERY:
        return
    _refusals_written[connection] = now
    counts = dict(waiting)
    waiting.clear()
    _try(lambda: _count(connection, counts, now))
    note_failure(connection, reason)


def note_test(connection: str, code: str | None, secrets: Mapping[str, bool] | None = None) -> None:
    """What came of a test. secrets: which of them are set."""
    actions: list[Action] = [
        ConnectionItem.tested_at.set(clock.iso(clock.now())),
        ConnectionItem.test_failure.set(code) if code else ConnectionItem.test_failure.remove(),
    ]
    if secrets is not None:
        actions.append(ConnectionItem.secrets.set(dict(secrets)))
    ConnectionItem(connection, NOW).update(actions=actions)


def ask_test(connection: str) -> None:
    """A test is under way, in another function."""
    now = clock.iso(clock.now())
    ConnectionItem(connection, NOW).update(actions=[ConnectionItem.asked_at.set(now)])


def find(connection: str) -> ConnectionItem | None:
    found: ConnectionItem | None = ConnectionItem.find(connection, NOW)
    return found


def refused(connection: str, since: datetime) -> dict[str, int]:
    """How many were refused since that day, by reason, at least."""
    sums: Counter[str] = Counter()
    days = ConnectionItem.part.between(f"{since:%Y-%m-%d}", "9999")
    for row in ConnectionItem.query(connection, days):
        sums.update({reason: int(count) for reason, count in (row.refused or {}).items()})
    return dict(sums)


def forget() -> None:
    """What a new process does not know (tests)."""
    for kept in (_noted, _refused, _refusals_written):
        kept.clear()


def _note(connection: str, code: str, field: str) -> None:
    now, last = clock.now(), _noted.get(connection)
    if last is not None and last[0] == code and now - last[1] < _EVERY:
        return
    _noted[connection] = (code, now)
    actions = [getattr(ConnectionItem, field).set(clock.iso(now))]
    if code:
        actions.append(ConnectionItem.failure.set(code))
    _try(lambda: ConnectionItem(connection, NOW).update(actions=actions))


@storage.retrying("others keep counting refusals")
def _count(connection: str, counts: Mapping[str, int], now: datetime) -> None:
    day = f"{now:%Y-%m-%d}"
    row: ConnectionItem | None = ConnectionItem.find(connection, day)
    sums = Counter(row.refused if row else {}) + Counter(counts)
    made = ConnectionItem(connection, day, refused=dict(sums), expires_at=int((now + _KEPT).timestamp()))
    same = ConnectionItem.refused == row.refused if row else ConnectionItem.connection.does_not_exist()
    if not storage.put_once(made, same):
        raise storage.ConditionFailed({connection})


def _try(write: Callable[[], object]) -> None:
    try:
        write()
    except Exception as error:  # noqa: BLE001 (a note is worth no one's work)
        log.failure("connection not noted", error)
