"""Work for live codes that is done later."""

from chalicelib.platform.works import Work

WORKS = [
    Work(
        kind="prepare",  # the contact ways of a change whose own messages were not sent
        queue="assign",
        handler="chalicelib.livecodes.service:prepare",
        takes=("live_code_id", "version"),
    ),
]
