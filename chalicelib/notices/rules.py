"""How words to a guide are bundled, and when they may go: pure.

WeCom drops what is over 30 app messages a minute, or 1,000 an hour, to one member, and says nothing of it
(document 90454). So the app keeps its own count: `MOST` in any two minutes of the clock, which is under both.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

from chalicelib.platform.clock import SHANGHAI

WINDOW = timedelta(minutes=1)  # between a guide's bundles
MOST = 25  # messages to one guide in this minute and the one before
AT_ONCE = 5  # messages of one bundle that does not fit into one
TEXT_BYTES = 2048  # WeCom: of a text to staff
_NAMES_BYTES, _LONGEST_NAME = 1_500, 20  # of all names in one text; characters of one
BETWEEN = "\n\n"


class Part(Struct, frozen=True):
    """What is to be said of some notices: a text, or a card, which goes alone."""

    content: str | Mapping[str, Any]
    notice_ids: tuple[str, ...]


class Bundle(Struct, frozen=True):
    """One message to a guide. `message`: WeCom's, without its receiver."""

    message: Mapping[str, Any]
    notice_ids: tuple[str, ...]


def pack(parts: Iterable[Part], now: datetime) -> list[Bundle]:
    """As few messages as hold all parts, in their order; a text that is too long is cut.

    Each text ends with its time: WeCom drops an equal one for four hours, and two people may bear a name.
    """
    stamp = f"（{now.astimezone(SHANGHAI):%H:%M}）"
    bundles: list[Bundle] = []
    texts: list[Part] = []

    def close() -> None:
        if texts:
            content = BETWEEN.join(str(part.content) for part in texts) + stamp
            ids = tuple(notice_id for part in texts for notice_id in part.notice_ids)
            bundles.append(Bundle({"msgtype": "text", "text": {"content": content}}, ids))
            texts.clear()

    for part in parts:
        if not isinstance(part.content, str):
            close()
            bundles.append(Bundle(part.content, part.notice_ids))
            continue
        most = TEXT_BYTES - len(stamp.encode())
        part = Part(cut(part.content, most), part.notice_ids)
        if len(BETWEEN.join(str(p.content) for p in [*texts, part]).encode()) > most:
            close()
        texts.append(part)
    close()
    return bundles


def cut(text: str, most: int = TEXT_BYTES) -> str:
    """`text` in what WeCom takes, between characters."""
    return text.encode()[:most].decode(errors="ignore")


def names(known: Iterable[str], count: int) -> str:
    """The first names of `count` people, as many as fit into a text, as a guide reads them."""
    shown: list[str] = []
    left = _NAMES_BYTES
    for name in (name[:_LONGEST_NAME] for name in known if name):
        left -= len(f"{name}、".encode())
        if left < 0:
            break
        shown.append(name)
    whom = "、".join(shown)
    if len(shown) == count:
        return whom
    return f"{whom} 等 {count} 位客户" if shown else f"{count} 位客户"


def held_until(bundled_at: datetime | None, now: datetime) -> datetime | None:
    """Until when the next bundle waits; None: it may go."""
    if bundled_at is None or bundled_at + WINDOW <= now:
        return None
    return bundled_at + WINDOW


def counted(counts: Mapping[str, int], now: datetime) -> dict[str, int] | None:
    """The counts by minute with one message more; None when that would be over the limit."""
    recent = {minute: count for minute, count in counts.items() if minute >= _minute(now - WINDOW)}
    if sum(recent.values()) >= MOST:
        return None
    return {**recent, _minute(now): recent.get(_minute(now), 0) + 1}


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%d%H%M}"
