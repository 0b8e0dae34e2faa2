"""Live codes as a principal sees them."""

from collections.abc import Iterable

from chalicelib.livecodes import scope, service
from chalicelib.livecodes.service import LiveCode
from chalicelib.platform.errors import NotFound
from chalicelib.platform.principal import Principal


def get_visible(live_code_id: str, principal: Principal) -> LiveCode:
    """NotFound, also for a code outside of the scope."""
    code = service.get(live_code_id)
    if not select_visible([code], principal):
        raise NotFound(f"there is no live code {live_code_id}")
    return code


def select_visible(codes: Iterable[LiveCode], principal: Principal) -> list[LiveCode]:
    kept_to = scope.of(principal)
    return [code for code in codes if kept_to is None or kept_to.sees(code.definition)]
