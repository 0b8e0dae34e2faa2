"""What a welcome leaves to do: a guide who greets by hand, and one who brings the gift."""

from chalicelib.platform.works import Work

_NOTICES = "chalicelib.messaging.guide_notices"

WORKS = [
    Work(
        kind="greet",
        queue="notify",
        handler=f"{_NOTICES}:ask_to_greet",
        takes=("key", "external_userid", "staff_id", "at"),
        order="staff_id",
    ),
    Work(
        kind="gift",
        queue="push",
        handler=f"{_NOTICES}:bring_gift",
        takes=("pool_id", "external_userid", "staff_id", "at"),
        order="external_userid",
    ),
]
