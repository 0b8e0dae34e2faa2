"""Doors of the house itself: health, jobs, dead letters, the OpenAPI document."""

from typing import Any, Literal

from msgspec import Struct

from chalicelib.platform import deadletters, due, jobs, messages, openapi
from chalicelib.platform.deadletters import DeadLetter, DeadLettersInWords
from chalicelib.platform.http import Call, Door
from chalicelib.platform.http_routing import Millrace
from chalicelib.platform.lists import Page

door = Door(__name__, tag="Platform")


class Health(Struct, kw_only=True):
    status: Literal["ok"]


class Redriven(Struct, kw_only=True):
    queue: str
    count: int


@door.route("GET", "/healthz", answer=Health, summary="Whether it can serve: the store answers")
def health(call: Call) -> Health:
    due.DueItem.find("health", "health")
    return Health(status="ok")


@door.route(
    "GET",
    "/api/jobs",
    permission="jobs.read",
    query=jobs.JobsQuery,
    answer=Page[jobs.Job],
    summary="Jobs of the last 30 days, newest first; with a scope, those that one started oneself",
)
def page(call: Call) -> Page[jobs.Job]:
    return jobs.page(call.query, call.principal)


@door.route("GET", "/api/jobs/{job_id}", permission="jobs.read", answer=jobs.Job, summary="How far a job is")
def job(call: Call, job_id: str) -> jobs.Job:
    return jobs.get(job_id, call.principal)


@door.route(
    "POST",
    "/api/jobs/{job_id}/resume",
    status=202,
    permission="jobs.resume",
    answer=jobs.Job,
    summary="Try again what of a failed job was given up; what is done stays done",
)
def resume(call: Call, job_id: str) -> jobs.Job:
    return jobs.resume(job_id, call.principal)


@door.route(
    "GET",
    "/api/dead-letters",
    permission="dead_letters.read",
    answer=Page[DeadLettersInWords],
    summary="What was given up: dead-letter queues in which something lies",
)
def dead_letters(call: Call) -> Page[DeadLettersInWords]:
    letters = deadletters.ask_listing(messages.language(call.headers.get("accept-language")))
    return Page(letters, len(letters))


@door.route(
    "GET",
    "/api/dead-letters/{queue}/messages",
    permission="dead_letters.read",
    answer=Page[DeadLetter],
    summary="The first ten messages of a dead-letter queue, without anything that says who somebody is",
)
def dead_letter_messages(call: Call, queue: str) -> Page[DeadLetter]:
    letters = deadletters.ask_letters(queue)
    return Page(letters, len(letters), total_is="at_least")


@door.route(
    "POST",
    "/api/dead-letters/{queue}/redrive",
    permission="dead_letters.redrive",
    answer=Redriven,
    summary="Send what lies in a queue's dead letters to it again; how many were sent",
)
def redrive(call: Call, queue: str) -> Redriven:
    return Redriven(queue=queue, count=deadletters.ask_redrive(queue, call.principal))


@door.route(
    "GET",
    "/api/openapi.json",
    permission="openapi.read",
    answer=dict[str, Any],
    summary="This document",
)
def document(call: Call) -> dict[str, Any]:
    app = door.blueprint.current_app
    assert isinstance(app, Millrace)
    app.load_all()
    return openapi.document(Door.routes)
