"""What is wrong with a connection, and what mends it, in Chinese and English. `<code>` and `cure_<code>`.

WeCom's numbers are of its table of global error codes (document 90313); WeChat's of its own pages.
"""

_WECOM_ADMIN = "企业微信管理后台"
_PROBLEMS: dict[str, tuple[str, str, str, str]] = {  # what is wrong (zh, en), what mends it (zh, en)
    "silent": (
        "没有应答",
        "no answer",
        "请稍后再测；持续如此时，检查函数能否访问外网（VPC 与 NAT 网关）",
        "test again shortly; if it stays so, see whether the functions reach the internet (VPC, NAT gateway)",
    ),
    "not_set": (
        "还没有填写所需的设置",
        "what it needs is not set yet",
        "补齐下面标为「未填写」的设置，再测试一次",
        "fill in what is marked as not set below, then test again",
    ),
    "wecom_40001": (
        "Secret 不正确",
        "the secret is wrong",
        f"到{_WECOM_ADMIN}「应用管理 › 自建应用」重新查看 Secret 并更新；反复用错误的 Secret 会被封禁一小时",
        "look it up on the app's page in WeCom's console and update it; wrong tries lead to a ban of an hour",
    ),
    "wecom_40013": (
        "企业 ID（CorpID）不正确",
        "the corp id is wrong",
        f"在{_WECOM_ADMIN}「我的企业」最下方核对企业 ID，更新 WECOM_CORP_ID",
        "compare WECOM_CORP_ID with the corp id at the foot of “My company” in WeCom's admin console",
    ),
    "wecom_40056": (
        "应用 ID（AgentID）不正确",
        "the agent id is wrong",
        f"在{_WECOM_ADMIN}该应用的页面核对 AgentId，更新 WECOM_AGENT_ID",
        "compare WECOM_AGENT_ID with the AgentId on the app's page",
    ),
    "wecom_40091": (
        "Secret 无效",
        "the secret is not valid",
        f"在{_WECOM_ADMIN}重新获取该应用的 Secret 并更新",
        "get the app's secret anew in WeCom's admin console and update it",
    ),
    "wecom_45009": (
        "调用次数已达企业微信上限",
        "WeCom's limit of calls is reached",
        "不用处理：到时间会自动恢复。经常出现时，请检查是否有其他系统在用同一个应用",
        "nothing to do: it passes by itself. If it comes often, see whether other systems use the same app",
    ),
    "wecom_48001": (
        "接口没有开通",
        "the API is not open to this corp",
        "在企业微信管理后台确认企业已验证，且已开通「客户联系」",
        "see that the corp is verified and has customer contact turned on",
    ),
    "wecom_48002": (
        "应用没有这项接口权限",
        "the app may not call this API",
        f"到{_WECOM_ADMIN}「客户与上下游 › 客户联系 › 可调用接口的应用」勾选本应用",
        "in WeCom's admin console, tick this app under Customer contact › Apps that may call the API",
    ),
    "wecom_48005": (
        "企业微信已停用这个接口",
        "WeCom has withdrawn this API",
        "请升级到新版本",
        "upgrade to a newer version",
    ),
    "wecom_48006": (
        "接口权限已被收回",
        "WeCom has taken the permission back",
        f"到{_WECOM_ADMIN}查看通知，按提示申诉或重新开通",
        "see the notices in WeCom's admin console and have it opened again",
    ),
    "wecom_48009": (
        "通讯录同步的 Secret 不能从新 IP 读取",
        "the contact-sync secret can't read from a new address",
        "请改用自建应用的 Secret，不要用「通讯录同步」的",
        "use the app's own secret instead of the one of contact sync",
    ),
    "wecom_50001": (
        "回调域名不在可信域名里",
        "the redirect domain is not trusted",
        f"到{_WECOM_ADMIN}应用页「网页授权及 JS-SDK」与「企业微信授权登录」里加上本系统的域名",
        "add this domain to the app's trusted domains and to its authorised login",
    ),
    "wecom_50003": (
        "应用已停用",
        "the app is turned off",
        f"到{_WECOM_ADMIN}该应用的页面启用它",
        "turn it on again on the app's page",
    ),
    "wecom_60020": (
        "服务器 IP 不在企业可信 IP 里",
        "the server's address is not among the trusted ones",
        f"到{_WECOM_ADMIN}应用页「企业可信 IP」加上固定出口 IP"
        "（部署时开启 FixedEgress，地址见数据栈的输出），约一分钟生效",
        "add the fixed address (FixedEgress: see the data stack's outputs) to the app's trusted addresses; "
        "it takes about a minute",
    ),
    "wecom_301002": (
        "这个 Secret 属于另一个应用",
        "the secret is of another app",
        "核对 AgentId 与 Secret 是否出自同一个应用",
        "see that agent id and secret are of the same app",
    ),
    # the callback
    "signature": (
        "签名不符",
        "the signature is not of this token",
        f"核对{_WECOM_ADMIN}应用「接收消息 › API 接收」里的 Token 与这里的是否一致；"
        "若只是偶尔出现，多半是外部扫描，不用处理",
        "compare the Token on the app's page with the one set here; now and then it is somebody scanning",
    ),
    "timestamp": (
        "时间相差超过 15 分钟",
        "the timestamp is more than 15 minutes off",
        "一般是旧请求被重放，不用处理；若全部如此，请检查服务器时钟",
        "mostly an old request that is sent again; if all are so, look at the clock",
    ),
    "receiver": (
        "解不开，或不是发给本企业的",
        "it does not open, or was sent to another corp",
        "核对 EncodingAESKey 与企业 ID 是否与应用页一致",
        "see that EncodingAESKey and corp id are those of the app's page",
    ),
    "form": (
        "不是企业微信的回调",
        "no callback of WeCom's",
        "不用处理：有人访问了这个地址。回调格式请保持 XML",
        "nothing to do: somebody called the address. Keep the callback's format XML",
    ),
    "callback_unreachable": (
        "从外网访问不到回调地址",
        "the callback's address can't be reached",
        "检查域名解析、证书与 PUBLIC_BASE_URL；企业微信必须能从公网访问这个地址",
        "look at the domain, its certificate and PUBLIC_BASE_URL: WeCom must reach the address from outside",
    ),
    "callback_refused": (
        "回调地址能访问，但用当前的 Token 与 EncodingAESKey 验证没有通过",
        "the callback answers, and refuses the token and key that are set",
        "刚改过设置时等五分钟再测；仍不通过时，核对 Token 和 EncodingAESKey（43 位）",
        "after a change wait five minutes; then compare Token and EncodingAESKey (43 characters)",
    ),
    "callback_never": (
        "还没有收到过企业微信的回调",
        "WeCom has never called",
        f"到{_WECOM_ADMIN}应用页「接收消息 › 设置 API 接收」填入下面的地址，勾选「外部联系人变更」并保存",
        "enter the address below on the app's page (receive messages) and tick external contact changes",
    ),
    # WeChat Pay
    "pay_NO_AUTH": (
        "商户号没有开通「商家转账」",
        "the merchant number may not make transfers",
        "到微信支付商户平台「产品中心」开通商家转账，并核对商户号与 AppID 的绑定",
        "turn the product on on the merchant platform, and see that merchant number and AppID are bound",
    ),
    "pay_SIGN_ERROR": (
        "商户签名错误",
        "the merchant's signature is wrong",
        "核对商户 API 证书序列号与私钥是否是同一份证书",
        "see that certificate serial and private key are of the same certificate",
    ),
    "pay_INVALID_REQUEST": (
        "请求被微信支付拒绝",
        "WeChat Pay refuses the request",
        "核对商户平台「API 安全」里的 IP 白名单与商户号",
        "look at the allowed addresses and the merchant number on the merchant platform",
    ),
    "pay_untrusted": (
        "没有应答，或应答的验签没有通过",
        "no answer, or one whose signature is not WeChat's",
        "核对微信支付公钥与公钥 ID（PUB_KEY_ID_ 开头），并确认能访问 api.mch.weixin.qq.com",
        "compare the public key and its id (PUB_KEY_ID_…), and see that api.mch.weixin.qq.com can be reached",
    ),
    "pay_refused": (
        "微信支付拒绝了请求",
        "WeChat Pay refuses the request",
        "到商户平台核对商户号、证书序列号与 IP 白名单",
        "look at merchant number, certificate serial and allowed addresses on the merchant platform",
    ),
    # the official account
    "oa_40013": (
        "公众号 AppID 不正确",
        "the official account's AppID is wrong",
        "在公众平台「设置与开发 › 基本配置」核对 AppID",
        "compare the AppID under the account's basic settings",
    ),
    "oa_40125": (
        "公众号 AppSecret 不正确",
        "the official account's secret is wrong",
        "在公众平台重置 AppSecret，并更新 oa_secret",
        "reset the AppSecret on the platform and update oa_secret",
    ),
    "oa_40164": (
        "服务器 IP 不在公众号 IP 白名单里",
        "the server's address is not among the account's allowed ones",
        "在公众平台「基本配置 › IP 白名单」加上固定出口 IP",
        "add the fixed address to the account's allowed addresses",
    ),
    "oa_refused": (
        "公众号拒绝了请求",
        "the official account refuses the request",
        "核对 AppID、AppSecret 与网页授权域名",
        "compare AppID, AppSecret and the web authorisation domain",
    ),
    # a mall
    "mall_unreachable": (
        "从外网访问不到收单地址",
        "the address for orders can't be reached",
        "检查域名解析、证书与 PUBLIC_BASE_URL",
        "look at the domain, its certificate and PUBLIC_BASE_URL",
    ),
    "mall_unsigned": (
        "收单地址没有在验签：密钥没有填写",
        "the address checks no signature: the secret is not set",
        "填写 MALL_GENERIC_SECRET，并告诉商城同一个密钥",
        "set MALL_GENERIC_SECRET and give the mall the same",
    ),
    "mall_signature": (
        "商城的签名不符",
        "the mall's signature is wrong",
        "核对商城那边的密钥；签名是「X-Timestamp + . + 原始正文」的 HMAC-SHA256，小写十六进制",
        "compare the secret; it signs with HMAC-SHA256 X-Timestamp, a dot and the raw body, in small hex",
    ),
    "mall_timestamp": (
        "商城的时间相差超过 5 分钟",
        "the mall's timestamp is more than five minutes off",
        "校准商城服务器的时钟；X-Timestamp 是 Unix 秒",
        "set the mall's clock; X-Timestamp is in Unix seconds",
    ),
}  # fmt: skip
OTHER = "other_error"

TEXTS: dict[str, tuple[str, str]] = {
    f"connection_{code}": (zh, en) for code, (zh, en, _, _) in _PROBLEMS.items()
}
TEXTS |= {f"cure_{code}": (zh, en) for code, (_, _, zh, en) in _PROBLEMS.items()}
TEXTS |= {
    f"connection_{OTHER}": ("被拒绝，错误码 {errcode}", "refused, error {errcode}"),
    f"cure_{OTHER}": (
        "在企业微信开发者文档的「全局错误码」里查这个错误码",
        "look the number up among WeCom's global error codes",
    ),
    "no_connection": ("没有这项接入：{connection}", "there is no connection {connection}"),
    "not_testable": ("请先补齐设置，再测试", "fill in its settings first"),
}
