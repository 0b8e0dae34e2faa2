"""Any stored item that has a `staff_id`: its userid is moved to the folded one."""

from typing import Any

from chalicelib.renames import service


def order(item: Any) -> None:
    """Order it, unless it is folded, or no userid (`#…`)."""
    staff_id = str(item.staff_id)
    if not staff_id.startswith("#"):
        service.order_folding(staff_id)
