"""Doors of the house itself: health, jobs, API keys, the OpenAPI document."""

from typing import Annotated, Any, Literal

import msgspec

from chalicelib.platform import auth, jobs, openapi
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Call, Door

door = Door(__name__, tag="Platform")


class NewApiKey(msgspec.Struct, kw_only=True):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    role: Literal["admin", "operator", "finance", "auditor"]


@door.route("GET", "/healthz", summary="Whether it can serve: the store answers")
def health(call: Call) -> dict[str, str]:
    auth.ApiKeyItem.find("health")
    return {"status": "ok"}


@door.route("GET", "/api/jobs/{job_id}", permission="jobs.read", summary="How far a job is")
def job(call: Call, job_id: str) -> dict[str, Any]:
    return jobs.get(job_id)


@door.route(
    "POST",
    "/api/jobs/{job_id}/resume",
    status=202,
    permission="jobs.resume",
    summary="Try again what of a failed job was given up; what is done stays done",
)
def resume(call: Call, job_id: str) -> dict[str, Any]:
    return jobs.resume(job_id, call.principal)


@door.route(
    "POST",
    "/api/api-keys",
    body=NewApiKey,
    status=201,
    permission="keys.write",
    summary="Make an API key",
    secret=True,
)
def create_key(call: Call) -> dict[str, str]:
    key = auth.create_key(call.body.name, call.body.role)
    return {
        "api_key_id": auth.hashed(key),
        "name": call.body.name,
        "role": call.body.role,
        "key": key,
    }


@door.route(
    "DELETE",
    "/api/api-keys/{api_key_id}",
    permission="keys.write",
    status=200,
    summary="Revoke an API key",
)
def revoke_key(call: Call, api_key_id: str) -> dict[str, str]:
    if not auth.revoke(api_key_id):
        raise NotFound(f"there is no API key {api_key_id}")
    return {"api_key_id": api_key_id, "status": "revoked"}


@door.route("GET", "/api/openapi.json", permission="openapi.read", summary="This document")
def document(call: Call) -> dict[str, Any]:
    return openapi.document(Door.routes)
