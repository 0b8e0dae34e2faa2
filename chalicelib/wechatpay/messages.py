"""What people read of WeChat Pay's reasons, in Chinese and English: see platform/messages.py.

A row's code is WeChat's own: of an error (refusals.py), or of a transfer that failed (fail_reason,
pay.weixin.qq.com, document 4013774966).
"""

TEXTS: dict[str, tuple[str, str]] = {
    "wechatpay_refused": ("微信支付拒绝了这笔转账：{reason}", "WeChat Pay refused the transfer: {reason}"),
    "wechatpay_unknown": (
        "微信支付没有给出确定的结果，正在核实 {reason}",
        "WeChat Pay gave no certain answer, it is being asked {reason}",
    ),
    # errors
    "FREQUENCY_LIMIT": ("请求过于频繁，稍后自动重发", "too many requests; it is sent again by itself"),
    "FREQUENCY_LIMITED": ("请求过于频繁，稍后自动重发", "too many requests; it is sent again by itself"),
    "FREQUENCY_LIMIT_EXCEED": ("请求过于频繁，稍后自动重发", "too many requests; it is sent again by itself"),
    "RATELIMIT_EXCEEDED": ("请求过于频繁，稍后自动重发", "too many requests; it is sent again by itself"),
    "NOT_ENOUGH": (
        "商户余额不足，请充值；充值后会用原单号自动重发",
        "the merchant's balance is short: top up, and the same number is sent again by itself",
    ),
    "NO_AUTH": (
        "商户号没有这项权限，请在商户平台核实商家转账产品",
        "the merchant number may not do this: look into the product's rights on the merchant platform",
    ),
    "SIGN_ERROR": (
        "签名错误，请核对商户私钥与证书序列号",
        "the signature is wrong: check the merchant's private key and certificate serial",
    ),
    "INVALID_REQUEST": (
        "请求被拒绝：请核实接口 IP、转账场景权限与转账额度",
        "refused: check the API's allowed addresses, the scene's rights and the limits of transfers",
    ),
    "SCENE_REPORTS": (
        "转账场景的报备信息不完整，请检查 WECHATPAY_SCENE_REPORTS",
        "the scene's fields are incomplete: check WECHATPAY_SCENE_REPORTS",
    ),
    "PARAM_ERROR": ("参数被微信支付拒绝", "WeChat Pay refused a parameter"),
    "SYSTEM_ERROR": ("微信支付系统繁忙，正在核实", "WeChat Pay is in trouble; it is being asked"),
    "INVALID": ("收款人资料不完整（满 2,000 元须有姓名）", "the receiver's name is needed from ¥2,000"),
    # why a transfer failed
    "OVERDUE_CLOSE": ("24 小时内未确认收款，已关闭", "not collected within 24 hours, closed"),
    "MCH_CANCEL": ("已在商户平台撤销", "taken back by the merchant"),
    "MERCHANT_REJECT": ("商户验密人已驳回", "rejected by the merchant's approver"),
    "MERCHANT_NOT_CONFIRM": ("商户验密人超时未验密", "the merchant's approver did not confirm in time"),
    "ACCOUNT_FROZEN": ("收款账户已冻结", "the receiver's account is frozen"),
    "ACCOUNT_NOT_EXIST": ("收款账户不存在", "the receiver has no account"),
    "REAL_NAME_CHECK_FAIL": ("收款人未完成微信实名认证", "the receiver is not real-named with WeChat Pay"),
    "NAME_NOT_CORRECT": ("收款人姓名与微信实名不符", "the name is not the receiver's real name"),
    "ID_CARD_NOT_CORRECT": ("收款人身份证校验不通过", "the receiver's identity card does not match"),
    "OPENID_INVALID": (
        "OpenID 错误，或不属于商户的 AppID",
        "the openid is wrong, or of another AppID than the merchant's",
    ),
    "TRANSFER_QUOTA_EXCEED": ("超过单笔收款额度", "over the limit of one transfer"),
    "DAY_RECEIVED_QUOTA_EXCEED": ("超过收款人单日收款额度", "over the receiver's limit of the day"),
    "DAY_RECEIVED_COUNT_EXCEED": ("超过收款人单日收款次数", "over the receiver's number of transfers a day"),
    "MONTH_RECEIVED_QUOTA_EXCEED": ("超过收款人单月收款额度", "over the receiver's limit of the month"),
    "BLOCK_B2C_USERLIMITAMOUNT_MONTH": (
        "收款账户存在风险，本月不能继续收款",
        "the receiver's account is limited for this month",
    ),
    "BLOCK_B2C_USERLIMITAMOUNT_BSRULE_MONTH": (
        "超过收款人单月收款限额",
        "over the receiver's limit of the month",
    ),
    "REALNAME_ACCOUNT_RECEIVED_QUOTA_EXCEED": (
        "收款账户受限，请收款人在微信支付中查看",
        "the receiver's account is limited: they see why in WeChat Pay",
    ),
    "PAYEE_ACCOUNT_ABNORMAL": (
        "收款账户异常，请收款人在微信支付完善身份信息",
        "the receiver's account is limited: they must complete their identity in WeChat Pay",
    ),
    "PAYER_ACCOUNT_ABNORMAL": (
        "商户账户付款受限，请在商户平台查看",
        "the merchant's account may not pay: see the merchant platform",
    ),
    "PRODUCT_AUTH_CHECK_FAIL": ("商家转账权限未开通或被冻结", "the product's rights are missing or frozen"),
    "RECEIVE_ACCOUNT_NOT_CONFIGURE": (
        "请在商户平台的转账场景中配置收款账户",
        "the scene's receiving account is not set up on the merchant platform",
    ),
    "TRANSFER_SCENE_UNAVAILABLE": ("转账场景不可用", "the transfer scene is not available"),
    "TRANSFER_SCENE_INVALID": ("转账场景无效", "the transfer scene is not valid"),
    "TRANSFER_RISK": ("该笔转账存在风险，已被拦截", "stopped as a risk"),
    "OTHER_FAIL_REASON_TYPE": (
        "收款未成功，多为收款人拒收，微信未说明具体原因",
        "not collected, mostly refused by the receiver; WeChat names no reason",
    ),
}
