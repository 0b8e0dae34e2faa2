"""Work for commissions: they mature."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="mature",
        queue="settle",
        handler="chalicelib.distribution.service:mature",
        takes=("order_id",),
        order="order_id",
    ),
]
