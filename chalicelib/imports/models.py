"""What is stored of imports: one item each, small however large the corp is, and `#current`: the newest.

A message of a run is a turn. One that comes twice, or was thought lost and is sent again, must not make a
second chain of messages beside the first:

| worker | its twin |
|---|---|
| takes turn 3, for as long as a worker may live | |
| | turn 3 is taken: drops its message |
| sends turn 4, ends | |
| killed instead: its message comes again, turn 3 is free | |
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec.structs import replace
from pynamodb.attributes import JSONAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.imports.types import Run
from chalicelib.platform import clock, settings, storage
from chalicelib.platform.storage import Base, BaseMeta, ConditionFailed, Transaction

LISTED = "import"
_CURRENT = "#current"


class ByTime(GlobalSecondaryIndex["RunItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    started_at = UnicodeAttribute(range_key=True)


class RunItem(Base):
    """state: the Run. turn: the newest message of it; held_until: until when a worker has it.

    Of `#current` there is only `current`: the id of the newest run.
    """

    class Meta(BaseMeta):
        table_name = settings.table("imports")

    import_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute(null=True)
    started_at = UnicodeAttribute(null=True)
    state = JSONAttribute(null=True)
    version = NumberAttribute(null=True)
    turn = NumberAttribute(null=True)
    held_until = UnicodeAttribute(null=True)
    current = UnicodeAttribute(null=True)
    by_time = ByTime()


def current() -> Run | None:
    """The newest import; None before the first."""
    pointer: RunItem | None = RunItem.find(_CURRENT)
    return find(str(pointer.current)) if pointer else None


def find(import_id: str) -> Run | None:
    item: RunItem | None = None if import_id.startswith("#") else RunItem.find(import_id)
    return run_of(item) if item else None


def add(tx: Transaction, run: Run, before: Run | None) -> None:
    """Add a new run to a transaction, the newest from then on. It fails if another came since `before`."""
    item = RunItem(
        run.import_id,
        listing=LISTED,
        started_at=clock.iso(run.started_at),
        state=_state(run),
        version=0,
        turn=0,
    )
    tx.put("import", item, RunItem.import_id.does_not_exist())
    same = RunItem.current == before.import_id if before else RunItem.import_id.does_not_exist()
    tx.put("current", RunItem(_CURRENT, current=run.import_id), same)


def take(import_id: str, turn: int, until: datetime) -> Run | None:
    """The run, for whoever works on that turn until then; None where there is nothing to do for it."""
    newest = current()
    if newest is None or newest.import_id != import_id:
        return None
    now = clock.iso(clock.now())
    is_free = RunItem.held_until.does_not_exist() | (RunItem.held_until <= now)
    is_next = (RunItem.turn < turn) | ((RunItem.turn == turn) & is_free)
    item = RunItem(import_id)
    actions = [RunItem.turn.set(turn), RunItem.held_until.set(clock.iso(until))]
    return find(import_id) if storage.update_if(item, actions, is_next) else None


def release(import_id: str) -> None:
    """Whoever comes with the same turn again may work on it at once."""
    storage.update_if(RunItem(import_id), [RunItem.held_until.remove()], RunItem.import_id.exists())


def save(run: Run, until: datetime | None = None) -> Run:
    """Write the run as the next version of itself. until: the worker goes on, and has it until then.

    ConditionFailed: another worker has it.
    """
    actions: list[Any] = [RunItem.state.set(_state(run)), RunItem.version.set(run.version + 1)]
    if until is not None:
        actions.append(RunItem.held_until.set(clock.iso(until)))
    if not storage.update_if(RunItem(run.import_id), actions, RunItem.version == run.version):
        raise ConditionFailed({"import"})
    return replace(run, version=run.version + 1)


def run_of(item: RunItem) -> Run:
    return replace(msgspec.convert(item.state, Run), version=int(item.version or 0))


def _state(run: Run) -> Mapping[str, Any]:
    state: Mapping[str, Any] = msgspec.to_builtins(replace(run, version=0))
    return state
