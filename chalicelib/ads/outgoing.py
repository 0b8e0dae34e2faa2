"""One HTTPS request to an ad platform, or to an address that an operator gave us.

An operator's address must be public: its name is resolved here, every address of it checked, and the
connection made to the very address that was checked, so that a name can't change its mind in between.
Redirects are answers. Nothing of a URL, a header or a body goes into an error or a log.
"""

import ipaddress
import logging
import socket
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from chalicelib.ads.adapters.wire import Request
from chalicelib.platform import settings

CONNECT, READ = 3.0, 8.0  # seconds
_MOST = 65_536  # bytes of an answer
_pool = urllib3.PoolManager(maxsize=4)

# At DEBUG urllib3 writes whole URLs.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


class NotSent(Exception):
    """It never left: nothing happened there."""


class Refused(Exception):
    """Not an address that we call."""


class Lost(Exception):
    """It left, and no answer came: it may have been carried out."""


def sandbox_base() -> str:
    """Where all platforms are, instead of their own hosts; empty: at their own hosts."""
    return settings.env("ADS_API_BASE", "").rstrip("/")


def address_problem(url: str) -> str | None:
    """The code of what is wrong with an operator's address, as far as it says itself; None for nothing."""
    base = sandbox_base()
    if base and url.startswith(base + "/"):
        return None
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "https_url"
    host = parts.hostname or ""
    if parts.scheme != "https" or not host or not url.isascii() or not url.isprintable() or " " in url:
        return "https_url"
    if parts.username is not None or parts.password is not None:
        return "url_with_user"
    if port not in (None, 443):
        return "url_port"
    if _is_address(host):
        return "url_address"
    return None if "." in host.strip(".") and not host.endswith((".local", ".internal")) else "url_not_public"


def send(request: Request, guarded: bool) -> tuple[int, bytes]:
    """(status, the answer's first 64 KiB). NotSent, Lost, Refused. guarded: an operator's address."""
    base = sandbox_base()
    if not guarded or (base and request.url.startswith(base + "/")):
        return _exchange(_pool, request, request.url)
    if problem := address_problem(request.url):
        raise Refused(problem)
    parts = urlsplit(request.url)
    host = parts.hostname or ""
    pool = urllib3.HTTPSConnectionPool(
        public_address(host), 443, maxsize=1, server_hostname=host, assert_hostname=host
    )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        return _exchange(pool, request, path, {"Host": host})
    finally:
        pool.close()


def public_address(host: str) -> str:
    """One of the name's addresses. Refused unless every one of them is public; NotSent when it has none."""
    try:
        answers = socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise NotSent("no such name") from error
    addresses = list(dict.fromkeys(str(row[4][0]) for row in answers))
    if not addresses:
        raise NotSent("no such name")
    if not all(is_public(address) for address in addresses):
        raise Refused("not a public address")
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether it is nobody's own network, also when written as IPv6 (mapped, 6to4, NAT64)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour
        if inner is None and ip in ipaddress.IPv6Network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _exchange(
    pool: "urllib3.PoolManager | urllib3.HTTPSConnectionPool",
    request: Request,
    url: str,
    more: dict[str, str] | None = None,
) -> tuple[int, bytes]:
    try:
        response = pool.request(
            request.method,
            url,
            body=request.body,
            headers={**request.headers, **(more or {})},
            timeout=urllib3.Timeout(connect=CONNECT, read=READ),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        body = response.read(_MOST, decode_content=False)
        if len(body) == _MOST:
            response.close()  # what is left unread must not become the next answer
        response.release_conn()
        return int(response.status), body
    except (NewConnectionError, ConnectTimeoutError):
        raise NotSent("no connection") from None
    except HTTPError:
        raise Lost("no answer") from None


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
