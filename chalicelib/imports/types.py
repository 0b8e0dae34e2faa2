"""Imports as doors show them, and as they are stored."""

from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

from chalicelib.platform.lists import Paging

Part = Literal["staff", "tags", "customers", "groups"]
PARTS: tuple[Part, ...] = ("staff", "tags", "customers", "groups")
DONE = "done"


class Progress(Struct, frozen=True, kw_only=True):
    """Of one part. seen, new, changed: staff, tags, customers, groups. done, total: what is read of it, of
    customers their bonds. share: how much of it is done, 0 to 1.
    """

    seen: int = 0
    new: int = 0
    changed: int = 0
    done: int = 0
    total: int | None = None
    share: float = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None


class Problem(Struct, frozen=True):
    """Why it stopped: a code of messages.py, and what is in its words."""

    code: str
    params: dict[str, str] = {}


class Run(Struct, frozen=True, kw_only=True):
    """An import. part: what it is at. after: the last member of staff of whom the part is done.

    batch: those whom it is at, cursor: where in their pages. base: the part as it was before them. noted:
    what was there before a piece that has begun, so that one begun again counts the same. unread: staff
    whose customers WeCom does not show. waits: how often it has waited for WeCom since it last got on.
    """

    import_id: str
    started_at: datetime
    part: Part | Literal["done"] = "staff"
    after: str = ""
    batch: tuple[str, ...] = ()
    cursor: str = ""
    base: Progress | None = None
    noted: dict[str, Any] = field(default_factory=dict)
    parts: dict[str, Progress] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
    waits: int = 0
    resumes_at: datetime | None = None
    ended_at: datetime | None = None
    problem: Problem | None = None
    version: int = 0

    @property
    def job_id(self) -> str:
        return f"job_{self.import_id.removeprefix('imp_')}"

    def progress(self, part: str) -> Progress:
        return self.parts.get(part, Progress())


class NewImport(Struct, frozen=True, kw_only=True):
    """Nothing to say: it is everything."""


class PartOut(Struct, frozen=True, kw_only=True):
    """`seen`, `new`, `changed`: how many of them. `done`, `total`: what is read; of customers their bonds
    with guides. `total`: null while it is not known.
    """

    part: Part
    status: Literal["waiting", "running", "finished"]
    seen: int
    new: int
    changed: int
    done: int
    total: int | None
    began_at: str | None
    ended_at: str | None


class UnreadStaff(Struct, frozen=True, kw_only=True):
    staff_id: str
    staff_name: str


class ImportOut(Struct, frozen=True, kw_only=True):
    """`status`, `can_resume`: those of its job. `error`: why it has failed. `ends_at`: when it may be
    done; null while that can't be told. `resumes_at`: WeCom has asked to wait until then. `unread`: whose
    customers WeCom does not show.
    """

    import_id: str
    job_id: str
    status: Literal["queued", "running", "finished", "failed"]
    started_at: str
    ended_at: str | None
    ends_at: str | None
    resumes_at: str | None
    error: str | None
    can_resume: bool
    parts: list[PartOut]
    unread: list[UnreadStaff]


class ImportsQuery(Paging, kw_only=True):
    pass
