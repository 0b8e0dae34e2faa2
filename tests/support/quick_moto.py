"""moto without the work that its answers don't need: half of this suite's time was that."""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

from moto import backend_index
from moto.core import responses
from moto.core.serialize import BaseJSONSerializer
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

# For each request moto tries the address of every service of AWS in turn, and it registers them all each time.
SERVICES = ("dynamodb", "sqs", "s3", "secretsmanager", "sts", "cloudwatch", "lambda")


def install() -> None:
    used = [pair for name in SERVICES for pair in backend_index.backend_url_patterns if pair[0] == name]
    backend_index.backend_url_patterns[:] = used
    responses.method_names_from_class = cache(responses.method_names_from_class)
    BaseJSONSerializer._serialize_type_structure = _of_keys_there(  # type: ignore[method-assign]
        BaseJSONSerializer._serialize_type_structure
    )
    Table.__deepcopy__ = _itself  # type: ignore[attr-defined]
    DynamoDBBackend.transact_write_items = _undoing(DynamoDBBackend.transact_write_items)  # type: ignore[method-assign]


def _of_keys_there(serialize: Callable[..., None]) -> Callable[..., None]:
    """For each attribute moto looks for all ten types that it might have, each by several spellings."""

    def _serialize_type_structure(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if shape.name != "AttributeValue":
            serialize(self, serialized, value, shape, key)
            return
        typed: dict[str, Any] = {}
        for kind, held in value.items():
            self._serialize(typed, held, shape.members[kind], kind)
        self._default_serialize(serialized, typed, shape, key)

    return _serialize_type_structure


def _itself(table: Table, memo: dict[int, Any]) -> Table:
    return table


def _undoing(transact: Callable[..., None]) -> Callable[..., None]:
    """To undo a transaction that fails, moto copies the whole table before, once for each action. The rows
    that the actions name are enough.
    """

    def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        before = []
        for action in transact_items:
            ((kind, values),) = action.items()
            if table := backend.tables.get(values["TableName"]):
                key = backend.get_keys_value(table, values["Item" if kind == "Put" else "Key"])
                before.append((table, key, copy.deepcopy(table.get_item(*key))))
        try:
            transact(backend, transact_items)
        except Exception:
            for table, key, row in before:
                _restore(table, key, row)
            raise

    return transact_write_items


def _restore(table: Table, key: Any, row: Any) -> None:
    hash_key, range_key = key
    if row is None:
        table.delete_item(hash_key, range_key)
    elif range_key:
        table.items[hash_key][range_key] = row
    else:
        table.items[hash_key] = row
