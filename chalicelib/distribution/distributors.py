"""Distributors: made, changed, found and listed, within a scope.

A distributor is of the scopes of the guides whose bond stands with the customer that they were when they
became one. Who was no customer then is seen without a scope alone.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta
from msgspec.structs import asdict, replace

from chalicelib.customers import service as customers
from chalicelib.distribution import models, payees, persons, plans, rules, service
from chalicelib.distribution.models import DistributorItem
from chalicelib.distribution.persons import Person
from chalicelib.distribution.types import (
    BalanceOut,
    Distributor,
    DistributorDetail,
    DistributorOut,
    DistributorPatch,
    DistributorStatus,
    NewDistributor,
    Payee,
    SamePerson,
)
from chalicelib.ledger import service as ledger
from chalicelib.ledger.rules import Balance
from chalicelib.platform import audit, clock, ids, lists, settings, storage
from chalicelib.platform.errors import Conflict, Forbidden, Invalid, Issue, NotFound, issue
from chalicelib.platform.lists import Page, Searching
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import Transaction
from chalicelib.platform.versions import ANY_VERSION, IfMatch
from chalicelib.stores import service as stores

AnyOut = TypeVar("AnyOut", bound=DistributorOut)
_IDS = ("openid", "external_userid", "unionid")
_PERSONAL = ("name", "openid", "external_userid", "unionid")
_MONEY, _NO_MONEY = {"openid", "level", "status"}, {"name"}  # of a DistributorPatch


class DistributorsQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "created_at"
    plan_id: Annotated[Id | None, Meta(description="Of this plan")] = None
    status: DistributorStatus | None = None
    parent_id: Annotated[Id | None, Meta(description="Whose parent this is: the level-one team")] = None


def create(new: NewDistributor, principal: Principal = SYSTEM) -> Distributor:
    """A new distributor, of a customer of the scope. Invalid, NotFound; Conflict for a person who is one.

    A parent is there before its child and never changes, so there is no cycle; that nobody is their own
    ancestor under another id is looked up.
    """
    new = _clean(new)
    issues = []
    if not (new.external_userid or new.unionid):
        issues.append(issue("external_userid", "one_of_fields", fields=["external_userid", "unionid"]))
    issues += [issue(name, "required") for name in ("name", "openid") if not getattr(new, name)]
    issues += [_too_long(name) for name in _IDS if len(getattr(new, name) or "") > rules.MAX_ID]
    if service.find_plan(new.plan_id) is None:
        issues.append(issue("plan_id", "not_found"))
    parent = service.find_distributor(new.parent_id) if new.parent_id is not None else None
    if new.parent_id is not None and (parent is None or not _in_scope([parent], principal)):
        issues.append(issue("parent_id", "not_found"))
    customer = customers.get(new.external_userid) if new.external_userid and new.unionid else None
    if customer and customer.unionid not in (None, new.unionid):
        issues.append(issue("unionid", "of_another_person", external_userid=new.external_userid))
    if issues:
        raise Invalid(*issues)
    return _create(new, parent, principal)


@storage.retrying("no free share code was found, or others keep changing who this person is")
def _create(new: NewDistributor, parent: Distributor | None, principal: Principal) -> Distributor:
    code = ids.short(8)
    customer_id = new.external_userid or (customers.find_by_unionid(new.unionid) if new.unionid else None)
    made = Distributor(
        distributor_id=f"d_{code}",
        share_code=code,
        sealed=payees.seal(f"d_{code}", Payee(new.name, new.openid)),
        plan_id=new.plan_id,
        parent_id=new.parent_id,
        external_userid=new.external_userid,
        unionid=new.unionid,
        status="active",
        created_at=clock.iso(clock.now()),
        customer_id=customer_id,
        person_id=models.person_id_of(f"d_{code}"),
    )
    if not _in_scope([made], principal):
        raise NotFound(code="no_customer", external_userid=new.external_userid or new.unionid)
    marks = persons.marks_of(new.external_userid, new.unionid) | {_openid_mark(new.openid)}
    known = persons.find(marks)
    _refuse_second(made, known, principal)
    found = {person.person_id: person for person in known.values()}
    ancestors = _persons_above(parent) if found and parent else frozenset()
    if not ancestors.isdisjoint(found):
        raise Invalid(issue("parent_id", "own_ancestor"))
    if _would_be_own_ancestor(found.values()):
        raise Invalid(issue(persons.kind_of(max(known)), "own_ancestor"))
    tx = Transaction()
    person = persons.add(tx, list(found.values()), made, marks - known.keys())
    made = replace(made, person_id=person.person_id)
    models.add_distributor(tx, made, is_new=True)
    audit.add(tx, "distributors.create", made.distributor_id, None, _audited(made))
    tx.commit()
    return replace(made, version=1)


@storage.retrying("others keep changing this distributor")
def change(
    distributor_id: str,
    patch: DistributorPatch,
    principal: Principal = SYSTEM,
    if_match: IfMatch = ANY_VERSION,
) -> Distributor:
    """The distributor as the patch makes them. NotFound, Invalid, Stale; Forbidden for a field of who may not
    change it; Conflict for an openid whose person is a distributor of the plan already.
    """
    who = get(distributor_id, principal)
    if_match.check(who.version, lambda: show(who, principal))
    asked = {name for name in patch.__struct_fields__ if getattr(patch, name) is not UNSET}
    for permission, fields in (("payees.write", _MONEY), ("distributors.write", _NO_MONEY)):
        if asked & fields and not principal.may(permission):
            raise Forbidden(code="distributor_field", fields=sorted(asked & fields))
    before = payees.unseal(who.distributor_id, who.sealed)
    openid = before.openid if patch.openid is UNSET else rules.clean_code(patch.openid)
    if not openid:
        raise Invalid(issue("openid", "required"))
    if len(openid) > rules.MAX_ID:
        raise Invalid(_too_long("openid"))
    name = before.name if patch.name is UNSET else rules.clean_name(patch.name)
    if not name:
        raise Invalid(issue("name", "required"))
    payee = Payee(name, openid)
    changed = replace(
        who,
        level=who.level if patch.level is UNSET else patch.level,
        status=who.status if patch.status is UNSET else patch.status,
    )
    if (payee, changed) == (before, who):
        return who
    tx = Transaction()
    if payee.openid != before.openid:
        _change_openid(tx, who, before.openid, payee.openid, principal)
    changed = replace(changed, sealed=payees.seal(distributor_id, payee))
    models.add_distributor(tx, changed)
    shown = (_audited(who) | asdict(before), _audited(changed) | asdict(payee))
    audit.add(tx, "distributors.change", distributor_id, *shown, masked=frozenset({"name"}))
    tx.commit()
    return replace(changed, version=who.version + 1)


def _change_openid(tx: Transaction, who: Distributor, before: str, after: str, principal: Principal) -> None:
    """Add to a transaction that a distributor's person has another openid, and who that makes them."""
    own, mark = persons.of_distributor(who), _openid_mark(after)
    known = persons.find([mark])
    other = known.get(mark)
    if other is not None and other.person_id != own.person_id:
        _refuse_second(who, known, principal)
        if _would_be_own_ancestor([own, other]):
            raise Invalid(issue("openid", "own_ancestor"))
    people = {person.person_id: person for person in (own, *known.values())}
    persons.add(tx, list(people.values()), who, {mark} - known.keys())
    others = [service.distributor(one) for one in own.distributor_ids if one != who.distributor_id]
    if all(payees.unseal(one.distributor_id, one.sealed).openid != before for one in others):
        persons.remove_mark(tx, _openid_mark(before))


