"""Fakes of ad platforms' conversion doors at /ads/PLATFORM/…: what they check, and what they answer.

baidu: token, landing page with bd_vid, statuses 0 to 4. oceanengine: callback and event_type. tencent:
access_token, timestamp within 300 s, nonce of its own, and its key against repeats. generic: the signature.
"""

import hashlib
import hmac
import json
import urllib.parse
from collections.abc import Mapping
from typing import Any

from infra.sandbox.world import World

PREFIX = "/ads/"
_DRIFT = 300
Answer = tuple[int, dict[str, Any]]


def answer(
    world: World, method: str, path: str, query: dict[str, str], headers: Mapping[str, str], raw: bytes
) -> Answer:
    """HTTP status and answer of a call. 404 for what no platform has."""
    platform, _, rest = path.removeprefix(PREFIX).partition("/")
    try:
        body = json.loads(raw) if raw else {}
        json.dumps(body, ensure_ascii=False).encode()  # half a character could not be saved
    except ValueError:
        body = None
    if method != "POST":
        return 405, {}
    with world.lock:
        if (platform, rest) == ("baidu", "ocpcapi/api/uploadConvertData"):
            return 200, _baidu(world, body)
        if (platform, rest) == ("oceanengine", "api/v2/conversion"):
            return 200, _oceanengine(world, body)
        if (platform, rest) == ("tencent", "v3.0/user_actions/add"):
            return 200, _tencent(world, query, body)
        if platform == "generic":
            return _generic(world, headers, raw, body)
    return 404, {}


def _count(world: World, *key: str) -> bool:
    """Whether it is the first of its key."""
    name = "|".join(key)
    world.state.ad_actions[name] = world.state.ad_actions.get(name, 0) + 1
    return world.state.ad_actions[name] == 1


def _baidu(world: World, body: Any) -> dict[str, Any]:
    def said(status: int, desc: str, errors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
        return {"header": {"desc": desc, "status": status, "errors": errors or []}}

    if not isinstance(body, dict) or body.get("token") != world.config.ads_baidu_token:
        return said(3, "token fail")
    rows = body.get("conversionTypes")
    if not isinstance(rows, list) or not 1 <= len(rows) < 100:
        return said(2, "fail", [{"code": 2, "message": "conversionTypes"}])
    errors = []
    for index, row in enumerate(rows):
        url = row.get("logidUrl") if isinstance(row, dict) else None
        values = (
            dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)) if isinstance(url, str) else {}
        )
        good = values.get("bd_vid") and len(str(url)) <= 1024 and isinstance(row.get("newType"), int)
        if good:
            _count(world, "baidu", values["bd_vid"], str(row["newType"]))
        else:
            errors.append({"code": 501, "message": "logidUrl", "position": f"conversionTypes[{index}]"})
    if errors:
        return said(2 if len(errors) == len(rows) else 1, "fail", errors)
    return said(0, "success")


def _oceanengine(world: World, body: Any) -> dict[str, Any]:
    callback = (
        ((body.get("context") or {}).get("ad") or {}).get("callback") if isinstance(body, dict) else None
    )
    if not isinstance(callback, str) or not callback or not isinstance(body.get("event_type"), str):
        return {"code": 40001, "message": "invalid callback or event_type"}
    if not isinstance(body.get("timestamp"), int) or body["timestamp"] < 10**12:
        return {"code": 40001, "message": "timestamp in milliseconds"}
    _count(world, "oceanengine", callback, body["event_type"], str(body["timestamp"]))
    return {"code": 0, "message": "success"}


def _tencent(world: World, query: dict[str, str], body: Any) -> dict[str, Any]:
    if query.get("access_token") != world.config.ads_tencent_token:
        return {"code": 11002, "message": "Access token is invalid."}
    stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    if not stamp.isdigit() or abs(world.ts() - int(stamp)) > _DRIFT:
        return {"code": 11100, "message": "timestamp"}
    if not 0 < len(nonce) <= 32 or not _count(world, "tencent-nonce", nonce):
        return {"code": 11101, "message": "nonce"}
    actions = body.get("actions") if isinstance(body, dict) else None
    if not isinstance(actions, list) or not 1 <= len(actions) <= 50:
        return {"code": 31000, "message": "actions"}
    for action in actions:
        if not (action.get("trace") or {}).get("click_id") or not action.get("url"):
            return {"code": 31001, "message": "trace.click_id"}
        _count(world, "tencent", str(action.get("outer_action_id")), str(action.get("action_type")))
    return {"code": 0, "message": ""}


def _generic(world: World, headers: Mapping[str, str], raw: bytes, body: Any) -> Answer:
    stamp, given = headers.get("x-timestamp", ""), headers.get("x-signature", "")
    signed = f"{stamp}.".encode() + raw
    wanted = hmac.new(world.config.ads_generic_secret.encode(), signed, hashlib.sha256).hexdigest()
    fresh = stamp.isdigit() and abs(world.ts() - int(stamp)) <= _DRIFT
    if not fresh or not hmac.compare_digest(wanted.encode(), given.encode()):
        return 401, {"error": "signature"}
    if not isinstance(body, dict) or not body.get("conversion_id"):
        return 422, {"error": "conversion_id"}
    first = _count(world, "generic", body["conversion_id"])
    return 200, {"status": "accepted" if first else "known"}
