"""Who acted, by name: members of staff, and API keys."""

from collections.abc import Collection

from chalicelib.platform.auth import ApiKeyItem
from chalicelib.staff import service as staff


def names(ids: Collection[str]) -> dict[str, str]:
    """By id. Of a key that is not there any more, and of the system, there is none."""
    keys = {str(row.key_hash): str(row.name) for row in ApiKeyItem.batch_get([*ids])}
    return {**staff.names({*ids} - keys.keys()), **keys}
