"""What is stored of prospects. No phone number, name or note is here in clear: `sealed` holds them.

A prospect's key is a keyed hash of the number: `prospect_id`, 26 characters of base32, of which the
first eight are the `code` that guides put into remarks, and the partition. So the number, the code
and the id all lead to the same item, and no index is needed for them.
"""

import base64
import json
import zlib
from typing import Any

import msgspec
from pynamodb.attributes import (
    BinaryAttribute,
    BooleanAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from chalicelib.platform import keys, settings, vault
from chalicelib.platform.messages import Language
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Base, BaseMeta
from chalicelib.prospects import rules
from chalicelib.prospects.types import Spread

ID_LENGTH = 26
_SEAL = "phone"  # the encrypting key
_INDEX = "phone-index"  # the hashing key, another one
_LINKS = "~"  # behind all prospects of a code


class Lane(GlobalSecondaryIndex["ProspectItem"]):
    """`<staff_id>#<status>`: to_add by age (import, line), the others by when they got there."""

    class Meta(BaseMeta):
        index_name = "lane"
        projection = AllProjection()

    lane = UnicodeAttribute(hash_key=True)
    rank = UnicodeAttribute(range_key=True)


class ProspectItem(Base):
    """A prospect; or, under `unionid#<unionid>`, that an order named that person with that number.

    That link stands a second time behind its prospect (there may be none yet), as `~<prospect_id>#<unionid>`:
    by it an erasure finds the first.
    """

    class Meta(BaseMeta):
        table_name = settings.table("prospects")

    code = UnicodeAttribute(hash_key=True)
    prospect_id = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute(null=True)
    version = NumberAttribute(null=True)
    sealed = UnicodeAttribute(null=True)
    staff_id = UnicodeAttribute(null=True)
    lane = UnicodeAttribute(null=True)
    rank = UnicodeAttribute(null=True)
    import_id = UnicodeAttribute(null=True)
    line = NumberAttribute(null=True)
    store_id = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute(null=True)
    changed_at = UnicodeAttribute(null=True)
    asked_at = UnicodeAttribute(null=True)
    added_at = UnicodeAttribute(null=True)
    added_by = UnicodeAttribute(null=True)
    matched_by = UnicodeAttribute(null=True)
    external_userid = UnicodeAttribute(null=True)

    lanes = Lane()


class ByImport(GlobalSecondaryIndex["ImportItem"]):
    class Meta(BaseMeta):
        index_name = "listing"
        projection = AllProjection()

    listing = UnicodeAttribute(hash_key=True)
    import_id = UnicodeAttribute(range_key=True)


class ImportItem(Base):
    """An import as it was asked for. maker: a Principal. language: of its report (zh, en)."""

    class Meta(BaseMeta):
        table_name = settings.table("prospect_imports")

    import_id = UnicodeAttribute(hash_key=True)
    listing = UnicodeAttribute()
    name = UnicodeAttribute()
    source = UnicodeAttribute()  # csv, xlsx, rows, orders
    status = UnicodeAttribute()
    columns = JSONAttribute()
    staff = JSONAttribute()
    daily_pace = NumberAttribute()
    tags = JSONAttribute()
    consent = UnicodeAttribute()
    country = UnicodeAttribute()
    job_id = UnicodeAttribute(null=True)
    error = UnicodeAttribute(null=True)
    by = UnicodeAttribute(null=True)
    maker = JSONAttribute(null=True)
    language = UnicodeAttribute(null=True)
    created_at = UnicodeAttribute()
    finished_at = UnicodeAttribute(null=True)

    by_import = ByImport()

    @property
    def spread(self) -> Spread:
        return msgspec.convert(self.staff, Spread)

    @property
    def report_language(self) -> Language:
        return "en" if self.language == "en" else "zh"

    @property
    def principal(self) -> Principal:
        """Who made it: their scope holds for its rows, whenever they are read."""
        return msgspec.convert(self.maker, Principal) if self.maker else SYSTEM


class ProgressItem(Base):
    """How far an import is; it moves in the transaction that writes a slice's prospects.

    state: `{"end","following","rows","new","duplicates","do_not_contact","bad","reports"}`, and what the
    file was found to be. assigned: guides' staff_ids and how many each was given, packed: it is
    written with every slice, and may name 2,000 guides.
    """

    class Meta(BaseMeta):
        table_name = settings.table("prospect_progress")

    import_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True, default="progress")
    version = NumberAttribute()
    state = JSONAttribute()
    packed = BinaryAttribute(legacy_encoding=False)


