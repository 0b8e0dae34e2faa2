"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "no_active_live_code": ("活码不存在或已归档", "there is no such live code, or it is archived"),
    "ad_credentials": (
        "请填写密钥组 ads 中的名称，其中需有：{fields}",
        "must name what the secret `ads` has with: {fields}",
    ),
    "ad_event_baidu": ("应为转化类型的数字（newType）", "must be a conversion type's number (newType)"),
    "ad_event_oceanengine": (
        "应为 event_type，例如 form 或 active_pay",
        "must be an event_type, e.g. form or active_pay",
    ),
    "ad_event_tencent": (
        "应为 action_type，例如 SCANCODE 或 PURCHASE",
        "must be an action_type, e.g. SCANCODE or PURCHASE",
    ),
    "ad_event_generic": ("最多 64 个字符，不含空格", "must have at most 64 characters and no space"),
    "https_url": ("应为 https 网址", "must be an https URL"),
    "url_with_user": ("网址中不能有用户名", "must be without a user name"),
    "url_port": ("只能使用 443 端口", "must be on port 443"),
    "url_address": ("应为域名，而不是 IP 地址", "must be a name, not an address"),
    "url_not_public": ("应为公网域名", "must be a public name"),
    "no_ad_page": ("没有这个页面", "there is no such page"),
    "ad_campaign_of_others": (
        "这个投放还把客户分给您管理范围之外的导购，不能修改",
        "this campaign gives customers to guides outside of your scope as well: you can't change it",
    ),
    "no_ad_campaign": ("没有这个投放：{ad_campaign_id}", "there is no ad campaign {ad_campaign_id}"),
    "ad_campaign_archived": ("投放已归档，不能再修改", "an archived ad campaign can't be changed"),
    "no_ad_conversion": ("没有这个转化：{conversion_id}", "there is no ad conversion {conversion_id}"),
    "ad_conversion_not_retriable": (
        "状态为 {status} 的转化不能重新上报",
        "a conversion that is {status} can't be reported again",
    ),
    "ad_conversion_not_in_doubt": (
        "状态为 {status} 的转化无需确认",
        "a conversion that is {status} is not in doubt",
    ),
}
