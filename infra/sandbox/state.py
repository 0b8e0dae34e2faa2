"""What exists in the sandbox's world, as plain records that can be written to a JSON file and read back.

All times are Unix seconds. Staff are keyed by their lower-cased userid (WeCom compares it so), everything
else by its own id.
"""

import json
import os
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any


@dataclass
class Staff:
    userid: str
    name: str
    status: int = 1  # 1 active, 2 disabled, 4 not activated, 5 left
    department: list[int] = field(default_factory=lambda: [1])
    position: str = "导购"  # what they are in the corp: the sign-in page lists people by it
    left_at: int = 0  # when they left the corp
    confirm_after: float | None = None  # seconds until they confirm a mass send; None: as the settings say
    confirms: bool | None = None  # False: never; None: as the settings say


@dataclass
class Contact:
    external_userid: str
    name: str
    unionid: str = ""
    avatar: str = ""
    type: int = 1  # 1 WeChat, 2 WeCom
    gender: int = 0


@dataclass
class Bond:
    """A customer and a staff member. `one_way`: the customer deleted the member, whose book keeps them."""

    userid: str
    external_userid: str
    createtime: int
    kind: str = "full"  # full, half, one_way
    changed_at: int = 0
    state: str = ""
    add_way: int = 1
    remark: str = ""
    description: str = ""
    remark_corp_name: str = ""
    remark_mobiles: list[str] = field(default_factory=list)
    oper_userid: str = ""
    tag_ids: list[str] = field(default_factory=list)


@dataclass
class TagGroup:
    group_id: str
    group_name: str
    create_time: int
    order: int = 0
    deleted: bool = False


@dataclass
class Tag:
    id: str
    group_id: str
    name: str
    create_time: int
    order: int = 0
    deleted: bool = False


@dataclass
class ContactWay:
    config_id: str
    created_at: int
    fields: dict[str, Any]
    adds: dict[str, int] = field(default_factory=dict)


@dataclass
class AcquisitionLink:
    """`customers`: bond key → {userid, external_userid, state, messages}; `opened`: times of page views."""

    link_id: str
    created_at: int
    fields: dict[str, Any]
    adds: dict[str, int] = field(default_factory=dict)
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    opened: list[int] = field(default_factory=list)
    works: bool = True


@dataclass
class WelcomeCode:
    code: str
    userid: str
    external_userid: str
    at: float
    used: bool = False


@dataclass
class Media:
    media_id: str
    type: str
    created_at: float
    url: str = ""
    purpose: int = 0  # of an attachment: 1 moments, 2 product album; those are not interchangeable
    filename: str = ""
    ready_at: float = 0  # of one that WeCom fetches from an address


@dataclass
class GroupChat:
    chat_id: str
    name: str
    owner: str
    create_time: int
    notice: str = ""
    status: int = 0
    members: list[dict[str, Any]] = field(default_factory=list)
    admins: list[str] = field(default_factory=list)
    version: int = 1
    told_version: str = ""  # as somebody else's event had it
    dismissed: bool = False
    dismissed_at: int = 0
    gone: list[dict[str, Any]] = field(default_factory=list)  # members that were, with `left_at`
    welcome: str = ""  # the welcome template that its owner chose
    transferred_at: list[int] = field(default_factory=list)  # when it got another owner who works here
    past: list[list[Any]] = field(default_factory=list)  # [when it ended, what was told till then]


@dataclass
class JoinWay:
    """`opened`: how many groups it has opened by itself."""

    config_id: str
    created_at: int
    fields: dict[str, Any]
    opened: int = 0


@dataclass
class MassSend:
    msgid: str
    chat_type: str
    created_at: float
    content: dict[str, Any]  # text, attachments
    cancelled: bool = False
    reminded_at: list[float] = field(default_factory=list)


@dataclass
class MassTask:
    """One member's part of a mass send. `results`: receiver → 0 open, 1 sent, 2 no friend, 3 over quota."""

    msgid: str
    userid: str
    results: dict[str, int]
    confirm_at: float | None
    sent_at: float | None = None


@dataclass
class Transfer:
    """A customer on the way from one member to another. `status`: 1 done, 2 waiting, 3 refused, 4 full."""

    handover: str
    takeover: str
    external_userid: str
    at: float
    due: float
    resigned: bool
    words: str = ""
    status: int = 2
    ended_at: float = 0


@dataclass
class Moment:
    """A moment of the corp. `tasks`: member (lower case) → {userid, audience, confirm_at, published_at}."""

    moment_id: str
    jobid: str
    created_at: float
    content: dict[str, Any]
    is_public: bool
    invalid: dict[str, Any]
    tasks: dict[str, dict[str, Any]] = field(default_factory=dict)
    cancelled: bool = False
    comments: list[dict[str, Any]] = field(default_factory=list)
    likes: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Bill:
    """A transfer bill. `next_at`, `next_state`: what it will become by itself, and when."""

    out_bill_no: str
    transfer_bill_no: str
    request: dict[str, Any]
    created_at: float
    updated_at: float
    state: str
    mode: str
    package_info: str = ""
    fail_reason: str = ""
    locked: bool = False
    next_at: float | None = None
    next_state: str = ""