class ReportItem(Base):
    """What was wrong with a slice's rows: [[line, field, code, masked, params], …]. TTL `expires_at`."""

    class Meta(BaseMeta):
        table_name = settings.table("prospect_progress")

    import_id = UnicodeAttribute(hash_key=True)
    part = UnicodeAttribute(range_key=True)  # report#<number>
    rows = JSONAttribute()
    expires_at = NumberAttribute()


class ExportItem(Base):
    """An export's file, which may be there. part: its job. stale: somebody was erased since it was begun."""

    class Meta(BaseMeta):
        table_name = settings.table("prospect_progress")

    import_id = UnicodeAttribute(hash_key=True)  # "exports"
    part = UnicodeAttribute(range_key=True)
    stale = BooleanAttribute(null=True)
    expires_at = NumberAttribute()


class FigureItem(Base):
    """Counts that move with each change: of a guide (`staff#<id>`: how many are in each status beside
    the import's `assigned`), of a day (`day#<date>`: how many got there that day)."""

    class Meta(BaseMeta):
        table_name = settings.table("prospect_figures")

    import_id = UnicodeAttribute(hash_key=True)
    what = UnicodeAttribute(range_key=True)
    to_add = NumberAttribute(null=True)
    asked = NumberAttribute(null=True)
    added = NumberAttribute(null=True)
    refused = NumberAttribute(null=True)
    unreachable = NumberAttribute(null=True)
    expired = NumberAttribute(null=True)
    erased = NumberAttribute(null=True)
    seconds = NumberAttribute(null=True)  # together, from asking to adding


class GuideItem(Base):
    """A guide who has (had) prospects. status: active, left."""

    class Meta(BaseMeta):
        table_name = settings.table("prospect_guides")

    listing = UnicodeAttribute(hash_key=True)
    staff_id = UnicodeAttribute(range_key=True)
    status = UnicodeAttribute()


class TaskItem(Base):
    """A guide's day: [[prospect_id, import_id], …]. `told`: when the guide got the message of it."""

    class Meta(BaseMeta):
        table_name = settings.table("prospect_tasks")

    staff_id = UnicodeAttribute(hash_key=True)
    day = UnicodeAttribute(range_key=True)
    tasks = JSONAttribute()
    version = NumberAttribute()
    told = UnicodeAttribute(null=True)


def id_of(e164: str) -> str:
    """The id of the prospect with that number."""
    return base64.b32encode(keys.tag(_INDEX, e164)).decode().lower()[:ID_LENGTH]


def pack(assigned: dict[str, int]) -> bytes:
    return zlib.compress(json.dumps(assigned, separators=(",", ":")).encode())


def unpack(packed: bytes) -> dict[str, int]:
    return dict(json.loads(zlib.decompress(packed)))


def code_of(prospect_id: str) -> str:
    return prospect_id[: rules.CODE_LENGTH]


def sealed(prospect_id: str, person: dict[str, Any]) -> str:
    """`{"phone","name"?,"note"?,"external_id"?}`, encrypted for that row alone."""
    text = json.dumps({k: v for k, v in person.items() if v}, ensure_ascii=False, separators=(",", ":"))
    return vault.seal(_SEAL, text, f"prospects/{prospect_id}")


def person(item: ProspectItem) -> dict[str, str]:
    """What `sealed` holds; nothing of one who was erased."""
    if not item.sealed:
        return {}
    return dict(json.loads(vault.unseal(_SEAL, item.sealed, f"prospects/{item.prospect_id}")))


def find(prospect_id: str) -> ProspectItem | None:
    return ProspectItem.find(code_of(prospect_id), prospect_id)


def of_code(code: str, limit: int) -> list[ProspectItem]:
    """Whose code it is: as a rule one."""
    return list(ProspectItem.query(code, ProspectItem.prospect_id < _LINKS, limit=limit))


def links(prospect_id: str) -> list[ProspectItem]:
    """The links to a number, as they stand behind its prospect."""
    behind = ProspectItem.prospect_id.startswith(f"{_LINKS}{prospect_id}#")
    return list(ProspectItem.query(code_of(prospect_id), behind, consistent_read=True))


def link(prospect_id: str, unionid: str) -> tuple[ProspectItem, ProspectItem]:
    """The link to a number, in both its places."""
    behind = ProspectItem(code_of(prospect_id), f"{_LINKS}{prospect_id}#{unionid}")
    return ProspectItem(f"unionid#{unionid}", prospect_id), behind


def placed(item: ProspectItem, staff_id: str, status: str, at: str) -> None:
    """Put it into the lane of a guide and a status: work to do by its age, the rest by time."""
    item.status, item.staff_id, item.changed_at = status, staff_id, at
    item.lane = f"{staff_id}#{status}"
    age = f"{item.import_id}#{int(item.line or 0):08d}"
    item.rank = age if status == rules.TO_ADD else f"{at}#{item.prospect_id}"
