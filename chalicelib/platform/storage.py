"""DynamoDB through PynamoDB: the base model, one transaction for many capabilities, cursors.

A `Transaction` is opened by the service that begins a use case and handed to the others; each
adds its items under a name; the one who opened it commits. PynamoDB sends the items as condition
checks, deletes, puts, updates whatever the order of the calls, so the names, not positions, tell
which condition failed.
"""

import base64
import json
import random
import time
import uuid
from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from botocore.exceptions import BotoCoreError
from pynamodb.connection import Connection
from pynamodb.connection.table import TableConnection
from pynamodb.exceptions import (
    DeleteError,
    DoesNotExist,
    PutError,
    PynamoDBException,
    QueryError,
    TransactWriteError,
    UpdateError,
)
from pynamodb.expressions.condition import Condition
from pynamodb.expressions.update import Action
from pynamodb.models import Model
from pynamodb.pagination import ResultIterator
from pynamodb.transactions import TransactWrite

from chalicelib.platform import messages, settings
from chalicelib.platform.errors import DomainError, Invalid, Upstream, issue

Item = TypeVar("Item", bound=Model)
Params = ParamSpec("Params")
Result = TypeVar("Result")
MAX_ACTIONS = 100  # DynamoDB: actions in one transaction
_ATTEMPTS = 8
_HASH_KEY, _RANGE_KEY = 2048, 1024  # DynamoDB: bytes of a key at most
# What a cancelled transaction may say of an item and that is worth trying again. A failed
# condition never is: somebody else has won, and the caller must look again.
_PASSING = {
    "TransactionConflict",
    "ThrottlingError",
    "ProvisionedThroughputExceeded",
    "TransactionInProgressException",
    "TransactionConflictException",
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "InternalServerError",
    "NoAnswer",
}
_LOST = {"NoAnswer", "InternalServerError"}  # after which the write may have been carried out


class ConditionFailed(DomainError):
    """A write's condition did not hold. `names`: which of the transaction's items."""

    status = 409
    title = "Conflict"

    def __init__(self, names: set[str]):
        self.names = names
        super().__init__("condition failed: " + ", ".join(sorted(names)))


class Busy(Upstream):
    """The store kept answering with a conflict or a throttle; the same call may succeed later."""

    def detail(self, language: messages.Language) -> str:
        """A text without a code is for the log of those who operate it; people read that it is busy."""
        if language == "zh" and not self.message_code:
            return messages.text("busy", language, {})
        return super().detail(language)


class Unsure(Busy):
    """A write's condition did not hold when it was sent again, since its first answer was lost.

    | we | the store | another |
    |---|---|---|
    | put, if it is not there | carried out; the answer is lost | |
    | the same put again | refused: it is there. It is ours | |

    | we | the store | another |
    |---|---|---|
    | put, if it is not there | never arrived | |
    | | carried out | the same put |
    | the same put again | refused: it is there. It is theirs | |

    The answer is the same in both, so it is neither True nor False. Whoever reads anew finds out which.
    """


class BaseMeta:
    """What every model's Meta shares: our region, and time-outs that fit a 29 s API call."""

    region = settings.region()
    billing_mode = "PAY_PER_REQUEST"
    connect_timeout_seconds = 1
    read_timeout_seconds = 3
    max_retry_attempts = 2
    max_pool_connections = 50


class Base(Model):
    """A stored aggregate: `class Meta(BaseMeta): table_name = settings.table("customers")`."""

    @classmethod
    def _get_connection(cls) -> TableConnection:
        # PynamoDB makes a botocore client for each model, 40 ms each; ours all share one.
        known = cls._connection
        table = super()._get_connection()
        if table is not known:
            shared = connection()
            if table.table_name not in shared._tables:
                shared.add_meta_table(table.connection._tables[table.table_name])
            table.connection = shared
        return table

    @classmethod
    def find(cls, hash_key: Any, range_key: Any = None, consistent: bool = True) -> Any | None:
        """The item, or None. A key that DynamoDB refuses, empty or too long, is no item's."""
        for key, longest in ((hash_key, _HASH_KEY), (range_key, _RANGE_KEY)):
            if isinstance(key, str) and not 0 < len(key.encode()) <= longest:
                return None
        try:
            return cls.get(hash_key, range_key, consistent_read=consistent)
        except DoesNotExist:
            return None


def put_once(item: Item, condition: Condition, is_ours: Callable[[Item], bool] | None = None) -> bool:
    """Put `item` if `condition` holds (usually: its key does not exist). False when it does not.

    is_ours: tells by the stored item, read anew, whether this very write was carried out; Unsure without it.
    """
    return _settle(item, lambda: item.save(condition=condition), is_ours)


