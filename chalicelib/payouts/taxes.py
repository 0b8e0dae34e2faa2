"""Tax withheld month by month: what a person was paid in a calendar month, and what of it was withheld.

An item a person and month, changed in the very transaction that plans a payout, under the condition that it
is as it was read: so two settlements, or two plans of one person, at once can't both take the month's free
¥800. Who turned out to be two persons has an item for each; they are added up, and all must be unchanged.

| a settlement of plan A | a settlement of plan B, of the same person |
|---|---|
| reads: ¥700 this month, nothing withheld | reads the same |
| commits its ¥700: ¥1,400, 120.00 withheld | |
| | its condition (¥700 this month) fails: reads again, withholds 140.00 |
"""

from msgspec import Struct
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.distribution import persons
from chalicelib.distribution.persons import Person
from chalicelib.distribution.types import Distributor, Plan
from chalicelib.payouts.models import PayoutItem
from chalicelib.payouts.rules import Month, Sums
from chalicelib.platform import settings
from chalicelib.platform.storage import Base, BaseMeta, Transaction


class TaxMonthItem(Base):
    """gross_fen, tax_fen: of the payouts of that month that did not fail."""

    class Meta(BaseMeta):
        table_name = settings.table("tax_months")

    person = UnicodeAttribute(hash_key=True)
    month = UnicodeAttribute(range_key=True)
    gross_fen = NumberAttribute()
    tax_fen = NumberAttribute()


class Account(Struct, frozen=True):
    """A person's month as it was read. parts: by person_id, of those that they turned out to be."""

    person: Person
    month: str
    parts: dict[str, Month | None]

    @property
    def total(self) -> Month:
        known = [part for part in self.parts.values() if part]
        return Month(sum(part.gross_fen for part in known), sum(part.tax_fen for part in known))


def open_account(who: Distributor, plan: Plan, month: str) -> Account | None:
    """That month of the person that this distributor is; None where months don't count."""
    if plan.tax != "labour_month":
        return None
    return _read(persons.refresh(who), month)


def month_so_far(who: Distributor, plan: Plan, month: str) -> tuple[Person | None, Month]:
    """Who they are by what is known, and what that month holds; no person where months don't count.

    Writes nothing.
    """
    if plan.tax != "labour_month":
        return None, Month()
    account = _read(persons.of_distributor(who), month)
    return account.person, account.total


def _read(person: Person, month: str) -> Account:
    keys = [(person_id, month) for person_id in sorted(person.ids)]
    rows = TaxMonthItem.batch_get(keys, consistent_read=True)
    known = {row.person: Month(int(row.gross_fen), int(row.tax_fen)) for row in rows}
    return Account(person, month, {person_id: known.get(person_id) for person_id, _ in keys})


def add(tx: Transaction, account: Account, sums: Sums) -> dict[str, str]:
    """Add a payout's part to its month, as the items `tax_month` and `person`; what the payout keeps of it.

    The commit fails when any of them is not as it was read: open the account again.
    """
    own = account.person.person_id
    for person_id, part in account.parts.items():
        item, unchanged = TaxMonthItem(person_id, account.month), _unchanged(part)
        if person_id == own:
            gross, tax = TaxMonthItem.gross_fen.add(sums.gross_fen), TaxMonthItem.tax_fen.add(sums.tax_fen)
            tx.update("tax_month", item, [gross, tax], unchanged)
        else:
            tx.check("tax_month", item, unchanged)
    persons.check(tx, account.person)
    return {"tax_person": own, "tax_month": account.month}


def give_back(tx: Transaction, payout: PayoutItem) -> None:
    """Add to the transaction of a payout's failure that its part is not of its month."""
    if payout.tax_person:
        gross, tax = int(payout.gross_fen), int(payout.tax_fen)
        actions = [TaxMonthItem.gross_fen.add(-gross), TaxMonthItem.tax_fen.add(-tax)]
        tx.update("tax_month", TaxMonthItem(payout.tax_person, payout.tax_month), actions)


def _unchanged(part: Month | None) -> Condition:
    if part is None:
        return TaxMonthItem.person.does_not_exist()
    unchanged: Condition = TaxMonthItem.gross_fen == part.gross_fen
    unchanged &= TaxMonthItem.tax_fen == part.tax_fen
    return unchanged
