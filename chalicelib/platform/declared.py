"""What capabilities declare in their own folders (`listeners.py`, `works.py`, …), found there by name.

These modules are light, and name their handlers as text, "module:function": the platform imports no
capability, the router and the ticker none of the handlers, and a consumer only its own.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

_CAPABILITIES = Path(__file__).resolve().parents[1]


def find(module: str, name: str) -> list[Any]:
    """The value `name` of each capability's `module`.py, in the order of the folders."""
    return [
        getattr(importlib.import_module(f"chalicelib.{path.parent.name}.{module}"), name)
        for path in sorted(_CAPABILITIES.glob(f"*/{module}.py"))
        if path.parent.name != "platform"
    ]


def resolve(handler: str) -> Callable[..., Any]:
    """The function of "module:function"."""
    module, _, function = handler.partition(":")
    return getattr(importlib.import_module(module), function)  # type: ignore[no-any-return]
