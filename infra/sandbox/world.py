"""The world as the sandbox knows it: who works here, who their customers are, and what happens by itself.

No HTTP in here. The caller holds `lock`, which may be taken twice.
"""

import hashlib
import re
import threading
from collections.abc import Callable
from typing import Any

from infra.sandbox import state as st
from infra.sandbox.config import Config
from infra.sandbox.crowd import MEMBERS, TAGS, Crowd
from infra.sandbox.errors import ApiError
from infra.sandbox.media_files import Files

_USERID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-@.]{0,63}")
_SURNAMES = "林王李张刘陈杨赵黄周吴徐孙马朱胡郭何高罗"
_GIVEN = (
    "晓",
    "静",
    "丽华",
    "敏",
    "思远",
    "佳怡",
    "雨桐",
    "建国",
    "婷",
    "小梅",
    "文博",
    "欣",
    "浩然",
    "玲",
    "娜",
    "志强",
)
_KEEP_MESSAGES = 50_000
_DAY, _BEIJING = 86_400, 8 * 3600
_BY_ADMIN = 202  # an add_way: assigned by the corp
_NICKS = (
    "小王",
    "阿明",
    "暖暖",
    "今天也要开心",
    "豆豆妈",
    "Lily",
    "海边的风",
    "糖糖",
    "老赵",
    "Momo",
    "云朵",
    "小鹿",
)