@dataclass
class Post:
    """Something to be posted: an event callback or a pay notification. Encrypted anew at each try."""

    kind: str  # callback, notify
    url: str
    payload: str
    due: float
    tries: int = 0
    post_id: str = ""


@dataclass
class State:
    counter: int = 0
    staff: dict[str, Staff] = field(default_factory=dict)
    contacts: dict[str, Contact] = field(default_factory=dict)
    bonds: dict[str, Bond] = field(default_factory=dict)
    tag_groups: dict[str, TagGroup] = field(default_factory=dict)
    tags: dict[str, Tag] = field(default_factory=dict)
    ways: dict[str, ContactWay] = field(default_factory=dict)
    links: dict[str, AcquisitionLink] = field(default_factory=dict)
    acquisition_used: int = 0
    acquisition_balance: int | None = None  # None: nothing was used or bought yet
    chat_keys: dict[str, dict[str, Any]] = field(default_factory=dict)
    ad_actions: dict[str, int] = field(default_factory=dict)  # what ad platforms count, by key
    welcome_codes: dict[str, WelcomeCode] = field(default_factory=dict)
    media: dict[str, Media] = field(default_factory=dict)
    groups: dict[str, GroupChat] = field(default_factory=dict)
    join_ways: dict[str, JoinWay] = field(default_factory=dict)
    mass_sends: dict[str, MassSend] = field(default_factory=dict)
    mass_tasks: dict[str, MassTask] = field(default_factory=dict)
    bills: dict[str, Bill] = field(default_factory=dict)
    posts: dict[str, Post] = field(default_factory=dict)
    received: dict[str, dict[str, Any]] = field(default_factory=dict)
    deleted_at: dict[str, int] = field(default_factory=dict)  # bond key → when it ended
    openids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    departments: dict[str, dict[str, Any]] = field(default_factory=dict)  # id → name, parentid, order
    member_tags: dict[str, dict[str, Any]] = field(default_factory=dict)  # tagid → name, users, parties
    app: dict[str, Any] = field(default_factory=dict)  # what the app was set to: name, menu buttons, …
    appchats: dict[str, dict[str, Any]] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    moments: dict[str, Moment] = field(default_factory=dict)
    group_welcomes: dict[str, dict[str, Any]] = field(default_factory=dict)  # template_id → its content
    albums: dict[str, dict[str, Any]] = field(default_factory=dict)  # product_id → the product
    intercepts: dict[str, dict[str, Any]] = field(default_factory=dict)  # rule_id → the rule
    days: dict[str, dict[str, int]] = field(default_factory=dict)  # `member|day` → what happened, counted
    dropped: list[dict[str, Any]] = field(default_factory=list)  # app messages over a member's limit
    app_msgids: dict[str, dict[str, Any]] = field(default_factory=dict)  # msgid → when, response_code
    pending_ids: dict[str, dict[str, Any]] = field(default_factory=dict)  # pending_id → unionid, until
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)  # of pay: out_bill_no → 电子回单
    balance_fen: int | None = None
    crowd: dict[str, int] = field(default_factory=dict)  # customers, guides, at: see crowd.py
    crowd_left: list[int] = field(default_factory=list)
    crowd_tags: list[str] = field(default_factory=list)


_RECORDS: dict[str, Any] = {
    "staff": Staff, "contacts": Contact, "bonds": Bond, "tag_groups": TagGroup, "tags": Tag,
    "ways": ContactWay, "links": AcquisitionLink,
    "welcome_codes": WelcomeCode, "media": Media, "groups": GroupChat, "join_ways": JoinWay,
    "mass_sends": MassSend, "mass_tasks": MassTask, "bills": Bill, "posts": Post,
    "transfers": Transfer, "moments": Moment,
}  # fmt: skip


def load(path: str) -> State:
    """The state as it was saved; a new one when there is no file."""
    if not path or not Path(path).exists():
        return State()
    saved = json.loads(Path(path).read_text(encoding="utf-8"))
    values: dict[str, Any] = {}
    for spec in fields(State):
        if spec.name not in saved:
            continue
        record = _RECORDS.get(spec.name)
        value = saved[spec.name]
        values[spec.name] = {k: record(**v) for k, v in value.items()} if record else value
    return State(**values)


def save(state: State, path: str) -> None:
    """Write it whole or not at all."""
    write(as_text(state), Path(path))


def as_text(state: State) -> str:
    return json.dumps(asdict(state), ensure_ascii=False)


def write(text: str, target: Path) -> None:
    """Whole or not at all; readable by its owner only (it holds keys)."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    with os.fdopen(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    part.replace(target)
