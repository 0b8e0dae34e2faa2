"""What a guide and a manager hear of losses, several at once."""

from chalicelib.notices.types import NoticeKind

NOTICES = [
    NoticeKind(kind="customer_lost", gather="chalicelib.churn.words:to_guide"),
    NoticeKind(kind="customer_lost_of_guide", gather="chalicelib.churn.words:to_manager"),
]
