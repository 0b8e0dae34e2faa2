"""Work for customers: WeCom is told of a remark."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="remark",
        queue="push",
        handler="chalicelib.customers.remark_work:write_remark",
        takes=("external_userid", "staff_id"),
        order="external_userid",
    ),
]
