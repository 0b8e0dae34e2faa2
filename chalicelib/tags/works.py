"""Work for tags: to be set at WeCom."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="tag",
        queue="push",
        handler="chalicelib.tags.service:apply",
        takes=("staff_id", "external_userid", "add", "remove"),
        order="external_userid",
    ),
    Work(
        kind="tag_change",
        queue="push",
        handler="chalicelib.tags.change_work:write_tags",
        takes=("external_userid", "on", "off", "add", "remove"),
        order="external_userid",
    ),
]
