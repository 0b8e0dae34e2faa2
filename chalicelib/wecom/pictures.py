"""Pictures that WeCom shows by address: the QR code of a contact way. Fetched from WeCom's hosts only."""

import re
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from chalicelib.platform.errors import Upstream

MAX_BYTES = 1_048_576
_HOSTS = re.compile(r"(?:[a-z0-9-]+\.)+(?:qpic\.cn|weixin\.qq\.com)")
_KINDS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")  # PNG, JPEG
_TIMEOUT = urllib3.Timeout(connect=2, read=5, total=8)  # seconds
_pool = urllib3.PoolManager(maxsize=4)


def fetch(url: str, base: str) -> bytes:
    """A PNG or JPEG of at most 1 MiB. Upstream for an address that is not WeCom's, or no such picture.

    base: WeCom's own, as configured; what begins with its scheme, host and port is WeCom's too.
    """
    if not is_wecoms(url, base):
        raise Upstream(code="no_wecom_picture")
    try:
        with _pool.request(
            "GET", url, timeout=_TIMEOUT, retries=False, redirect=False, preload_content=False
        ) as response:
            picture = response.read(MAX_BYTES + 1) if response.status == 200 else b""
    except HTTPError as error:
        raise Upstream(code="no_wecom_picture") from error
    if len(picture) > MAX_BYTES or not picture.startswith(_KINDS):
        raise Upstream(code="no_wecom_picture")
    return picture


def is_wecoms(url: str, base: str) -> bool:
    """Whether we may ask there: https on a host of WeCom's, or the very place of its API."""
    try:
        parts, own = urlsplit(url), urlsplit(base)
        port, own_port = parts.port, own.port
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None or not parts.hostname:
        return False
    if (parts.scheme, parts.hostname, port) == (own.scheme, own.hostname, own_port):
        return parts.scheme in ("http", "https")
    return parts.scheme == "https" and port in (None, 443) and bool(_HOSTS.fullmatch(parts.hostname))
