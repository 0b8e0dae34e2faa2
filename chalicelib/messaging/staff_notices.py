"""What a guide hears of welcomes: see guide_notices.py."""

from chalicelib.notices.types import NoticeKind

_HERE = "chalicelib.messaging.guide_notices"

NOTICES = [
    NoticeKind(kind="greet", gather=f"{_HERE}:greeting", after=f"{_HERE}:note_greeting"),
    NoticeKind(kind="gift"),
]
