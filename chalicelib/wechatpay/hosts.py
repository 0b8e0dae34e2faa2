"""Where WeChat Pay is."""

HOST = "https://api.mch.weixin.qq.com"
_OWN = {HOST, "https://api2.mch.weixin.qq.com"}


def is_sandbox(base: str) -> bool:
    """Whether an API's base is elsewhere than at WeChat."""
    return bool(base) and base.rstrip("/") not in _OWN
