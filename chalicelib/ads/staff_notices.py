"""What operators of campaigns hear: notices.py."""

from chalicelib.notices.types import NoticeKind

NOTICES = [NoticeKind(kind="ad")]
