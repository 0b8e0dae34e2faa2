"""Distribution's doors: plans, distributors, commissions."""

from chalicelib.distribution import commission_list, distributors, plans, rules, service
from chalicelib.distribution.commission_list import CommissionsQuery
from chalicelib.distribution.distributors import DistributorsQuery
from chalicelib.distribution.plans import PlansQuery
from chalicelib.distribution.types import (
    BalanceOut,
    CommissionOut,
    Distributor,
    DistributorDetail,
    DistributorOut,
    DistributorPatch,
    NewDistributor,
    NewPlan,
    Plan,
    PlanExample,
    PlanExampleOut,
    PlanOut,
    PlanPatch,
)
from chalicelib.ledger import service as ledger
from chalicelib.ledger.types import BalanceAudit
from chalicelib.platform import http
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader

door = http.Door(__name__, tag="Distribution")


@door.route(
    "POST",
    "/api/distribution/plans",
    body=NewPlan,
    rules=rules.check_plan,
    status=201,
    permission="distribution_plans.write",
    summary="A distribution plan of one or two levels",
    answer=PlanOut,
)
def create_plan(call: http.Call) -> PlanOut:
    return plans.show(plans.create(call.body), call.principal.may("rates.read"))


@door.route(
    "POST",
    "/api/distribution/plans/example",
    body=PlanExample,
    permission="distribution_plans.write",
    summary="What a plan would earn whom on an order; writes nothing",
    answer=PlanExampleOut,
)
def try_plan(call: http.Call) -> PlanExampleOut:
    return plans.example(call.body)


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
def get_plan(call: http.Call, plan_id: str) -> http.Answer:
    return _show_plan(call, service.plan(plan_id))


@door.route(
    "PATCH",
    "/api/distribution/plans/{plan_id}",
    body=PlanPatch,
    headers=IfMatchHeader,
    permission="distribution_plans.change",
    summary="A plan's next version; orders that were paid before keep theirs",
    answer=PlanOut,
)
def change_plan(call: http.Call, plan_id: str) -> http.Answer:
    return _show_plan(call, plans.change(plan_id, call.json(), call.principal, call.if_match))


@door.route(
    "POST",
    "/api/distributors",
    body=NewDistributor,
    status=201,
    permission="distributors.write",
    summary="Make a customer a distributor",
    answer=DistributorDetail,
    secret=True,  # a real name and an openid
)
def create_distributor(call: http.Call) -> DistributorDetail:
    return distributors.show_in_detail(distributors.create(call.body, call.principal), call.principal)


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
    answer=DistributorDetail,
)
def get_distributor(call: http.Call, distributor_id: str) -> http.Answer:
    return _show_distributor(call, distributors.get(distributor_id, call.principal))


@door.route(
    "PATCH",
    "/api/distributors/{distributor_id}",
    body=DistributorPatch,
    headers=IfMatchHeader,
    permission="distributors.change",
    summary="Change a distributor; openid, level and status are money",
    answer=DistributorDetail,
)
def change_distributor(call: http.Call, distributor_id: str) -> http.Answer:
    return _show_distributor(
        call, distributors.change(distributor_id, call.body, call.principal, call.if_match)
    )


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/balance",
    permission="balances.read",
    summary="What a distributor has earned and been paid",
    answer=BalanceOut,
)
def get_balance(call: http.Call, distributor_id: str) -> BalanceOut:
    return distributors.balance_of(ledger.balance(service.distributor(distributor_id).distributor_id))


@door.route(
    "GET",
    "/api/distributors/{distributor_id}/audit",
    permission="balances.read",
    summary="Whether a distributor's balances are the sums of their journals",
    answer=BalanceAudit,
)
def audit(call: http.Call, distributor_id: str) -> BalanceAudit:
    return ledger.audit(service.distributor(distributor_id).distributor_id)


@door.route(
    "GET",
    "/api/commissions",
    permission="commissions.read",
    summary="Commissions per line and level, newest first: all, of an order, of a distributor",
    answer=Page[CommissionOut],
    query=CommissionsQuery,
)
def list_commissions(call: http.Call) -> Page[CommissionOut]:
    return commission_list.page(call.query, call.principal)


def _show_plan(call: http.Call, plan: Plan) -> http.Answer:
    return http.versioned(plans.show(plan, call.principal.may("rates.read")), plan.version)


def _show_distributor(call: http.Call, who: Distributor) -> http.Answer:
    return http.versioned(distributors.show_in_detail(who, call.principal), who.version)
