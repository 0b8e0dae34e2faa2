"""What an owner of groups hears: what there is to do by hand."""

from chalicelib.notices.types import NoticeKind

NOTICES = [NoticeKind(kind="group_task", after="chalicelib.groups.tasks:note_asked")]