def _refuse_second(who: Distributor, known: Mapping[str, Person], principal: Principal) -> None:
    """Conflict when somebody whose marks these are is a distributor of the plan: which, and by what."""
    for mark, person in sorted(known.items()):
        for plan_id, distributor_id in person.members:
            if plan_id == who.plan_id and distributor_id != who.distributor_id:
                other = service.find_distributor(distributor_id)
                seen = other is not None and _in_scope([other], principal)
                raise Conflict(
                    code="distributor_already" if seen else "distributor_already_elsewhere",
                    distributor_id=distributor_id,
                    by=persons.kind_of(mark),
                )


def _would_be_own_ancestor(several: Collection[Person]) -> bool:
    """Whether somebody would be, were all these one person."""
    if len(several) < 2:
        return False
    ids = frozenset[str]().union(*(person.ids for person in several))
    for distributor_id in [one for person in several for one in person.distributor_ids]:
        member = service.distributor(distributor_id)
        above = service.find_distributor(member.parent_id) if member.parent_id else None
        if above and not _persons_above(above).isdisjoint(ids):
            return True
    return False


def _persons_above(parent: Distributor) -> frozenset[str]:
    """Who a distributor and all above them are."""
    chain: list[Distributor] = []
    above: Distributor | None = parent
    while above is not None:
        chain.append(above)
        above = service.find_distributor(above.parent_id) if above.parent_id else None
    _, known = persons.find_with((), [who.person_id for who in chain])
    return frozenset(person.person_id for person in known.values())


def migrate(item: DistributorItem) -> None:
    """Seal a distributor of before, and enter who they are; of a mark of before, whose it is."""
    if item.is_same_as and not item.person_id:
        actions = [DistributorItem.person_id.set(models.person_id_of(item.is_same_as))]
        storage.update_if(item, actions, DistributorItem.person_id.does_not_exist())
    elif item.listing:
        _migrate(item.distributor_id)


@storage.retrying("others keep changing this distributor")
def _migrate(distributor_id: str) -> None:
    who = service.find_distributor(distributor_id)
    if who is None:
        return
    payee = payees.unseal(distributor_id, who.sealed)
    persons.refresh(who, {_openid_mark(payee.openid)} if payee.openid else ())
    if isinstance(who.sealed, Payee):
        tx = Transaction()
        models.add_distributor(tx, replace(who, sealed=payees.seal(distributor_id, payee)))
        tx.commit()


