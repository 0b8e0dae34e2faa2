"""Stores as tests write them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.platform.principal import SYSTEM
from chalicelib.stores import imports, service
from chalicelib.stores.queries import ImportQuery
from chalicelib.stores.types import Imported, NewStore, StoreOut


def create_store(fields: Mapping[str, Any]) -> StoreOut:
    return service.create(msgspec.convert(fields, NewStore), SYSTEM)


def change_store(store_id: str, changes: Mapping[str, Any]) -> StoreOut:
    return service.change(store_id, changes, SYSTEM)


def remove_store(store_id: str) -> None:
    service.remove(store_id, SYSTEM)


def import_table(text: str) -> Imported:
    return imports.import_file(text.encode(), ImportQuery(), SYSTEM, "en")