def digest(*parts: str) -> str:
    """48 hex characters that depend on the parts only."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:48]


def day_of(at: float) -> int:
    """The midnight in Beijing that begins the day of a moment."""
    return int((at + _BEIJING) // _DAY * _DAY - _BEIJING)


def _pick(choices: Any, seed: str) -> Any:
    return choices[int(digest(seed)[:8], 16) % len(choices)]


class World:
    def __init__(self, config: Config, state: st.State) -> None:
        self.config = config
        self.state = state
        self.lock = threading.RLock()
        self.base_url = config.public_base_url
        self.app_messages: dict[str, list[float]] = {}  # member → when the app wrote to them
        self.files = Files(config.media_path or (config.state_path and f"{config.state_path}.media"))
        self.post_event: Callable[..., None] = lambda at, event, **elements: None  # the sandbox posts them
        self.user_tickets: dict[str, tuple[str, float]] = {}  # of a sign-in → member, when
        self.tickets: dict[str, tuple[str, float]] = {}  # of pages: kind → ticket, until when
        self.ticket_times: dict[str, list[float]] = {}  # kind → when it was asked for
        self.oauth_codes: dict[str, tuple[str, float, bool]] = {}  # code → member, when, used
        self.person_codes: dict[str, tuple[str, str, float, bool]] = {}  # code → openid, scope, when, used
        self.mass_sent: dict[str, list[float]] = {}  # receiver → when mass messages reached them
        for message in state.received.values():
            if message["kind"] == "mass_send":
                self.mass_sent.setdefault(message["receiver"], []).append(message["at"])
        self._keys_of: dict[str, set[str]] = {}  # a member's or a customer's bonds
        self.index_bonds()
        self.crowd: Crowd | None = None
        if state.crowd:
            self.crowd = Crowd(**state.crowd, left=state.crowd_left)

    def index_bonds(self) -> None:
        """Who has which bonds, anew."""
        self._keys_of.clear()
        for key in self.state.bonds:
            self._index(key)

    # The crowd

    def gather(self, customers: int, guides: int, groups: int) -> None:
        """As many customers, whom these guides serve, with tags, and groups with some of them in it."""
        if self.state.crowd:
            raise ValueError("there is a crowd already")
        if customers < 1 or not 1 <= guides <= 99_999 or groups < 0:
            raise ValueError("customers, guides: at least one; groups: none or more")
        self.state.crowd = {"customers": customers, "guides": guides, "at": int(self.ts())}
        self.crowd = crowd = Crowd(**self.state.crowd, left=())
        for guide in range(guides):
            self.add_staff(crowd.userid(guide))
        for name, tags in TAGS.items():
            self.state.crowd_tags += [self._tag(name, tag) for tag in tags]
        for number in range(groups):
            owner = crowd.userid(number % guides)
            chat = st.GroupChat(f"wrcrowd{number:025d}", f"福利群{number + 1}", owner, int(self.ts()) - _DAY)
            row = {"type": 1, "join_time": chat.create_time, "join_scene": 1}
            chat.members = [{**row, "userid": owner}]
            for one in range(number * MEMBERS, min((number + 1) * MEMBERS, customers)):
                chat.members.append({**row, "userid": crowd.external_userid(one), "type": 2, "join_scene": 3})
            self.state.groups[chat.chat_id] = chat

    def _tag(self, group_name: str, name: str) -> str:
        """The id of that tag, made when there is none."""
        groups, tags = self.state.tag_groups, self.state.tags
        group = next((g for g in groups.values() if g.group_name == group_name and not g.deleted), None)
        if group is None:
            group = st.TagGroup(self.new_id("etg"), group_name, int(self.ts()))
            groups[group.group_id] = group
        for tag in tags.values():
            if (tag.group_id, tag.name, tag.deleted) == (group.group_id, name, False):
                return tag.id
        made = st.Tag(self.new_id("et"), group.group_id, name, int(self.ts()))
        tags[made.id] = made
        return made.id

    def settle_in(self, external_userid: str) -> None:
        """Whoever is of the crowd is a person of the world from now on."""
        number = self.crowd.number_of(external_userid) if self.crowd else None
        if self.crowd is None or number is None:
            return
        self.crowd.leave(number)
        self.state.crowd_left.append(number)
        self.state.contacts[external_userid] = self.crowd.contact(number)
        for userid in self.crowd.userids(number):
            key = self.bond_key(userid, external_userid)
            self.state.bonds[key] = self.crowd.bond(number, userid, self.state.crowd_tags)
            self._index(key)

    def book(self, userid: str) -> "Book":
        """A member's customers, those of the crowd behind the others."""
        return Book(self, userid)

    def _index(self, key: str) -> None:
        for side in key.split("|", 1):
            self._keys_of.setdefault(side, set()).add(key)

    def _bonds(self, side: str) -> list[st.Bond]:
        keys = self._keys_of.get(side, ())
        mine = [self.state.bonds[key] for key in keys if key in self.state.bonds]
        return sorted(
            (b for b in mine if b.kind != "half"), key=lambda b: (b.createtime, b.userid, b.external_userid)
        )

    def ts(self) -> float:
        """The sandbox's time, Unix seconds."""
        return self.config.now().timestamp()

    def new_id(self, prefix: str, length: int = 32) -> str:
        """An id nobody has yet; the same world makes the same ids in the same order."""
        self.state.counter += 1
        return (prefix + digest(str(self.config.seed), prefix, str(self.state.counter)))[:length]

    # Staff

    def staff(self, userid: str) -> st.Staff:
        """The member, made when unknown unless the sandbox is strict. ApiError 40003 or 60111."""
        if not isinstance(userid, str) or not _USERID.fullmatch(userid):
            raise ApiError(40003)
        known = self.state.staff.get(userid.lower())
        if known is None:
            if self.config.strict:
                raise ApiError(60111)
            known = self.add_staff(userid)
        if known.status == 5:
            raise ApiError(60111)
        return known

    def add_staff(self, userid: str, name: str = "", **values: Any) -> st.Staff:
        made = st.Staff(userid, name or _pick(_SURNAMES, userid) + _pick(_GIVEN, userid + "/"), **values)
        self.state.staff[userid.lower()] = made
        return made

    # Customers

    def contact(
        self, external_userid: str, name: str = "", unionid: str = "", avatar: str = ""
    ) -> st.Contact:
        """The person, made when unknown; given values replace what was known."""
        self.settle_in(external_userid)
        known = self.state.contacts.get(external_userid)
        if known is None:
            kind = 2 if external_userid.startswith("wo") else 1
            own = "o" + digest("unionid", external_userid)[:27]
            known = st.Contact(
                external_userid,
                _pick(_NICKS, external_userid),
                own if kind == 1 and self.config.unionid_bound else "",
                f"{self.base_url}/avatar/{digest(external_userid)[:12]}",
                kind,
            )
            self.state.contacts[external_userid] = known
        known.name, known.unionid = name or known.name, unionid or known.unionid
        known.avatar = avatar or known.avatar
        return known

    def openid(self, external_userid: str) -> str:
        """The WeChat user's openid under the corp."""
        made = self.state.openids.get(external_userid) or "o" + digest("openid", external_userid)[:27]
        self.state.openids[external_userid] = made
        return made

    @staticmethod
    def bond_key(userid: str, external_userid: str) -> str:
        return f"{userid.lower()}|{external_userid}"

    def bond(self, userid: str, external_userid: str) -> st.Bond | None:
        self.settle_in(external_userid)
        return self.state.bonds.get(self.bond_key(userid, external_userid))

    def usable_bond(self, userid: str, external_userid: str) -> st.Bond:
        """The bond, for an API call. ApiError 84061 without one, or while it is half."""
        bond = self.bond(userid, external_userid)
        if bond is None or bond.kind == "half":
            raise ApiError(84061)
        return bond

    def bonds_of(self, userid: str) -> list[st.Bond]:
        """A member's book, oldest first, half friends left out."""
        return self._bonds(userid.lower())

    def followers(self, external_userid: str) -> list[st.Bond]:
        """Who serves the customer, oldest first."""
        self.settle_in(external_userid)
        return self._bonds(external_userid)

    def make_bond(
        self,
        userid: str,
        external_userid: str,
        at: int,
        kind: str = "full",
        state: str = "",
        add_way: int = 1,
    ) -> None:
        """A customer and a member know each other since `at`. Older news changes nothing."""
        member = self.staff(userid)
        self.contact(external_userid)
        key = self.bond_key(userid, external_userid)
        # Within one second somebody can be added and then deleted, hardly the other way round.
        if self.state.deleted_at.get(key, -1) >= at:
            return
        known = self.state.bonds.get(key)
        if known is None:
            oper = external_userid if add_way in (1, 16) else member.userid
            self.state.bonds[key] = st.Bond(
                member.userid, external_userid, at, kind, at, state, add_way, oper_userid=oper,
                remark=self.state.contacts[external_userid].name,
            )  # fmt: skip
            self._index(key)
            if add_way != _BY_ADMIN and kind == "full":
                self.count(member.userid, "added", at)
                if oper == member.userid:
                    self.count(member.userid, "applied", at)
        elif known.kind == "half" or (known.kind == "one_way" and at > known.changed_at):
            if kind == "full":
                self.count(member.userid, "added", at)
            known.kind, known.changed_at, known.createtime = kind, at, at
            known.state = state or known.state

    def end_bond(self, userid: str, external_userid: str, at: int, by_customer: bool) -> None:
        """Deleted by the customer: a one-way bond stays. Deleted by the member: it is gone."""
        self.staff(userid)
        self.contact(external_userid)
        key = self.bond_key(userid, external_userid)
        known = self.state.bonds.get(key)
        if known is not None and known.changed_at > at:
            return
        self.state.deleted_at[key] = max(at, self.state.deleted_at.get(key, 0))
        if known is None:
            return
        if by_customer:
            if known.kind == "full":
                self.count(known.userid, "negative", at)
            known.kind, known.changed_at = "one_way", at
        else:
            del self.state.bonds[key]

    def hand_over(self, old: st.Bond, takeover: str, at: int) -> None:
        """The customer is another member's from now on, with remark and tags."""
        key = self.bond_key(old.userid, old.external_userid)
        del self.state.bonds[key]
        self.state.deleted_at[key] = at
        self.state.deleted_at.pop(self.bond_key(takeover, old.external_userid), None)
        self.make_bond(takeover, old.external_userid, at, add_way=_BY_ADMIN)
        made = self.state.bonds[self.bond_key(takeover, old.external_userid)]
        if made.createtime == at:
            made.remark, made.description, made.oper_userid = old.remark, old.description, ""
            made.remark_mobiles, made.tag_ids = list(old.remark_mobiles), list(old.tag_ids)

    def count(self, userid: str, what: str, at: float) -> None:
        """One more of something that statistics tell of a member's day."""
        day = self.state.days.setdefault(f"{userid.lower()}|{day_of(at)}", {})
        day[what] = day.get(what, 0) + 1

    # Welcome codes

    def add_welcome_code(self, code: str, userid: str, external_userid: str) -> None:
        """The 20 s begin when the code is first seen."""
        self.state.welcome_codes.setdefault(code, st.WelcomeCode(code, userid, external_userid, self.ts()))

    def chat_started(self, userid: str, external_userid: str) -> None:
        """They have talked: no welcome for them any more (41051)."""
        for code in self.state.welcome_codes.values():
            if (code.userid.lower(), code.external_userid) == (userid.lower(), external_userid):
                code.used = True

    def deliver(self, kind: str, userid: str, receiver: str, content: dict[str, Any], at: float) -> None:
        """A message arrived in somebody's chat."""
        self.state.counter += 1
        while len(self.state.received) >= _KEEP_MESSAGES:
            del self.state.received[next(iter(self.state.received))]
        self.state.received[f"{self.state.counter:09d}"] = {
            "at": at, "kind": kind, "userid": userid, "receiver": receiver, **content,
        }  # fmt: skip


class Book:
    """A member's customers as rows that are made when they are looked at."""

    def __init__(self, world: World, userid: str) -> None:
        self._world, self._userid = world, userid
        self._own = world.bonds_of(userid)
        self._numbers = world.crowd.numbers(userid) if world.crowd else ()

    def __len__(self) -> int:
        return len(self._own) + len(self._numbers)

    def ids(self) -> list[str]:
        own = [bond.external_userid for bond in self._own]
        return own + [Crowd.external_userid(number) for number in self._numbers]

    def rows(self, start: int, end: int) -> list[tuple[st.Contact, st.Bond]]:
        contacts, crowd, own = self._world.state.contacts, self._world.crowd, len(self._own)
        rows = [(contacts[bond.external_userid], bond) for bond in self._own[start:end]]
        for number in self._numbers[max(0, start - own) : max(0, end - own)]:
            assert crowd is not None
            tags = self._world.state.crowd_tags
            rows.append((crowd.contact(number), crowd.bond(number, self._userid, tags)))
        return rows
