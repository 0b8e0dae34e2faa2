"""A crowd: as many customers as a big corp has, that take no room until somebody deals with one of them.

Each is made from its number whenever it is shown. Whoever is asked for alone, edited or deleted becomes a
person of the world like any other (`World.settle_in`), and is then no more of the crowd.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from infra.sandbox import state as st

TAGS = {"等级": ["普通", "银卡", "金卡", "VIP"], "渠道": ["门店", "包裹卡", "直播", "视频号"]}
MEMBERS = 50  # of a group
_SECOND = 10  # of so many customers one has two guides
_DAY = 86_400
_ID = re.compile(r"wmcrowd(\d{25})")
_NAMES = ("小王", "阿明", "暖暖", "豆豆妈", "海边的风", "糖糖", "老赵", "云朵", "小鹿", "Momo")


class Crowd:
    """`customers` many, of `guides` many; `left`: the numbers of those who are no more of it."""

    def __init__(self, customers: int, guides: int, at: int, left: Iterable[int]) -> None:
        self.customers, self.guides, self._at = customers, guides, at
        self.left = set(left)
        self._numbers = lru_cache(256)(self._numbers_of)

    @staticmethod
    def userid(guide: int) -> str:
        return f"crowd{guide:05d}"

    @staticmethod
    def external_userid(number: int) -> str:
        return f"wmcrowd{number:025d}"

    def number_of(self, external_userid: str) -> int | None:
        """None for who is not of the crowd, or not any more."""
        found = _ID.fullmatch(external_userid)
        number = int(found[1]) if found else self.customers
        return number if number < self.customers and number not in self.left else None

    def leave(self, number: int) -> None:
        self.left.add(number)
        self._numbers.cache_clear()

    def guide_of(self, userid: str) -> int | None:
        name = userid.lower()
        if not re.fullmatch(r"crowd\d{5}", name) or int(name[5:]) >= self.guides:
            return None
        return int(name[5:])

    def numbers(self, userid: str) -> Sequence[int]:
        """Of this guide's customers."""
        guide = self.guide_of(userid)
        return () if guide is None else self._numbers(guide)

    def _numbers_of(self, guide: int) -> tuple[int, ...]:
        mine: Iterable[int] = range(guide, self.customers, self.guides)
        if self.guides > 1:
            before = range((guide - 1) % self.guides, self.customers, self.guides)
            mine = [*mine, *(number for number in before if number % _SECOND == 0)]
        return tuple(number for number in mine if number not in self.left)

    def contact(self, number: int) -> st.Contact:
        who = self.external_userid(number)
        unionid = "o" + hashlib.sha256(who.encode()).hexdigest()[:27]
        name = f"{_NAMES[number % len(_NAMES)]}{number}"
        return st.Contact(who, name, unionid, f"https://wx.qlogo.cn/mmhead/{unionid}/0", 1, number % 3)

    def bond(self, number: int, userid: str, tag_ids: Sequence[str]) -> st.Bond:
        """With a tag for who has an even number; some by a video channel, or by an acquisition link."""
        at = self._at - _DAY - (number * 7919) % (900 * _DAY)
        return st.Bond(
            userid,
            self.external_userid(number),
            at,
            changed_at=at,
            add_way={3: 10, 7: 16}.get(number % 20, 1),
            remark=f"{_NAMES[number % len(_NAMES)]}-{number % 1000}" if number % 3 == 0 else "",
            oper_userid=self.external_userid(number),
            tag_ids=[tag_ids[number % len(tag_ids)]] if tag_ids and number % 2 == 0 else [],
        )

    def userids(self, number: int) -> list[str]:
        """Of this customer's guides."""
        first = number % self.guides
        has_second = number % _SECOND == 0 and self.guides > 1
        return [self.userid(first), *([self.userid((first + 1) % self.guides)] if has_second else [])]
