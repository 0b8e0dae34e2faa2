"""Distributors: made, found and listed, within a scope.

A distributor is of the scopes of the guides whose bond stands with the customer that they were when they
became one. Who was no customer then is seen without a scope alone.
"""

from functools import partial
from typing import Annotated, Literal

from msgspec import Meta
from msgspec.structs import asdict

from chalicelib.customers import service as customers
from chalicelib.distribution import models, service
from chalicelib.distribution.models import DistributorItem
from chalicelib.distribution.types import Distributor, DistributorOut, DistributorStatus, NewDistributor
from chalicelib.platform import audit, clock, ids, lists, settings, storage
from chalicelib.platform.errors import Conflict, Invalid, NotFound, issue
from chalicelib.platform.lists import Page, Searching
from chalicelib.platform.paging import Id
from chalicelib.platform.principal import SYSTEM, Principal
from chalicelib.platform.storage import ConditionFailed, Transaction
from chalicelib.stores import service as stores

_PERSONAL = ("name", "openid", "unionid")


class DistributorsQuery(Searching, kw_only=True):
    sort: Literal["name", "-name", "created_at", "-created_at"] = "created_at"
    plan_id: Annotated[Id | None, Meta(description="Of this plan")] = None
    status: DistributorStatus | None = None


def create(new: NewDistributor, principal: Principal = SYSTEM) -> Distributor:
    """A new distributor, of a customer of the scope. Invalid, NotFound; Conflict for a person who is one.

    A parent is there before its child and never changes, so there is no cycle.
    """
    issues = []
    if not (new.external_userid or new.unionid):
        issues.append(issue("external_userid", "one_of_fields", fields=["external_userid", "unionid"]))
    if service.find_plan(new.plan_id) is None:
        issues.append(issue("plan_id", "not_found"))
    parent = service.find_distributor(new.parent_id) if new.parent_id is not None else None
    if new.parent_id is not None and (parent is None or not _in_scope([parent], principal)):
        issues.append(issue("parent_id", "not_found"))
    if issues:
        raise Invalid(*issues)
    return _create(new, principal)


@storage.retrying("no free share code was found")
def _create(new: NewDistributor, principal: Principal) -> Distributor:
    code = ids.short(8)
    customer_id = new.external_userid or (customers.find_by_unionid(new.unionid) if new.unionid else None)
    made = Distributor(
        distributor_id=f"d_{code}",
        share_code=code,
        name=new.name,
        openid=new.openid,
        plan_id=new.plan_id,
        parent_id=new.parent_id,
        external_userid=new.external_userid,
        unionid=new.unionid,
        status="active",
        created_at=clock.iso(clock.now()),
        customer_id=customer_id,
    )
    if not _in_scope([made], principal):
        raise NotFound(code="no_customer", external_userid=new.external_userid or new.unionid)
    absent = DistributorItem.distributor_id.does_not_exist()
    tx = Transaction()
    tx.put("distributor", models.distributor_item(made), absent)
    for kind, value in (("external_userid", new.external_userid), ("unionid", new.unionid)):
        if value:
            mark = DistributorItem(
                f"identity#{kind}:{value}", created_at=made.created_at, is_same_as=made.distributor_id
            )
            tx.put("identity", mark, absent)
    audit.add(tx, "distributors.create", made.distributor_id, None, made, frozenset({"name", "customer_id"}))
    try:
        tx.commit()
    except ConditionFailed as error:
        if "identity" in error.names:
            raise Conflict(code="distributor_already") from None
        raise
    return made


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
        if query.plan_id in (None, who.plan_id) and query.status in (None, who.status)
    ]
    return lists.whole(
        [show(who, principal) for who in _in_scope(wanted, principal)],
        query,
        key=lambda who: who.distributor_id,
        sorts={"name": lambda who: who.name, "created_at": lambda who: who.created_at},
        sort=query.sort,
        texts=lambda who: (who.name, who.distributor_id),
    )


def show(who: Distributor, principal: Principal) -> DistributorOut:
    """A distributor as a principal may see them: to an auditor without what is personal."""
    values = {**asdict(who), "share_url": share_url(who.share_code)}
    del values["customer_id"]
    if principal.role == "auditor":
        values |= {name: values[name] and audit.MASK for name in _PERSONAL}
    return DistributorOut(**values)


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
