"""Work for welcomes: a gift that the guide brings, since the welcome may not have."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="gift",
        queue="push",
        handler="chalicelib.messaging.gifts:bring",
        takes=("pool_id", "external_userid", "staff_id", "at"),
        order="external_userid",
    ),
]
