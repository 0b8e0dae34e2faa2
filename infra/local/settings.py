"""What the local stack is set up with: the contract's environment variables, else the sandbox's values."""

import json
import os
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.sandbox import Config

STACK = "millrace"
REGION = os.environ.get("AWS_DEFAULT_REGION", "cn-north-1")


@dataclass(frozen=True)
class Ports:
    public: int
    emulator: int
    sandbox: int


def port(env: Mapping[str, str]) -> int:
    """Where the stack is to listen. SystemExit for what is no port."""
    text = env.get("PORT") or "8000"
    if not (text.isascii() and text.isdecimal() and 0 < int(text) < 65536):
        raise SystemExit(f"PORT is {text!r}: a number from 1 to 65535 is needed")
    return int(text)


def choose_ports(public: int, data: Path) -> Ports:
    """Free ports; those of the last run if they are still free, since addresses with them are stored."""
    kept = data / "ports.json"
    known = json.loads(kept.read_text()) if kept.exists() else {}
    ports = Ports(public, *(free_port(known.get(name, 0)) for name in ("emulator", "sandbox")))
    kept.write_text(json.dumps({"emulator": ports.emulator, "sandbox": ports.sandbox}))
    return ports


def is_lan(env: Mapping[str, str]) -> bool:
    """Whether phones of the network are let in (LAN=1)."""
    return env.get("LAN", "") not in ("", "0")


def own_address(env: Mapping[str, str]) -> str:
    """Where browsers find this machine: its address in the network with LAN=1, else loopback."""
    if not is_lan(env):
        return "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing: it asks which of our addresses would be used
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def free_port(wanted: int = 0) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


def admin_key(data: Path, env: Mapping[str, str]) -> str:
    """The first admin's key: given, or made up once for this data."""
    kept = data / "admin-api-key"
    key = env.get("ADMIN_API_KEY") or (
        kept.read_text() if kept.exists() else "mr_" + secrets.token_urlsafe(24)
    )
    kept.touch(mode=0o600)
    kept.write_text(key)
    return key


def sandbox_config(public_url: str, data: Path, env: Mapping[str, str]) -> Config:
    """A sandbox of the corp, merchant and mall that the environment names, so that both sides agree."""
    given = {
        "corp_id": env.get("WECOM_CORP_ID"),
        "agent_id": int(env["WECOM_AGENT_ID"]) if env.get("WECOM_AGENT_ID") else None,
        "secret": env.get("WECOM_SECRET"),
        "contact_secret": env.get("WECOM_CONTACT_SECRET"),
        "callback_token": env.get("WECOM_CALLBACK_TOKEN"),
        "callback_aes_key": env.get("WECOM_CALLBACK_AES_KEY"),
        "mch_id": env.get("WECHATPAY_MCH_ID"),
        "app_id": env.get("WECHATPAY_APP_ID") or env.get("WECHAT_OA_APP_ID"),
        "oa_secret": env.get("WECHAT_OA_SECRET"),
        "cert_serial": env.get("WECHATPAY_CERT_SERIAL"),
        "apiv3_key": env.get("WECHATPAY_APIV3_KEY"),
        "merchant_private_key": file_in("WECHATPAY_PRIVATE_KEY_PATH", env),
        "public_key_id": env.get("WECHATPAY_PUBLIC_KEY_ID"),
        "mall_generic_secret": env.get("MALL_GENERIC_SECRET"),
    }
    config = Config(**{name: value for name, value in given.items() if value})  # type: ignore[arg-type]
    config.callback_url = f"{public_url}/wecom/callback"
    config.mall_order_url = f"{public_url}/mall/orders/generic"
    config.pay_notify_url = f"{public_url}/pay/wechat/notify"
    config.run_by_itself = False  # not before there is a door to post to
    config.media_path = str(data / "media") if env.get("DATA_DIR") else ""
    config.state_path = str(data / "state" / "sandbox.json") if env.get("DATA_DIR") else ""
    return config


def secret_groups(config: Config, env: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """What Secrets Manager holds: group → values."""
    wecom = {
        "secret": config.secret,
        "contact_secret": config.contact_secret,
        "callback_token": config.callback_token,
        "callback_aes_key": config.callback_aes_key,
    }
    wechatpay_notify = {
        "apiv3_key": config.apiv3_key,
        "oa_secret": config.oa_secret,
        "public_key": file_in("WECHATPAY_PUBLIC_KEY_PATH", env) or config.platform_public_key,
    }
    ads = {
        "baidu": json.dumps({"token": config.ads_baidu_token}),
        "tencent": json.dumps({"access_token": config.ads_tencent_token}),
        "generic": json.dumps({"secret": config.ads_generic_secret}),
    }
    mall = {"generic_secret": config.mall_generic_secret}
    return {
        "wecom": wecom,
        "wechatpay": {"private_key": config.merchant_private_key},
        "wechatpay_notify": wechatpay_notify,
        "mall": mall,
        "ads": ads,
    }


def parameters(public_url: str, sandbox_url: str, config: Config, env: Mapping[str, str]) -> dict[str, str]:
    """The template's parameters, but for where archives and secrets are. The addresses are loopback's;
    what a phone's browser opens is at the machine's own."""
    here = own_address(env)
    public_url = public_url.replace("127.0.0.1", here)
    return {
        "PublicBaseUrl": env.get("PUBLIC_BASE_URL") or public_url,
        "ScanNewPerAddress": env.get("SCAN_NEW_PER_ADDRESS") or "60",
        "ScanNewWindow": env.get("SCAN_NEW_WINDOW") or "PT10M",
        "WecomApiBase": env.get("WECOM_API_BASE") or sandbox_url,
        "WecomOauthBase": env.get("WECOM_OAUTH_BASE") or sandbox_url.replace("127.0.0.1", here),
        "WecomJssdk": env.get("WECOM_JSSDK") or f"{sandbox_url.replace('127.0.0.1', here)}/jssdk.js",
        "SidebarFrameAncestors": env.get("SIDEBAR_FRAME_ANCESTORS") or sandbox_url.replace("127.0.0.1", here),
        "WecomCorpId": config.corp_id,
        "WecomAgentId": str(config.agent_id),
        "WechatpayApiBase": env.get("WECHATPAY_API_BASE") or sandbox_url,
        "WechatpayMchId": config.mch_id,
        "WechatpayAppId": config.app_id,
        "WechatpayCertSerial": config.cert_serial,
        "WechatpayPublicKeyId": config.public_key_id,
        "AdsApiBase": f"{sandbox_url}/ads",
        "BrandName": env.get("BRAND_NAME") or "",
        "WelcomeReservedConcurrency": "0",  # a laptop runs fewer at once than the least that can be reserved
        "WechatpayTransferSceneId": env.get("WECHATPAY_TRANSFER_SCENE_ID") or "",
        "WechatpaySceneReports": env.get("WECHATPAY_SCENE_REPORTS") or "",
        "WechatOaAppId": env.get("WECHAT_OA_APP_ID") or config.app_id,
        "WechatApiBase": env.get("WECHAT_API_BASE") or sandbox_url,
    }


def file_in(name: str, env: Mapping[str, str]) -> str:
    return Path(env[name]).read_text() if env.get(name) else ""
