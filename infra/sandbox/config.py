"""What a sandbox is set up with: the corp, its secrets, the pay merchant and how people in it behave.

Every behaviour field may be changed while the sandbox runs (`Sandbox.settings`, `POST /_sandbox/settings`).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chalicelib.platform import clock


def new_private_key() -> str:
    """A 2048-bit RSA private key, PKCS#8 PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@cache  # OpenSSL checks a private key when it loads it: 40 ms
def public_of(private_pem: str) -> str:
    """The public half (PEM) of a private key (PEM)."""
    key = serialization.load_pem_private_key(private_pem.encode(), None).public_key()
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


@dataclass
class Config:
    """Durations are seconds of the sandbox's clock; money is fen; a share is 0 … 1."""

    # The corp and its app
    corp_id: str = "ww5a6d0b0x0sandbox1"
    corp_name: str = "示例品牌"
    agent_id: int = 1000002
    secret: str = "sandbox-app-secret"
    contact_secret: str = ""  # empty: the app's own secret serves customer contact too
    callback_token: str = "SandboxToken"
    callback_aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE"
    callback_url: str = ""
    oauth_member: str = ""  # whose phone signs in at the OAuth page; empty: the page asks
    public_base_url: str = ""  # what QR codes point to; empty: where the sandbox listens

    # The pay merchant. Keys are PEM; absent ones are made at start.
    mch_id: str = "1900000109"
    app_id: str = "wx5a6d0b0sandbox01"  # the official account's, too
    oa_secret: str = "sandbox-oa-secret"
    oauth_openid: str = ""  # whose phone signs in at the official account; empty: the page asks
    cert_serial: str = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
    apiv3_key: str = "0123456789abcdef0123456789ABCDEF"
    merchant_private_key: str = ""
    merchant_public_key: str = ""
    platform_private_key: str = ""
    public_key_id: str = "PUB_KEY_ID_0119000001092026112200000000001"
    pay_notify_url: str = ""  # used for bills that name none

    # The mall
    mall_generic_secret: str = "sandbox-mall-secret"
    mall_order_url: str = ""

    # Ad platforms, at /ads/PLATFORM: what they take from an advertiser
    ads_baidu_token: str = "sandbox-baidu-token"
    ads_tencent_token: str = "sandbox-tencent-token"
    ads_generic_secret: str = "sandbox-generic-secret"

    # Where the world is kept between runs; empty: nowhere
    state_path: str = ""
    media_path: str = ""  # a folder for what is uploaded; empty: beside the state, or in memory without one
    now: Callable[[], datetime] = clock.now
    seed: int = 1
    run_by_itself: bool = True  # from its start on; without it the owner calls run or run_due

    # How WeCom and its people behave
    strict: bool = False  # unknown staff ids are refused instead of made; \uXXXX in bodies refused
    unionid_bound: bool = True
    confirm_after: float = 300
    never_confirm_share: float = 0.0
    late_confirm_share: float = 0.0
    late_confirm_after: float = 6 * 3600
    dispatch_seconds: float = 10  # 41063 for that long after add_msg_template
    mass_quota: str = "month"  # "month": days of the month; "week": 7 a week; "day": 1 a day
    contact_way_limit: int = 500_000
    acquisition_link_limit: int = 3_000  # undocumented: "too many" is known, its number is not
    acquisition_balance: int = 1_000  # adds by acquisition links that are paid for at the start
    moment_job_limit: int = 10  # undocumented as well: moments that are being made at once
    customers_per_member: int = 20_000  # a taker who has as many gets no more (transfers fail)
    tag_limit: int = 10_000
    group_lag: float = 0  # seconds that groupchat/get answers what was before a change
    rate_per_minute: int = 10_000
    rate_per_hour: int = 150_000
    concurrency: int = 64
    wrong_secret_ban_after: int = 20
    allowed_ips: list[str] = field(default_factory=list)  # empty: any; else 60020 for the others

    # Callbacks
    callback_retry_after: float = 2
    callback_repeat: int = 1  # every event is sent that often (chaos)
    callback_reorder: bool = False  # events wait and go out shuffled (chaos)
    callback_hold: float = 1  # how long they wait when reordering
    callback_delay: float = 0

    # WeChat Pay
    pay_mode: str = "confirm"  # "at_once", "confirm", "fail"
    pay_modes: dict[str, str] = field(default_factory=dict)  # by openid, before pay_mode
    pay_delay: float = 0  # at_once: 0 answers SUCCESS, more answers ACCEPTED first; fail: until FAIL
    pay_confirm_after: float | None = None  # seconds until the receiver taps; None: only when told to
    pay_balance_fen: int = 100_000_000_00
    pay_fail_reason: str = "ACCOUNT_FROZEN"
    pay_rate_per_second: int = 100

    def complete(self) -> "Config":
        """Make the keys that are absent."""
        if not self.merchant_public_key:
            self.merchant_private_key = self.merchant_private_key or new_private_key()
            self.merchant_public_key = public_of(self.merchant_private_key)
        self.platform_private_key = self.platform_private_key or new_private_key()
        return self

    @property
    def platform_public_key(self) -> str:
        """微信支付公钥 (PEM): what a merchant verifies answers and notices with."""
        return public_of(self.platform_private_key)


_FIXED = {"now", "state_path", "media_path", "run_by_itself", "merchant_private_key", "platform_private_key"}
CHANGEABLE = frozenset(f.name for f in fields(Config)) - _FIXED
_SECRET = ("secret", "key", "token")


def visible(config: Config) -> dict[str, Any]:
    """The settings that may be shown: no secrets, no keys."""
    names = sorted(n for n in CHANGEABLE if not any(word in n for word in _SECRET))
    return {name: getattr(config, name) for name in names}
