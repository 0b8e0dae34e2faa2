"""What people read of an error here, in Chinese and English: see platform/messages.py."""

TEXTS: dict[str, tuple[str, str]] = {
    "wechat_sign_in_over": ("微信登录已失效，请重新登录", "this sign-in is over: begin again"),
    "wechat_silent": ("微信没有应答", "WeChat does not answer"),
    "wechat_refused": ("微信拒绝了请求，错误码 {errcode}", "WeChat refused: errcode {errcode}"),
}
