"""A WeCom, a WeChat Pay and a mall that behave as documented, limits and faults too. See docs/sandbox.md."""

from infra.sandbox.config import Config
from infra.sandbox.sandbox import Sandbox

__all__ = ["Config", "Sandbox"]
