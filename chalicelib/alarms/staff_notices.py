"""What those who look after the stack hear: alarms, several at once."""

from chalicelib.notices.types import NoticeKind

NOTICES = [NoticeKind(kind="alarm", gather="chalicelib.alarms.words:gather")]
