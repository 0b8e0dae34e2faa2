"""Distribution's doors: plans, distributors, commissions, and the distributor's public page."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec.structs import asdict

from chalicelib.distribution import rules, service
from chalicelib.distribution.rules import Distributor, Plan
from chalicelib.ledger import service as ledger
from chalicelib.platform import http
from chalicelib.platform.errors import Invalid, NotFound, issue
from chalicelib.platform.lists import Paging
from chalicelib.web import frame, share

door = http.Door(__name__, tag="Distribution")

Rate = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Fen = Annotated[int, msgspec.Meta(ge=0, lt=10**12)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
Duration = Annotated[str, msgspec.Meta(max_length=30)]


class Level(msgspec.Struct, kw_only=True):
    rate_bps: Rate


class LevelOut(msgspec.Struct, kw_only=True):
    """rate_bps: null for who may not see money."""

    rate_bps: Rate | None


class Scope(msgspec.Struct, kw_only=True):
    """What earns commission; no `skus`: everything."""

    skus: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=1000)] | None = None


class NewPlan(msgspec.Struct, kw_only=True):
    """One or two levels. `settle_every`: P1D, P7D, P1M, or null: settled by hand."""

    name: Name
    levels: list[Level]
    scope: Scope | None = None
    mature_after: Duration = "P7D"
    attribution_window: Duration = "P30D"
    minimum_payout_fen: Fen = 100
    withhold_tax: bool = True
    settle_every: Literal["P1D", "P7D", "P1M"] | None = None


class PlanOut(msgspec.Struct, kw_only=True):
    plan_id: str
    name: str
    levels: list[LevelOut]
    scope: Scope
    mature_after: str
    attribution_window: str
    minimum_payout_fen: int
    withhold_tax: bool
    settle_every: str | None
    created_at: str


class NewDistributor(msgspec.Struct, kw_only=True):
    """`name`: the real name; WeChat Pay checks it from ¥2,000. `openid`: who is paid."""

    name: Name
    openid: Id
    plan_id: Id
    parent_id: Id | None = None
    external_userid: Id | None = None
    unionid: Id | None = None


class DistributorOut(msgspec.Struct, kw_only=True):
    distributor_id: str
    share_code: str
    share_url: str
    name: str
    openid: str
    plan_id: str
    parent_id: str | None
    external_userid: str | None
    unionid: str | None
    status: str
    created_at: str


class BalanceOut(msgspec.Struct, kw_only=True):
    pending_fen: int
    available_fen: int
    in_payout_fen: int
    paid_fen: int
    debt_fen: int
    tax_withheld_fen: int


class CommissionOut(msgspec.Struct, kw_only=True):
    """On one line at one level. `status`: pending, available, paid, reversed."""

    commission_id: str
    order_id: str
    line_id: str
    distributor_id: str
    level: int
    base_fen: int
    rate_bps: int
    amount_fen: int
    status: str
    mature_at: str | None
    payout_id: str | None


class CommissionsQuery(Paging, kw_only=True):
    order_id: Annotated[str, msgspec.Meta(description="Of this order; it or distributor_id is needed")] = ""
    distributor_id: Annotated[str, msgspec.Meta(description="Of this distributor")] = ""


@door.route(
    "POST",
    "/api/distribution/plans",
    body=NewPlan,
    status=201,
    permission="distribution_plans.write",
    summary="A distribution plan of one or two levels",
    answer=PlanOut,
)
def create_plan(call: http.Call) -> dict[str, Any]:
    body: NewPlan = call.body
    wrong = []
    for field in ("mature_after", "attribution_window"):
        try:
            rules.duration(getattr(body, field))
        except ValueError as error:
            wrong.append((field, str(error)))
    rates = tuple(level.rate_bps for level in body.levels)
    if wrong := wrong + rules.check(rates):
        raise Invalid(*wrong)
    skus = body.scope.skus if body.scope else None
    values = {name: getattr(body, name) for name in ("name", "mature_after", "attribution_window")}
    return _plan(
        service.create_plan(
            {
                **values,
                "rates": rates,
                "skus": None if skus is None else tuple(skus),
                "minimum_payout_fen": body.minimum_payout_fen,
                "withhold_tax": body.withhold_tax,
                "settle_every": body.settle_every,
            }
        ),
        call,
    )


@door.route(
    "GET",
    "/api/distribution/plans",
    permission="distribution_plans.read",
    summary="Plans, newest first",
    query=Paging,
    answer=http.Listing[PlanOut],
)
def list_plans(call: http.Call) -> dict[str, Any]:
    found, following = service.plans(*call.page())
    return http.listing([_plan(plan, call) for plan in found], following)


@door.route(
    "GET",
    "/api/distribution/plans/{plan_id}",
    permission="distribution_plans.read",
    summary="A plan",
    answer=PlanOut,
)
def get_plan(call: http.Call, plan_id: str) -> dict[str, Any]:
    return _plan(service.plan(plan_id), call)


@door.route(
    "POST",
    "/api/distributors",
    body=NewDistributor,
    status=201,
    permission="distributors.write",
    summary="Make a customer a distributor",
    answer=DistributorOut,
)
def create_distributor(call: http.Call) -> dict[str, Any]:
    body: NewDistributor = call.body
    return _distributor(service.create_distributor(**msgspec.structs.asdict(body)))


@door.route(
    "GET",
    "/api/distributors",
    permission="distributors.read",
    summary="Distributors, oldest first",
    query=Paging,
    answer=http.Listing[DistributorOut],
)
def list_distributors(call: http.Call) -> dict[str, Any]:
    found, following = service.distributors(*call.page())
    return http.listing([_distributor(who) for who in found], following)


@door.route(
    "GET",
    "/api/distributors/{distributor_id}",
    permission="distributors.read",
    summary="A distributor",
    answer=DistributorOut,
)
def get_distributor(call: http.Call, distributor_id: str) -> dict[str, Any]:
    return _distributor(service.distributor(distributor_id))


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/balance",
    permission="balances.read",
    summary="What a distributor has earned and been paid",
    answer=BalanceOut,
)
def balance(call: http.Call, distributor_id: str) -> dict[str, int]:
    found = ledger.balance(service.distributor(distributor_id).distributor_id)
    return {name: getattr(found, name) for name in BalanceOut.__struct_fields__}


@door.route(
    "GET",
    "/api/commissions",
    permission="commissions.read",
    summary="Commissions per line and level, of an order or of a distributor",
    answer=http.Listing[CommissionOut],
    query=CommissionsQuery,
)
def commissions(call: http.Call) -> dict[str, Any]:
    if order_id := call.query.order_id:
        return http.listing(service.commissions_of_order(order_id))
    if distributor_id := call.query.distributor_id:
        who = service.distributor(distributor_id)
        return http.listing(*service.commissions_of_distributor(who.distributor_id, *call.page()))
    raise Invalid(issue("order_id", "one_of_fields", fields=["order_id", "distributor_id"]))


@door.route(
    "GET",
    "/h5/d/{share_code}",
    summary="A distributor's page, to share",
    gives="text/html",
    page=frame.problem,
)
def page(call: http.Call, share_code: str) -> http.Answer:
    who = service.of_share_code(share_code)
    if who is None or who.status != "active":
        raise NotFound("there is no such page")
    return share.distributor(who.name, who.share_code).answer()


def _plan(plan: Plan, call: http.Call) -> dict[str, Any]:
    values = asdict(plan)
    sees_rates = call.principal.may("rates.read")
    levels = [{"rate_bps": rate if sees_rates else None} for rate in values.pop("rates")]
    skus = values.pop("skus")
    return {**values, "levels": levels, "scope": {} if skus is None else {"skus": list(skus)}}


def _distributor(who: Distributor) -> dict[str, Any]:
    return {**asdict(who), "share_url": service.share_url(who.share_code)}
