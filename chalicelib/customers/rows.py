"""A customer as a row of a list."""

from collections.abc import Callable, Collection

from chalicelib.customers.rules import Customer
from chalicelib.customers.types import CustomerRow, FollowOut
from chalicelib.platform import clock
from chalicelib.staff import service as staff


def showing(customers: Collection[Customer]) -> Callable[[Customer], CustomerRow]:
    """How any of these is shown: the names of their guides are asked for once."""
    names = staff.names({staff_id for customer in customers for staff_id in customer.follows})

    def row(customer: Customer) -> CustomerRow:
        return CustomerRow(
            external_userid=customer.external_userid,
            unionid=customer.unionid,
            name=customer.name,
            avatar=customer.avatar or None,
            channel=customer.channel,
            live_code_id=customer.live_code_id,
            follows=[
                FollowOut(
                    staff_id=staff_id,
                    staff_name=names.get(staff_id) or staff_id,
                    added_at=clock.iso(follow.added_at) if follow.added_at else None,
                    status=follow.status,  # type: ignore[arg-type]
                    remark=follow.remark,
                )
                for staff_id, follow in customer.follows.items()
            ],
            tags=list(customer.tags),
        )

    return row
