"""A card that only one person may use: who holds it.

A single-use card is held by the first person who gets an assignment with it, as long as that is
reserved or confirmed. Two phones, one card that nobody holds:

| phone A                                     | phone B                                  |
|---------------------------------------------|------------------------------------------|
| reads the card's row: version 3, free       | reads the card's row: version 3, free    |
| is assigned a guide                         | is assigned a guide                      |
| version 3 → 4, A holds it: written          |                                          |
|                                             | version 3 → 4: refused                   |
|                                             | its assignment lapses: the place is free |
| sees its guide                              | reads that the card is used              |
"""

from collections.abc import Mapping

from chalicelib.assignments.lapse import holds
from chalicelib.assignments.types import Scan
from chalicelib.platform import storage
from chalicelib.printruns.models import CardItem
from chalicelib.printruns.runs import Run

_MAX_USES = 10  # of one person's assignments that a card remembers
Use = dict[str, str]  # {"assignment_id","member"}


def read_uses(row: CardItem | None) -> list[Use]:
    return list(row.uses or []) if row else []


def is_held(run: Run, row: CardItem | None) -> bool:
    return any(stands(run, use) for use in read_uses(row))


def stands(run: Run, use: Mapping[str, str]) -> bool:
    """Whether the assignment still holds the card; one whose time is over lapses here and now."""
    return holds(run.live_code_id, use["member"], use["assignment_id"])


def hold(run: Run, key: str, row: CardItem | None, uses: list[Use]) -> bool:
    """Write who holds the card, unless somebody else has since `row` was read."""
    kept = uses
    if len(uses) > _MAX_USES:  # what has lapsed goes first: the others keep strangers out
        kept = [*(use for use in uses[:-1] if stands(run, use)), uses[-1]]
        kept = kept if len(kept) <= _MAX_USES else [kept[0], *kept[1 - _MAX_USES :]]
    version = row.version if row else None
    unchanged = CardItem.version == version if version is not None else CardItem.version.does_not_exist()
    actions = [CardItem.uses.set(kept), CardItem.version.set((version or 0) + 1)]
    return storage.update_if(CardItem(key), actions, unchanged, lambda card: uses[-1] in (card.uses or []))


def use_of(scan: Scan) -> Use:
    return {"assignment_id": str(scan.assignment_id), "member": member_of(scan)}


def member_of(scan: Scan) -> str:
    return str(scan.staff_id or scan.chat_id)
