"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_plan": ("没有分销方案 {plan_id}", "there is no plan {plan_id}"),
    "no_distributor": ("没有分销员 {distributor_id}", "there is no distributor {distributor_id}"),
    "distributor_already": ("此人已经是分销员", "this person is a distributor already"),
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
