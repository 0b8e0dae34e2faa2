"""A message's attachments in WeCom's own shape: `{"msgtype": "link", "link": {…}}` (document 92599)."""

from collections.abc import Mapping
from typing import Any

KINDS = ("image", "link", "miniprogram", "video", "file")
SHAPE = f"msgtype is one of {', '.join(KINDS)}, with its object"


def well_formed(attachment: Mapping[str, Any]) -> bool:
    """Whether it is of a kind that WeCom sends, and carries that kind's object."""
    kind = attachment.get("msgtype")
    return kind in KINDS and isinstance(attachment.get(str(kind)), dict)
