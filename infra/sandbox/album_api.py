"""The product album and the rules for words that guides may not say (wecom-api.md §4.13)."""

import re
from typing import Any

from infra.sandbox.endpoint import Call, Endpoint, P, ok, page, whole
from infra.sandbox.errors import ApiError

_SERIAL = re.compile(r"[0-9A-Za-z]{0,128}")
_DEAREST = 5_000_000  # fen
_PICTURES, _MOST_WORDS, _WORD = 9, 300, 32
_SEMANTICS = {1, 2, 3}  # phone numbers, mail addresses, red packets


# Products


def _check_product(call: Call) -> None:
    if not _SERIAL.fullmatch(call["product_sn"] or ""):
        raise ApiError(40058, "product_sn")
    for item in call["attachments"] or []:
        image = item.get("image") if item.get("type") == "image" else None
        media = call.world.state.media.get(image["media_id"]) if isinstance(image, dict) else None
        if media is None:
            raise ApiError(40007)
        if media.purpose != 2:
            raise ApiError(41072)


def add_product_album(call: Call) -> dict[str, Any]:
    world = call.world
    _check_product(call)
    product = {
        "product_id": world.new_id("pd", 32), "description": call["description"], "price": call["price"],
        "product_sn": call["product_sn"] or "", "attachments": call["attachments"],
        "create_time": int(world.ts()),
    }  # fmt: skip
    world.state.albums[product["product_id"]] = product
    return ok(product_id=product["product_id"])


def _product(call: Call) -> dict[str, Any]:
    product = call.world.state.albums.get(call["product_id"])
    if product is None:
        raise ApiError(60136)
    return product


def get_product_album(call: Call) -> dict[str, Any]:
    return ok(product=_product(call))


def get_product_album_list(call: Call) -> dict[str, Any]:
    shown, cursor = page(list(call.world.state.albums.values()), call, 50)
    return ok(next_cursor=cursor, product_list=shown)


def update_product_album(call: Call) -> dict[str, Any]:
    product = _product(call)
    _check_product(call)
    names = ("description", "price", "product_sn", "attachments")
    product.update({name: call[name] for name in names if call[name] is not None})
    return ok()


def delete_product_album(call: Call) -> dict[str, Any]:
    del call.world.state.albums[_product(call)["product_id"]]
    return ok()


# Rules


def _words(call: Call) -> None:
    if any(not 1 <= len(word) <= _WORD for word in call["word_list"] or []):
        raise ApiError(40058, "word_list")


def _range(call: Call, given: Any) -> dict[str, list[Any]]:
    """Members by their own ids, and departments."""
    users, parties = given.get("user_list") or [], given.get("department_list") or []
    return {
        "user_list": [call.world.staff(userid).userid for userid in users],
        "department_list": [whole(party, "department_list") for party in parties],
    }


def _semantics(given: Any) -> list[int]:
    wanted = [whole(item, "semantics_list") for item in given or []]
    if not set(wanted) <= _SEMANTICS:
        raise ApiError(40058, "semantics_list")
    return wanted


def add_intercept_rule(call: Call) -> dict[str, Any]:
    world = call.world
    _words(call)
    people = _range(call, call["applicable_range"])
    if not any(people.values()):
        raise ApiError(40063, "applicable_range")
    rule = {
        "rule_id": world.new_id("ir", 32), "rule_name": call["rule_name"], "word_list": call["word_list"],
        "extra_rule": {"semantics_list": _semantics(call["semantics_list"])},
        "intercept_type": call["intercept_type"], "applicable_range": people,
        "create_time": int(world.ts()),
    }  # fmt: skip
    world.state.intercepts[rule["rule_id"]] = rule
    return ok(rule_id=rule["rule_id"])


def _rule(call: Call) -> dict[str, Any]:
    rule = call.world.state.intercepts.get(str(call["rule_id"]))
    if rule is None:
        raise ApiError(41068)
    return rule


def get_intercept_rule(call: Call) -> dict[str, Any]:
    return ok(rule={name: value for name, value in _rule(call).items() if name != "create_time"})


def get_intercept_rule_list(call: Call) -> dict[str, Any]:
    names = ("rule_id", "rule_name", "create_time")
    return ok(rule_list=[{n: rule[n] for n in names} for rule in call.world.state.intercepts.values()])


def update_intercept_rule(call: Call) -> dict[str, Any]:
    rule = _rule(call)
    _words(call)
    people = {name: list(rule["applicable_range"][name]) for name in ("user_list", "department_list")}
    added = _range(call, call["add_applicable_range"] or {})
    removed = _range(call, call["remove_applicable_range"] or {})
    for name, kept in people.items():
        people[name] = [x for x in dict.fromkeys([*kept, *added[name]]) if x not in removed[name]]
    extra = call["extra_rule"]
    semantics = (
        rule["extra_rule"] if extra is None else {"semantics_list": _semantics(extra["semantics_list"])}
    )
    given = {n: call[n] for n in ("rule_name", "word_list", "intercept_type") if call[n] is not None}
    rule.update(given, applicable_range=people, extra_rule=semantics)
    return ok()


def del_intercept_rule(call: Call) -> dict[str, Any]:
    del call.world.state.intercepts[_rule(call)["rule_id"]]
    return ok()


_PRODUCT = P("product_id", str, True)
_PATH = "externalcontact/"
_RULE = P("rule_id", str, True)


def _product_fields(required: bool) -> tuple[P, ...]:
    return (
        P("description", str, required, most=300), P("price", int, required, most=_DEAREST),
        P("product_sn", str), P("attachments", list, required, most=_PICTURES, code=41064, items=dict),
    )  # fmt: skip


def _rule_fields(required: bool) -> tuple[P, ...]:
    return (
        P("rule_name", str, required, most=20), P("word_list", list, required, most=_MOST_WORDS, items=str),
        P("intercept_type", int, required, choices=(1, 2)),
    )  # fmt: skip


TABLE = (
    Endpoint("POST", _PATH + "add_product_album", add_product_album, _product_fields(True)),
    Endpoint("POST", _PATH + "get_product_album", get_product_album, (_PRODUCT,)),
    Endpoint(
        "POST", _PATH + "get_product_album_list", get_product_album_list,
        (P("limit", int, most=100, least=1), P("cursor", str)),
    ),
    Endpoint(
        "POST", _PATH + "update_product_album", update_product_album, (_PRODUCT, *_product_fields(False))
    ),
    Endpoint("POST", _PATH + "delete_product_album", delete_product_album, (_PRODUCT,)),
    Endpoint(
        "POST", _PATH + "add_intercept_rule", add_intercept_rule,
        (*_rule_fields(True), P("semantics_list", list), P("applicable_range", dict, True)),
    ),
    Endpoint("POST", _PATH + "get_intercept_rule", get_intercept_rule, (_RULE,)),
    Endpoint("GET", _PATH + "get_intercept_rule_list", get_intercept_rule_list),
    Endpoint(
        "POST", _PATH + "update_intercept_rule", update_intercept_rule,
        (_RULE, *_rule_fields(False), P("extra_rule", dict), P("add_applicable_range", dict),
         P("remove_applicable_range", dict)),
    ),
    Endpoint("POST", _PATH + "del_intercept_rule", del_intercept_rule, (_RULE,)),
)  # fmt: skip