def update_if(
    item: Item,
    actions: Sequence[Action],
    condition: Condition | None = None,
    is_ours: Callable[[Item], bool] | None = None,
) -> bool:
    """Update one item if `condition` holds; `item` then carries the new values. False when it does not.

    is_ours: as of `put_once`.
    """
    return _settle(item, lambda: item.update(actions=list(actions), condition=condition), is_ours)


def _settle(item: Item, write: Callable[[], Any], is_ours: Callable[[Item], bool] | None) -> bool:
    try:
        return _write_single(write)
    except Unsure:
        if is_ours is None:
            raise
    try:
        item.refresh(consistent_read=True)
    except DoesNotExist:
        return False
    return is_ours(item)


def delete_if(item: Model, condition: Condition | None = None) -> bool:
    return _write_single(lambda: item.delete(condition=condition))


def _write_single(write: Any) -> bool:
    lost = False
    for attempt in range(_ATTEMPTS):
        try:
            write()
            return True
        except (PutError, UpdateError, DeleteError) as error:
            code = _code(error)
            if code == "ConditionalCheckFailedException":
                if lost or _was_repeated(error):
                    raise Unsure(code="answer_lost") from error
                return False
            if code not in _PASSING:
                raise
            lost = lost or code in _LOST
        _wait(attempt)
    raise Busy(code="busy")


def retrying(
    busy: str, attempts: int = _ATTEMPTS
) -> Callable[[Callable[Params, Result]], Callable[Params, Result]]:
    """The optimistic loop, as a decorator: a function that reads, decides, and writes under a condition.

    It is called again, after a pause with jitter, while it raises ConditionFailed: somebody else was first,
    and it has to read anew. `Busy(busy)` after that many attempts.
    """

    def decorate(work: Callable[Params, Result]) -> Callable[Params, Result]:
        @wraps(work)
        def attempt_until_done(*args: Params.args, **kwargs: Params.kwargs) -> Result:
            for attempt in range(attempts):
                if attempt:
                    _wait(attempt)
                try:
                    return work(*args, **kwargs)
                except ConditionFailed:
                    continue
            raise Busy(busy)

        return attempt_until_done

    return decorate


class Transaction:
    """All its writes happen, or none. At most 100 items, each item once."""

    def __init__(self) -> None:
        self._puts: list[tuple[str, Model, Condition | None]] = []
        self._updates: list[tuple[str, Model, list[Action], Condition | None]] = []
        self._deletes: list[tuple[str, Model, Condition | None]] = []
        self._checks: list[tuple[str, Model, Condition]] = []
        self._token = uuid.uuid4().hex

    def put(self, name: str, item: Model, condition: Condition | None = None) -> None:
        self._puts.append((name, item, condition))

    def update(
        self,
        name: str,
        item: Model,
        actions: Sequence[Action],
        condition: Condition | None = None,
    ) -> None:
        self._updates.append((name, item, list(actions), condition))

    def delete(self, name: str, item: Model, condition: Condition | None = None) -> None:
        self._deletes.append((name, item, condition))

    def check(self, name: str, item: Model, condition: Condition) -> None:
        self._checks.append((name, item, condition))

    def __len__(self) -> int:
        return len(self._puts) + len(self._updates) + len(self._deletes) + len(self._checks)

    def commit(self) -> None:
        """Write. ConditionFailed (names the items), Busy after some seconds of conflicts or throttles.

        The same ClientRequestToken goes with every attempt, so an answer that was lost is not a
        second write. An empty transaction writes nothing.
        """
        if not len(self):
            return
        if len(self) > MAX_ACTIONS:
            raise Invalid(issue("items", "too_many_items", limit=MAX_ACTIONS, count=len(self)))
        for attempt in range(_ATTEMPTS):
            try:
                self._send()
                return
            except TransactWriteError as error:
                self._raise_unless_passing(error)
            except PynamoDBException as error:
                if _code(error) not in _PASSING:
                    raise
            _wait(attempt)
        raise Busy(code="busy")

    def _send(self) -> None:
        with TransactWrite(connection=connection(), client_request_token=self._token) as tx:
            for _, item, check in self._checks:
                hash_key, range_key = _key(item)
                tx.condition_check(type(item), hash_key, range_key, condition=check)
            for _, item, condition in self._deletes:
                tx.delete(item, condition=condition)
            for _, item, condition in self._puts:
                tx.save(item, condition=condition)
            for _, item, actions, condition in self._updates:
                tx.update(item, actions=list(actions), condition=condition)

    def _raise_unless_passing(self, error: TransactWriteError) -> None:
        """Raise what can't be tried again; return for what can."""
        names = [row[0] for rows in (self._checks, self._deletes, self._puts, self._updates) for row in rows]
        codes = [reason.code if reason else None for reason in error.cancellation_reasons]
        failed = {n for n, code in zip(names, codes, strict=False) if code == "ConditionalCheckFailed"}
        if failed:
            raise ConditionFailed(failed) from error
        reasons = {code for code in codes if code and code != "None"} or {_code(error)}
        if not reasons <= _PASSING:
            raise error


