"""Why a scan got whom it got, in one sentence: Chinese, and English."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

FEW = 3  # names that a sentence lists
_STRATEGIES = {
    "round_robin": ("按轮流分配轮到", "next in turn:"),
    "weighted": ("按比例分配给", "by share:"),
    "random": ("随机分配给", "picked at random:"),
    "least_loaded": ("当天接待最少，分配给", "fewest customers today:"),
    "poster": ("扫的是导购本人的海报，分配给", "the guide's own poster:"),
    "sticky": ("老客仍由原导购接待：", "returning customer, same guide as before:"),
    "fill_in_order": ("按顺序进群，当前是", "groups fill in order, now:"),
}
_KINDS = {
    "fallback": (
        "成员都不在班或名额已满，转给后备",
        "all members were off duty or full: fallback staff",
    ),
    "off_hours": ("无人在班，先留给下班的成员", "nobody was on duty, so it waits for a member off duty"),
}
_CLOSED = {
    "archived": ("活码已停用", "the code is archived"),
    "schedule": ("不在活码的开放时间内", "the code is outside of its schedule"),
    "nobody": ("所有人名额已满", "nobody has a place left"),
}
LEFT_OUT = (
    ("off", "不在班", "off duty"),
    ("full", "名额已满", "full"),
    ("left", "已离职或停用", "has left, or is disabled"),
    ("unknown", "企业微信中没有此人", "not in WeCom"),
    ("ramp", "新号当天已达上限", "at the day's limit of a new account"),
    ("refused", "企业微信不接受", "refused by WeCom"),
)
_SKIPPED = {  # why a store was not it
    "closed": ("未营业", "closed"),
    "full": ("名额已满", "full"),
    "no_staff": ("没有导购", "nobody there"),
}
_GROUPS = {  # why a group code gave a member of staff
    "full": ("客户群都已满", "all groups are full"),
    "refused": ("客户群的入群码暂时取不到", "no group's code could be had just then"),
}
_POSTERS = {  # why not whose own poster it was
    "off": ("不在班", "off duty"),
    "full": ("名额已满", "full"),
    "left": ("已离职或停用", "has left, or is disabled"),
    "ramp": ("新号当天已达上限", "at the day's limit of a new account"),
    "refused": ("企业微信不接受", "refused by WeCom"),
    "not_in_code": ("不在这个活码里", "not in this code"),
}
_FOREIGN = (
    "海报链接里的导购或门店不是本活码签发的，未采用",
    "what the poster's link says of its owner was not signed for this code",
)
_OUTCOMES = {
    "reserved": ("等待添加", "not added yet"),
    "confirmed": ("已添加", "added"),
    "lapsed": ("超时未添加，名额已退回", "not added in time, the place was given back"),
}
_JOINS = {
    "reserved": ("等待入群", "not joined yet"),
    "confirmed": ("已入群", "joined"),
    "lapsed": ("超时未入群，名额已退回", "not joined in time, the place was given back"),
}

Names = Callable[[str], str]


def explain(
    why: Mapping[str, Any], who: str | None, name: Names, status: str | None = None, store_name: Names = str
) -> tuple[str, str]:
    """`why` as a decision keeps it. who: whom the scan got; name: of a member of staff (or a group) by id."""
    if why.get("kind") == "closed" or who is None:
        chinese, english = _CLOSED.get(str(why.get("reason")), _CLOSED["nobody"])
        parts = [chinese], [english]
    else:
        chinese, english = _STRATEGIES.get(str(why.get("rule")), ("分配给", "it was given to"))
        lead = None if why.get("rule") == "poster" else _KINDS.get(str(why.get("kind")))
        turn = _turn(why)
        parts = (
            [f"{lead[0]}，{chinese}{name(who)}{turn[0]}" if lead else f"{chinese}{name(who)}{turn[0]}"],
            [f"{lead[1]}: {english} {name(who)}{turn[1]}" if lead else f"{english} {name(who)}{turn[1]}"],
        )
        _add_circumstances(why, parts, store_name)
    _add_poster(why, parts, name, store_name)
    apart = {staff_id for key in ("left", "unknown", "ramp", "refused") for staff_id in why.get(key, ())}
    for key, chinese, english in LEFT_OUT:
        others = [who for who in why.get(key) or () if key != "full" or who not in apart]
        if others:
            parts[0].append(f"{chinese}：{_list_few(others, name, '、', ' 等 {} 人')}")
            parts[1].append(f"{english}: {_list_few(others, name, ', ', ' and others, {} in all')}")
    outcomes = _JOINS if why.get("kind") == "group" else _OUTCOMES
    if status in outcomes:
        parts[0].append(outcomes[status][0])
        parts[1].append(outcomes[status][1])
    return "；".join(parts[0]) + "。", _capitalised("; ".join(parts[1])) + "."


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _turn(why: Mapping[str, Any]) -> tuple[str, str]:
    """Which scan of the code it was, and out of how many: in brackets, behind the name."""
    ticket, candidates = why.get("ticket"), len(why.get("candidates") or ())
    chinese = [f"第 {ticket} 次扫码"] if ticket else []
    english = [f"scan {ticket}"] if ticket else []
    if candidates > 1:
        chinese.append(f"可选 {candidates} 人")
        english.append(f"out of {candidates}")
    return (f"（{'，'.join(chinese)}）", f" ({', '.join(english)})") if chinese else ("", "")


def _add_poster(
    why: Mapping[str, Any], parts: tuple[list[str], list[str]], name: Names, store_name: Names
) -> None:
    told = why.get("poster") or {}
    reason = told.get("reason")
    if reason == "foreign":
        parts[0].append(_FOREIGN[0])
        parts[1].append(_FOREIGN[1])
    elif reason in _POSTERS:
        chinese, english = _POSTERS[reason]
        owner = name(told["staff_id"]) if told.get("staff_id") else store_name(str(told.get("store_id")))
        parts[0].append(f"海报上的{owner}：{chinese}")
        parts[1].append(f"whose poster it is, {owner}: {english}")


def _add_circumstances(why: Mapping[str, Any], parts: tuple[list[str], list[str]], store_name: Names) -> None:
    if why.get("store_id"):
        metres, from_chosen = why.get("distance_m"), why.get("from_chosen_m")
        if metres is not None:
            far = f"，相距 {_distance(metres, '米', '公里')}", f", {_distance(metres, 'm', 'km')} away"
        elif from_chosen is not None:
            far = (
                f"，距顾客所选门店 {_distance(from_chosen, '米', '公里')}",
                f", {_distance(from_chosen, 'm', 'km')} from the chosen one",
            )
        else:
            far = "（顾客所选）", ", chosen by the customer"
        parts[0].append(f"门店 {store_name(why['store_id'])}{far[0]}")
        parts[1].append(f"store {store_name(why['store_id'])}{far[1]}")
    if skipped := {store["store_id"]: _SKIPPED[store["reason"]] for store in why.get("skipped") or ()}:
        chinese = _list_few(
            [*skipped],
            lambda store_id: f"{store_name(store_id)}（{skipped[store_id][0]}）",
            "、",
            " 等 {} 家",
        )
        english = _list_few(
            [*skipped],
            lambda store_id: f"{store_name(store_id)} ({skipped[store_id][1]})",
            ", ",
            " and others, {} in all",
        )
        parts[0].append(f"未选的门店：{chinese}")
        parts[1].append(f"stores passed over: {english}")
    if groups := _GROUPS.get(str(why.get("groups"))):
        parts[0].append(groups[0])
        parts[1].append(groups[1])


def _distance(metres: int, near: str, far: str) -> str:
    return f"{metres / 1000:.1f} {far}" if metres >= 1000 else f"{metres} {near}"


def _list_few(ids: Sequence[str], name: Names, comma: str, more: str) -> str:
    text = comma.join(name(member_id) for member_id in ids[:FEW])
    return text + more.format(len(ids)) if len(ids) > FEW else text
