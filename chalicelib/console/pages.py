"""The console's files and their headers. They are built from layers/console and lie in a layer of `api`.

Every address under /console that is no file is the one page, which finds its screen itself. It names its
files by their hash: they are kept for ever, the page is asked for anew each time.
"""

import gzip
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from chalicelib.platform import messages, settings
from chalicelib.platform.errors import NotFound
from chalicelib.platform.http import Answer

LAYER = "console_files"  # a package without code: a layer is found as one, wherever it lies
TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
PICTURES = "https://*.qpic.cn https://*.qlogo.cn"  # WeCom's, of people and of media


def page(headers: Mapping[str, str]) -> Answer:
    """The page, in the language of the browser; the console changes it to the one that was chosen."""
    language = messages.language(headers.get("accept-language"))
    try:
        html = _read(_folder() / f"index.{language}.html").decode()
    except FileNotFoundError as error:
        raise NotFound(code="no_path") from error
    under = base_path()
    if under != "/":
        html = html.replace('"/console/', f'"{under}console/')
    return Answer(html, headers=page_headers())


def asset(name: str, headers: Mapping[str, str]) -> Answer:
    """A file by its hashed name. NotFound: of another version, or never one."""
    kind = TYPES.get(Path(name).suffix)
    if kind is None or "/" in name or "\\" in name:
        raise NotFound(code="no_path")
    taken = {word.partition(";")[0].strip() for word in (headers.get("accept-encoding") or "").split(",")}
    encoding, suffix = ("br", "br") if "br" in taken else ("gzip", "gz")
    try:
        packed = _read(_folder() / "assets" / f"{name}.{suffix}")
    except FileNotFoundError as error:
        raise NotFound(code="no_path") from error
    fixed = asset_headers(kind)
    if encoding not in taken:
        return Answer(gzip.decompress(packed).decode(), headers=fixed)
    return Answer(packed, headers={**fixed, "Content-Encoding": encoding})


def page_headers() -> dict[str, str]:
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy(),
        "Cache-Control": "no-cache",
        "Vary": "Accept-Language",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
        "Cross-Origin-Opener-Policy": "same-origin",
    }


def asset_headers(kind: str) -> dict[str, str]:
    return {
        "Content-Type": kind,
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }


def policy() -> str:
    bucket = " ".join(bucket_origins())
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src 'self' data: {bucket} {PICTURES}".replace("  ", " "),
            f"connect-src 'self' {bucket}".rstrip(),
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


def bucket_origins() -> list[str]:
    """Where a browser sends files and fetches them: the hosts of signed links. None without a bucket."""
    bucket = os.environ.get("FILES_BUCKET", "")
    if not bucket:
        return []
    elsewhere = urlsplit(os.environ.get("AWS_ENDPOINT_URL", ""))
    if elsewhere.netloc:
        return [f"{elsewhere.scheme}://{elsewhere.netloc}"]
    region = settings.region()
    if region.startswith("cn-"):
        return [f"https://{bucket}.s3.{region}.amazonaws.com.cn"]
    return [f"https://{bucket}.s3.{region}.amazonaws.com", f"https://{bucket}.s3.amazonaws.com"]


def base_path() -> str:
    """What of PUBLIC_BASE_URL stands before /console: "/", or a stage's "/prod/"."""
    return urlsplit(os.environ.get("PUBLIC_BASE_URL", "")).path.rstrip("/") + "/"


@cache
def _folder() -> Path:
    """NotFound where the layer is not, as in tests of the doors."""
    spec = find_spec(LAYER)
    for place in (spec and spec.submodule_search_locations) or ():
        return Path(place)
    raise NotFound(code="no_path")


@lru_cache(64)
def _read(path: Path) -> bytes:
    return path.read_bytes()
