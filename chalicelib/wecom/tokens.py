"""Access tokens in DynamoDB: one item for each app of the corp, shared by every function."""

from datetime import UTC, datetime

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.expressions.condition import Condition

from chalicelib.platform import clock, settings
from chalicelib.platform.storage import Base, BaseMeta, update_if
from chalicelib.wecom.access import Token


class AccessToken(Base):
    """`key`: `corp#agent`. Times are epoch seconds. An item may hold a lock and no token yet."""

    class Meta(BaseMeta):
        table_name = settings.table("access_tokens")

    key = UnicodeAttribute(hash_key=True)
    token = UnicodeAttribute(null=True)
    refresh_at = NumberAttribute(null=True)
    expires_at = NumberAttribute(null=True)
    ver = NumberAttribute(null=True)
    lock_until = NumberAttribute(null=True)


class DynamoTokens:
    """A `TokenStore`."""

    def __init__(self, corp_id: str, agent_id: str):
        self._key = f"{corp_id}#{agent_id}"

    def get(self) -> Token | None:
        """The stored token, read consistently."""
        item = AccessToken.find(self._key)
        if item is None or item.token is None:
            return None
        return Token(item.token, _time(item.refresh_at), _time(item.expires_at), int(item.ver))

    def try_lock(self, version: int, until: datetime) -> bool:
        free = AccessToken.lock_until.does_not_exist() | (AccessToken.lock_until < clock.now().timestamp())
        actions = [AccessToken.lock_until.set(until.timestamp())]
        mine = until.timestamp()
        return update_if(
            AccessToken(self._key), actions, self._at(version) & free, lambda item: item.lock_until == mine
        )

    def unlock(self, until: datetime) -> None:
        ours = AccessToken.lock_until == until.timestamp()
        update_if(AccessToken(self._key), [AccessToken.lock_until.remove()], ours, lambda item: True)

    def put(self, token: Token) -> bool:
        actions = [
            AccessToken.token.set(token.value),
            AccessToken.refresh_at.set(token.refresh_at.timestamp()),
            AccessToken.expires_at.set(token.expires_at.timestamp()),
            AccessToken.ver.set(token.version),
            AccessToken.lock_until.remove(),
        ]
        before = self._at(token.version - 1)
        return update_if(AccessToken(self._key), actions, before, lambda item: item.token == token.value)

    @staticmethod
    def _at(version: int) -> Condition:
        return AccessToken.ver == version if version else AccessToken.ver.does_not_exist()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
