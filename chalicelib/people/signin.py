"""Signing in with an API key, and what guessing meets, also of those who sign in by WeCom.

An attempt is stored before the key is looked at and taken back when it was right, so that no number of
guesses at once gets past the limit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pynamodb.attributes import NumberAttribute, UnicodeAttribute

from chalicelib.platform import auth, clock, ids, settings
from chalicelib.platform.errors import Exhausted, Forbidden, Unauthorized
from chalicelib.platform.storage import Base, BaseMeta

LIMIT = 10
WINDOW = timedelta(minutes=10)


class SignInFailureItem(Base):
    """`who`: `address#…` (keys from it), `codes#…` (codes of WeCom) or `person#…`; `attempt` a ulid."""

    class Meta(BaseMeta):
        table_name = settings.table("sign_in_failures")

    who = UnicodeAttribute(hash_key=True)
    attempt = UnicodeAttribute(range_key=True)
    expires_at = NumberAttribute()


def by_key(key: str, address: str, device: str = "other/other") -> str:
    """Begin a session with an API key: the token for its cookie. Unauthorized, Exhausted."""
    key_hash = auth.hashed(key.strip())
    with counted(f"address#{address}"), counted(f"person#{key_hash}"):
        auth.principal_of_key(key.strip())
    return auth.begin_session("key", key_hash, device)


@contextmanager
def counted(who: str) -> Iterator[None]:
    """An attempt; it has failed where Unauthorized or Forbidden is raised. Exhausted."""
    attempt = _begin_attempt(who)
    try:
        yield
    except (Unauthorized, Forbidden):
        raise
    except BaseException:
        attempt.delete()
        raise
    attempt.delete()


def _begin_attempt(who: str) -> SignInFailureItem:
    """Count an attempt as failed until it is deleted. Exhausted after too many of them."""
    now = clock.now()
    expires_at = int((now + WINDOW).timestamp()) + 1
    attempt = SignInFailureItem(who, ids.ulid(now), expires_at=expires_at)
    attempt.save()
    since = SignInFailureItem.attempt > ids.ulid_floor(now - WINDOW)
    rows = list(SignInFailureItem.query(who, since, consistent_read=True, limit=LIMIT + 1))
    if len(rows) > LIMIT:
        attempt.delete()
        wait = int(rows[0].expires_at - now.timestamp())
        raise Exhausted(retry_after=max(1, wait), code="sign_in_failures")
    return attempt