def _code(error: PynamoDBException) -> str:
    """DynamoDB's error code; `NoAnswer` when the connection was lost, and with it perhaps an answer.

    A write that is repeated after that finds its own condition broken (Unsure), or carries the same token.
    """
    if isinstance(error.cause, BotoCoreError):
        return "NoAnswer"
    response = getattr(error.cause, "response", None) or {}
    return str(response.get("Error", {}).get("Code", ""))


def _was_repeated(error: PynamoDBException) -> bool:
    """Whether botocore itself had sent the request before: what that came to, nobody knows."""
    botocores = error.cause.__cause__ if error.cause else None  # PynamoDB's own lacks the metadata
    response = getattr(botocores, "response", None) or {}
    return bool(response.get("ResponseMetadata", {}).get("RetryAttempts"))


class _Connection(Connection):
    @property
    def session(self) -> Any:
        return settings.session()


def connection() -> Connection:
    """The process's connection for transactions."""
    global _connection
    with settings.creating:
        if _connection is None:
            created = _Connection(
                region=BaseMeta.region,
                connect_timeout_seconds=BaseMeta.connect_timeout_seconds,
                read_timeout_seconds=BaseMeta.read_timeout_seconds,
                max_retry_attempts=BaseMeta.max_retry_attempts,
                max_pool_connections=BaseMeta.max_pool_connections,
            )
            _ = created.client  # created here, under the lock
            _connection = created
    return _connection


def disconnect() -> None:
    """Forget the connection and every model's (a test changes the engine)."""
    global _connection
    _connection = None
    kinds = list(Base.__subclasses__())
    while kinds:
        kind = kinds.pop()
        kind._connection = None
        kinds += kind.__subclasses__()


_connection: Connection | None = None


def _key(item: Model) -> tuple[Any, Any]:
    kind = type(item)
    hash_key = getattr(item, kind._dynamo_to_python_attr(kind._hash_keyname or ""))
    range_name = kind._range_keyname
    return hash_key, getattr(item, kind._dynamo_to_python_attr(range_name)) if range_name else None


def _wait(attempt: int) -> None:
    """Full jitter, 10 ms doubling to at most 640 ms (AWS blog, "Exponential Backoff And Jitter")."""
    time.sleep(random.uniform(0, 0.01 * 2 ** min(attempt, 6)))  # noqa: S311  # nosec B311 (not a secret)


def is_refused(error: QueryError) -> bool:
    """Whether DynamoDB refused the query for what it asks, such as an empty key."""
    return _code(error) == "ValidationException"


def page(query: Callable[..., ResultIterator[Item]], cursor: str | None) -> tuple[list[Item], str | None]:
    """One page of `query(last_evaluated_key=…)`, and the next cursor. Invalid for another list's cursor."""
    key = key_of(cursor)
    rows = query(last_evaluated_key=key)
    try:
        items = list(rows)
    except QueryError as error:
        if key is None or not is_refused(error):
            raise
        raise Invalid(issue("cursor", "cursor")) from error
    return items, cursor_of(rows.last_evaluated_key)


def cursor_of(last_key: dict[str, Any] | None) -> str | None:
    """A page's last key as an opaque text for `next_cursor`."""
    if not last_key:
        return None
    return base64.urlsafe_b64encode(json.dumps(last_key, separators=(",", ":")).encode()).decode().rstrip("=")


def key_of(cursor: str | None) -> dict[str, Any] | None:
    """The key in a cursor. Invalid for a text that is none of ours."""
    if not cursor:
        return None
    try:
        key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        key = None
    if not isinstance(key, dict) or not key or not all(_is_typed(v) for v in key.values()):
        raise Invalid(issue("cursor", "cursor"))
    return key


def _is_typed(value: Any) -> bool:
    """Whether it is an attribute value as DynamoDB writes a key: {"S": "…"} or {"N": "…"}."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and set(value) <= {"S", "N"}
        and all(isinstance(text, str) and text for text in value.values())
    )
