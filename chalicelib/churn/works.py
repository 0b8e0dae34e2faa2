"""Later work of churn: results of sends arrive after the loss that they led to, so it is looked at again."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="churn_look",
        queue="churn",
        handler="chalicelib.churn.service:look_again",
        takes=("staff_id", "place"),
    )
]
