"""What pieces of an import share: WeCom, asked by a few threads, and what one step need ask only once."""

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from msgspec.structs import replace

from chalicelib.customers.importing import Import
from chalicelib.imports import models
from chalicelib.imports.types import DONE, PARTS, Progress, Run
from chalicelib.origins import service as origins
from chalicelib.tags import listing as tags
from chalicelib.wecom.client import WeCom

AT_ONCE = 8
_ORIGINS = 4_096  # remembered in a step
Item = TypeVar("Item")
Result = TypeVar("Result")


class Context:
    """Of one step."""

    def __init__(self, client: WeCom):
        self.client = client
        self.origin_of = lru_cache(_ORIGINS)(origins.find)

    @cached_property
    def serving(self) -> list[str]:
        """All who may have customers, in the order of the import."""
        return sorted(set(self.client.get_follow_user_list()))

    def after(self, staff_id: str, at_most: int) -> tuple[str, ...]:
        """The next of them."""
        return tuple([one for one in self.serving if one > staff_id][:at_most])

    def share(self, staff_id: str) -> float:
        """How many of them are done when the import is behind this one."""
        return sum(one <= staff_id for one in self.serving) / max(1, len(self.serving))

    @cached_property
    def tag_names(self) -> dict[str, str]:
        return tags.names_by_id()

    def learn_tags(self, tag_ids: Collection[str]) -> None:
        """Ask anew where an id is not known: the tag may be new. Those of strategy groups stay unknown."""
        if not set(tag_ids) <= self.tag_names.keys() | self._strange:
            self.tag_names = tags.names_by_id()
            self._strange |= set(tag_ids) - self.tag_names.keys()

    @cached_property
    def _strange(self) -> set[str]:
        return set()

    def as_import(self, run: Run) -> Import:
        return Import(run.import_id, run.started_at, self.tag_names, self.origin_of)


def each(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """The results in their order. An error ends it: what has not begun by then is not begun any more."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = [pool.submit(work, item) for item in items]
        try:
            return [future.result() for future in begun]
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def note(run: Run, **noted: Any) -> Run:
    """Write what a piece has to know when it is begun again."""
    return models.save(replace(run, noted=noted))


def counted(run: Run, **more: Any) -> Run:
    """The run with the present part's progress so changed; nothing is noted any more."""
    return replace(run, noted={}, parts={**run.parts, run.part: replace(run.progress(run.part), **more)})


def end_part(run: Run) -> Run:
    """The run at its next part."""
    part: Any = [*PARTS, DONE][PARTS.index(run.part) + 1]
    return replace(run, part=part, after="", batch=(), cursor="", base=None, noted={})


def plus(progress: Progress, seen: int, new: int, changed: int) -> dict[str, int]:
    return {
        "seen": progress.seen + seen,
        "new": progress.new + new,
        "changed": progress.changed + changed,
    }