def get(distributor_id: str, principal: Principal) -> Distributor:
    """NotFound, also outside of the scope."""
    who = service.distributor(distributor_id)
    if not _in_scope([who], principal):
        raise service.no_distributor(distributor_id)
    return who


def page(query: DistributorsQuery, principal: Principal) -> Page[DistributorOut]:
    """A page of the scope's distributors."""
    rows = lists.partition(partial(DistributorItem.by_listing.query, "distributor"))
    wanted = [
        who
        for who in map(models.distributor_of, rows)
        if query.plan_id in (None, who.plan_id)
        and query.status in (None, who.status)
        and query.parent_id in (None, who.parent_id)
    ]
    found = lists.whole(
        [show(who, principal) for who in _in_scope(wanted, principal)],
        query,
        key=lambda who: who.distributor_id,
        sorts={"name": lambda who: who.name, "created_at": lambda who: who.created_at},
        sort=query.sort,
        texts=lambda who: (who.name, who.distributor_id),
    )
    return Page(_filled(found.items, principal), found.total, found.next_cursor)


def _filled(rows: Sequence[AnyOut], principal: Principal) -> list[AnyOut]:
    """With what plans and parents are called, and the balances for who may see them."""
    known = plans.names({row.plan_id for row in rows})
    parents = names([row.parent_id for row in rows], principal)
    balances: dict[str, BalanceOut] = {}
    if principal.may("balances.read"):
        kept = ledger.balances(row.distributor_id for row in rows)
        nothing = Balance("")
        balances = {row.distributor_id: balance_of(kept.get(row.distributor_id, nothing)) for row in rows}
    return [
        replace(
            row,
            plan_name=known.get(row.plan_id),
            parent_name=parents.get(row.parent_id or ""),
            balance=balances.get(row.distributor_id),
        )
        for row in rows
    ]


def balance_of(kept: Balance) -> BalanceOut:
    return BalanceOut(**{name: getattr(kept, name) for name in BalanceOut.__struct_fields__})


def names(distributor_ids: Iterable[str | None], principal: Principal) -> dict[str, str]:
    """What these distributors are called, by id: to an auditor `***`."""
    wanted = sorted({one for one in distributor_ids if one})
    rows = map(models.distributor_of, DistributorItem.batch_get(wanted))
    if principal.sees_masked:
        return {who.distributor_id: audit.MASK for who in rows}
    return {who.distributor_id: payees.unseal(who.distributor_id, who.sealed).name for who in rows}


def show(who: Distributor, principal: Principal) -> DistributorOut:
    """A distributor as a principal may see them: to an auditor without what is personal."""
    return DistributorOut(**_values(who, principal))


def show_in_detail(who: Distributor, principal: Principal) -> DistributorDetail:
    """With what else this person is a distributor as, as far as the principal may see it."""
    others = [one for one in persons.of_distributor(who).distributor_ids if one != who.distributor_id]
    known = _in_scope([found for one in others if (found := service.find_distributor(one))], principal)
    same = [SamePerson(distributor_id=one.distributor_id, plan_id=one.plan_id) for one in known]
    (detail,) = _filled([DistributorDetail(**_values(who, principal), same_person=same)], principal)
    return detail


def _values(who: Distributor, principal: Principal) -> dict[str, Any]:
    payee = payees.unseal(who.distributor_id, who.sealed)
    values = {**asdict(who), **asdict(payee), "share_url": share_url(who.share_code)}
    if principal.sees_masked:
        values |= {name: values[name] and audit.MASK for name in _PERSONAL}
    return {name: values[name] for name in DistributorOut.__struct_fields__ if name in values}


def _audited(who: Distributor) -> dict[str, Any]:
    """A distributor for the audit, without what names them."""
    values = asdict(who)
    return {name: value for name, value in values.items() if name not in ("sealed", "customer_id", "version")}


def _clean(new: NewDistributor) -> NewDistributor:
    """With ids as they were meant: they are copied out of chats and tables."""
    values = {name: rules.clean_code(getattr(new, name) or "") for name in _IDS}
    empty = {name: value or None for name, value in values.items() if name != "openid"}
    return replace(new, **values | empty, name=rules.clean_name(new.name))


def _too_long(field: str) -> Issue:
    """Of an id that is longer in half width than it came: `ﷺ` is fifteen letters."""
    return issue(field, "max_length", max_length=rules.MAX_ID)


def _openid_mark(openid: str) -> str:
    return persons.mark("openid", payees.openid_tag(openid))


def share_url(share_code: str) -> str:
    """The distributor's own page."""
    return f"{settings.env('PUBLIC_BASE_URL').rstrip('/')}/h5/d/{share_code}"


def _in_scope(distributors: list[Distributor], principal: Principal) -> list[Distributor]:
    """Those of the principal's scope; their customers are read a hundred a request."""
    guides = stores.guides_in_scope(principal)
    if guides is None:
        return distributors
    known = customers.several({who.customer_id for who in distributors if who.customer_id})
    return [
        who
        for who in distributors
        if (customer := known.get(who.customer_id or "")) and not guides.isdisjoint(customer.staff_ids)
    ]
