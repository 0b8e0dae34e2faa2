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
}
