"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_plan": ("没有分销方案 {plan_id}", "there is no plan {plan_id}"),
    "no_distributor": ("没有分销员 {distributor_id}", "there is no distributor {distributor_id}"),
    "distributor_already": (
        "此人已经是该方案的分销员 {distributor_id}（{by} 相同）",
        "this person is a distributor of this plan already: {distributor_id} has the same {by}",
    ),
    "distributor_already_elsewhere": (
        "此人已经是该方案的分销员，但不在您的管理范围内（{by} 相同）",
        "this person is a distributor of this plan already, outside of your scope: the same {by}",
    ),
    "own_ancestor": ("不能成为自己的上级或下级", "would make this person their own ancestor"),
    "of_another_person": (
        "与客户 {external_userid} 的 unionid 不一致",
        "is not the unionid of the customer {external_userid}",
    ),
    "distributor_field": (
        "您的角色不能修改：{fields}",
        "your role may not change: {fields}",
    ),
    "plan_money": (
        "您的角色不能修改方案中与钱有关的内容：{fields}",
        "your role may not change what is money in a plan: {fields}",
    ),
    "tax_differs": ("与 tax（{tax}）不一致", "does not fit tax, which is {tax}"),
    "third_level": (
        "最多两级：三级及以上的计酬属于《禁止传销条例》第七条所禁止的传销，也违反微信的分销规则",
        "at most two levels: pay by a third level is pyramid selling under 《禁止传销条例》 (Article 7) "
        "and is banned by WeChat's rules on distribution",
    ),
    "rates_over_whole": (
        "各级佣金合计不能超过 {maximum}（即 100%）",
        "all levels together are at most {maximum}, the whole",
    ),
    # why an order is credited to whom
    "credit_none": ("订单没有带分享码，不归任何分销员", "the order carries no share code: it is nobody's"),
    "credit_share_code": (
        "订单带有这位分销员的分享码",
        "the order carries this distributor's share code",
    ),
    "credit_unknown_code": ("没有分销员使用这个分享码", "no distributor has this share code"),
    "credit_left": ("这位分销员当时已退出", "this distributor had left"),
    "credit_no_plan": ("分销员当时的方案已不存在", "the distributor's plan is gone"),
    "credit_own_purchase": (
        "买家就是分销员本人，该方案自购不计佣",
        "the buyer is this distributor, and own purchases earn nothing in this plan",
    ),
    "credit_parent": ("是这位分销员的上级", "is this distributor's parent"),
    "credit_one_level": ("方案只有一级佣金", "the plan has one level"),
    "credit_no_parent": ("这位分销员没有上级", "this distributor has no parent"),
    "credit_parent_left": ("上级当时已退出", "the parent had left"),
    "credit_parent_own_purchase": (
        "上级就是买家本人，或与这位分销员是同一个人",
        "the parent is the buyer, or the same person as this distributor",
    ),
    "credit_buyer_later": (
        "后来确认买家就是本人，佣金已冲回",
        "the buyer was found out later to be this person: taken back",
    ),
    "credit_nothing_in_plan": (
        "订单里没有方案计佣范围内的商品",
        "the order has none of the plan's products",
    ),
    "credit_parent_unknown": ("没有第二级佣金", "there is no second level"),
}
