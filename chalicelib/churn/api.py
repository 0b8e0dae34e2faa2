"""Doors of churn: who was lost, by whom, after what; rates; who is at risk."""

from chalicelib.churn import loss_list, rates, settings
from chalicelib.churn.queries import LossesQuery, PeriodOnly, RatesQuery
from chalicelib.churn.types import ChurnSettings, Loss, Rate, Summary
from chalicelib.platform import http
from chalicelib.platform.http import Answer, Call
from chalicelib.platform.lists import Page
from chalicelib.platform.versions import IfMatchHeader
from chalicelib.segments.types import Preview

door = http.Door(__name__, tag="Churn")


@door.route(
    "GET",
    "/api/churn",
    permission="customers.read",
    query=LossesQuery,
    summary="Who deleted whom, and what came before it",
    answer=Page[Loss],
)
def list_losses(call: Call) -> Page[Loss]:
    return loss_list.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/churn/rates",
    permission="customers.read",
    query=RatesQuery,
    summary="How many of whom were lost, by guide, channel or SOP",
    answer=Page[Rate],
)
def list_rates(call: Call) -> Page[Rate]:
    return rates.page(call.query, call.principal)


@door.route(
    "GET",
    "/api/churn/summary",
    permission="customers.read",
    query=PeriodOnly,
    summary="Losses of a period by day, and what came before them",
    answer=Summary,
)
def summarize(call: Call) -> Summary:
    return rates.summary(call.query, call.principal)


@door.route(
    "GET",
    "/api/churn/risk",
    permission="segments.read",
    summary="Who is at risk by the rule: how many, by guide, and a sample",
    answer=Preview,
)
def preview_risk(call: Call) -> Preview:
    return rates.at_risk(settings.read()[0].risk, call.principal)


@door.route(
    "GET",
    "/api/churn/settings",
    permission="settings.read",
    summary="Who hears of a loss, and the rule of risk",
    answer=ChurnSettings,
)
def get_settings(call: Call) -> Answer:
    return http.versioned(*settings.read())


@door.route(
    "PUT",
    "/api/churn/settings",
    body=ChurnSettings,
    permission="settings.write",
    headers=IfMatchHeader,
    summary="Set who hears of a loss, and the rule of risk",
    answer=ChurnSettings,
)
def put_settings(call: Call) -> Answer:
    return http.versioned(*settings.save(call.body, call.if_match))
