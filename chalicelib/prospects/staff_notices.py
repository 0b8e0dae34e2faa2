"""What a guide hears of prospects: that the day's list is there."""

from chalicelib.notices.types import NoticeKind

NOTICES = [NoticeKind(kind="prospect_list", after="chalicelib.prospects.list_notices:note_sent")]
