"""What the makers of codes hear: that WeCom refuses a member of theirs, or that one is gone (refusals.py)."""

from chalicelib.notices.types import NoticeKind

NOTICES = [NoticeKind(kind="member_problem")]
