"""What a list's file has, in its order: what people read, as the list's screen has it. Its ids come last.

A list without an entry has all columns of its rows. `>` behind a field: the name of what the id stands for;
a dot: a field of a part, or of each part of a list.
"""

ORDERS: dict[str, str] = {  # by the path behind /api/
    "ad-campaigns": "name platform channel> live_code_id> staff_ids> active link.status closed"
    " attribution_window report.added report.bought url created_at updated_at",
    "assignments": "at status live_code_id> staff_name chat_name store_name customer_name text confirmed_at"
    " expires_at",
    "commissions": "order_id distributor_name level plan_name paid_fen base_fen rate_bps amount_fen status"
    " own_purchase created_at mature_at",
    "customers": "name follows.staff_name follows.remark follows.added_at follows.status channel>"
    " live_code_id> tags",
    "distributors": "name status level plan_name parent_name share_code balance.pending_fen"
    " balance.available_fen balance.in_payout_fen balance.paid_fen balance.debt_fen balance.tax_withheld_fen"
    " created_at share_url",
    "groups": "name owner> status people staff reserved live_code_ids> created_at changed_at seen_at",
    "imports": "started_at status parts.part parts.seen parts.new parts.changed unread.staff_name ended_at"
    " error",
    "live-codes": "name kind archived channel> tags assignment.strategy assignment.members.staff_id>"
    " assignment.fallback_staff_ids> groups.chat_ids> stores.store_ids> assignment.reserve_for printing"
    " schedule.from schedule.until url created_at updated_at",
    "orders": "order_id status ordered_at buyer_name store_name channel> paid_fen refunded_fen cancelled"
    " distributor_name share_code",
    "payouts": "payout_id distributor_name amount_fen status reason_text gross_fen debt_fen tax_fen scene_id"
    " offered_at expires_at created_at changed_at needs cure",
    "print-runs": "name status live_code_id> prefix count first_card last_card use sheet.page sheet.title"
    " created_at expires_at closed_at",
    "prospects": "name phone status staff_id> store_id> remark note asked_at added_at matched_by created_at"
    " changed_at",
    "sops": "name status audience trigger.event trigger.live_code_ids> trigger.tags stop_on quiet_hours.from"
    " quiet_hours.to timezone created_at",
    "channels/results": "channel> scans adds kept buyers orders gmv_fen cost_fen per_add_fen per_kept_fen"
    " per_buyer_fen",
    "metrics/funnel": "channel> scans adds kept buyers orders gmv_fen",
    "staff": "name status problem started_at daily_cap cap_today stores.name",
    "welcomes/missed": "at customer_name staff_name store_names cause live_code_id> status handled_by"
    " handled_at",
    "churn": "at customer_name staff_name store_names by after.type after.sop_name days channel> orders"
    " paid_fen last",
    "churn/rates": "name lost by_customer by_guide whole rate_bps",
    "tag-groups": "name tags.name order",
    "segments": "name kind count as_of created_at updated_at",
    "segments/{segment_id}/customers": "name follows.staff_name follows.remark follows.added_at"
    " follows.status channel> live_code_id> tags",
    "touches": "due_at at status sop_id> customer_name staff_name reason",
    "distribution/plans": "name levels.rate_bps scope.skus mature_after attribution_window minimum_payout_fen"
    " tax withhold_tax self_purchase settle_every created_at since",
    # As the import takes it.
    "stores": "store_id name city address latitude longitude datum staff_ids chat_ids hours.weekdays"
    " hours.from hours.to status created_at updated_at",
    "users": "name role scope_names.stores.name scope_names.departments.name status gone created_at",
    "api-keys": "name role scope_names.stores.name scope_names.departments.name status created_at expires_at",
}

# What an id stands for, by its field: the resolvers of `names.py` in the capabilities.
THINGS: dict[str, str] = {
    "alert_staff_ids": "staff",
    "channel": "channel",
    "chat_id": "group",
    "chat_ids": "group",
    "fallback_staff_ids": "staff",
    "live_code_id": "live_code",
    "live_code_ids": "live_code",
    "owner": "staff",
    "plan_id": "plan",
    "sop_id": "sop",
    "staff_id": "staff",
    "staff_ids": "staff",
    "store_id": "store",
    "store_ids": "store",
}
