"""Distribution's doors: plans, distributors, commissions."""

from chalicelib.distribution import commission_list, distributors, plans, service
from chalicelib.distribution.commission_list import CommissionsQuery
from chalicelib.distribution.distributors import DistributorsQuery
from chalicelib.distribution.plans import PlansQuery
from chalicelib.distribution.types import (
    BalanceOut,
    CommissionOut,
    DistributorOut,
    NewDistributor,
    NewPlan,
    PlanOut,
)
from chalicelib.ledger import service as ledger
from chalicelib.platform import http
from chalicelib.platform.lists import Page

door = http.Door(__name__, tag="Distribution")


@door.route(
    "POST",
    "/api/distribution/plans",
    body=NewPlan,
    status=201,
    permission="distribution_plans.write",
    summary="A distribution plan of one or two levels",
    answer=PlanOut,
)
def create_plan(call: http.Call) -> PlanOut:
    return plans.show(plans.create(call.body), call.principal.may("rates.read"))


@door.route(
    "GET",
    "/api/distribution/plans",
    permission="distribution_plans.read",
    summary="Plans, newest first unless sorted otherwise",
    query=PlansQuery,
    answer=Page[PlanOut],
)
def list_plans(call: http.Call) -> Page[PlanOut]:
    with_rates = call.principal.may("rates.read")
    return plans.page(call.query).map(lambda plan: plans.show(plan, with_rates))


@door.route(
    "GET",
    "/api/distribution/plans/{plan_id}",
    permission="distribution_plans.read",
    summary="A plan",
    answer=PlanOut,
)
def get_plan(call: http.Call, plan_id: str) -> PlanOut:
    return plans.show(service.plan(plan_id), call.principal.may("rates.read"))


@door.route(
    "POST",
    "/api/distributors",
    body=NewDistributor,
    status=201,
    permission="distributors.write",
    summary="Make a customer a distributor",
    answer=DistributorOut,
)
def create_distributor(call: http.Call) -> DistributorOut:
    return distributors.show(distributors.create(call.body, call.principal), call.principal)


@door.route(
    "GET",
    "/api/distributors",
    permission="distributors.read",
    summary="Distributors, oldest first unless sorted otherwise",
    query=DistributorsQuery,
    answer=Page[DistributorOut],
)
def list_distributors(call: http.Call) -> Page[DistributorOut]:
    return distributors.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/distributors/{distributor_id}",
    permission="distributors.read",
    summary="A distributor",
    answer=DistributorOut,
)
def get_distributor(call: http.Call, distributor_id: str) -> DistributorOut:
    return distributors.show(distributors.get(distributor_id, call.principal), call.principal)


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/balance",
    permission="balances.read",
    summary="What a distributor has earned and been paid",
    answer=BalanceOut,
)
def get_balance(call: http.Call, distributor_id: str) -> BalanceOut:
    balance = ledger.balance(service.distributor(distributor_id).distributor_id)
    return BalanceOut(**{name: getattr(balance, name) for name in BalanceOut.__struct_fields__})


@door.route(
    "GET",
    "/api/commissions",
    permission="commissions.read",
    summary="Commissions per line and level, newest first: all, of an order, of a distributor",
    answer=Page[CommissionOut],
    query=CommissionsQuery,
)
def list_commissions(call: http.Call) -> Page[CommissionOut]:
    return commission_list.page(call.query)
