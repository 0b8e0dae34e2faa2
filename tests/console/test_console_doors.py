"""The console's doors: one page at every address, files by their hash, a policy that lets nothing else in."""

import base64
import gzip
from pathlib import Path

import brotli
import pytest

from app import app
from chalicelib.console import pages

SCRIPT = "export const a = '活码';"
HTML = '<script src="/console/assets/first-1.js"></script>'
PERSON = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8", "accept-encoding": "gzip, deflate, br"}


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A layer of one script and the page in two languages."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "first-1.js.gz").write_bytes(gzip.compress(SCRIPT.encode()))
    (tmp_path / "assets" / "first-1.js.br").write_bytes(brotli.compress(SCRIPT.encode()))
    for language in ("zh", "en"):
        (tmp_path / f"index.{language}.html").write_text(f"{language} {HTML}")
    monkeypatch.setattr(pages, "_folder", lambda: tmp_path)
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://scrm.example.com")
    pages._read.cache_clear()


class Answer:
    """What API Gateway would send, of a request that came through a `{proxy+}` root."""

    def __init__(self, path: str, headers: dict[str, str]):
        event = {
            "path": path,
            "pathParameters": {"proxy": path.lstrip("/")},
            "requestContext": {
                "httpMethod": "GET",
                "resourcePath": "/{proxy+}",
                "path": path,
                "identity": {"sourceIp": "192.0.2.1"},
            },
            "headers": headers,
            "multiValueQueryStringParameters": None,
            "stageVariables": None,
            "body": None,
        }
        told = app(event, None)
        self.status, self.headers = told["statusCode"], told["headers"]
        self.body = base64.b64decode(told["body"]) if told.get("isBase64Encoded") else told["body"].encode()


def get(path: str, **headers: str) -> Answer:
    return Answer(path, {**PERSON, **headers})


@pytest.mark.parametrize(
    "path", ["/console", "/console/live-codes", "/console/live-codes/lc_1/edit", "/console/"]
)
def test_every_address_is_the_page(path: str) -> None:
    answer = get(path, **{"accept-language": "en-GB"})
    assert (answer.status, answer.body.decode()) == (200, f"en {HTML}")
    assert answer.headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    ("path", "accept", "status"),
    [
        ("/console/favicon.ico", "*/*", 404),
        ("/console/assets/first-2.js", "*/*", 404),
        ("/console/assets/first-1.map", "*/*", 404),
        ("/console/assets/..%2Findex.zh.html", "*/*", 404),
        ("/console/live-codes", "application/json", 404),
        ("/console/session", "text/html", 405),
    ],
)
def test_what_is_no_screen_is_no_page(path: str, accept: str, status: int) -> None:
    answer = get(path, accept=accept)
    assert answer.status == status and answer.headers["Content-Type"] == "application/problem+json"


def test_a_file_is_compressed_and_kept_for_ever() -> None:
    answer = get("/console/assets/first-1.js")
    assert brotli.decompress(answer.body).decode() == SCRIPT
    assert answer.headers["Content-Encoding"] == "br"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/javascript; charset=utf-8"


def test_who_takes_gzip_alone_gets_it() -> None:
    """A browser that is not on https."""
    answer = get("/console/assets/first-1.js", **{"accept-encoding": "gzip, deflate"})
    assert gzip.decompress(answer.body).decode() == SCRIPT
    assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")


def test_who_takes_neither_gets_the_file_as_it_is() -> None:
    answer = get("/console/assets/first-1.js", **{"accept-encoding": "identity"})
    assert answer.body.decode() == SCRIPT and "Content-Encoding" not in answer.headers


def test_below_a_stage_the_page_knows_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLIC_BASE_URL", "https://abc.execute-api.cn-north-1.amazonaws.com.cn/prod")
    assert 'src="/prod/console/assets/first-1.js"' in get("/console").body.decode()
    entrance = get("/")
    assert (entrance.status, entrance.headers["Location"]) == (302, "/prod/console")


@pytest.mark.parametrize(
    ("region", "endpoint", "bucket"),
    [
        ("cn-north-1", "", "https://files.s3.cn-north-1.amazonaws.com.cn"),
        ("us-east-1", "", "https://files.s3.us-east-1.amazonaws.com https://files.s3.amazonaws.com"),
        ("cn-north-1", "http://127.0.0.1:4566/", "http://127.0.0.1:4566"),
    ],
)
def test_the_policy_lets_in_ourselves_and_the_bucket(
    monkeypatch: pytest.MonkeyPatch, region: str, endpoint: str, bucket: str
) -> None:
    monkeypatch.setenv("FILES_BUCKET", "files")
    monkeypatch.setenv("AWS_REGION", region)
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    assert get("/console").headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; "
        f"img-src 'self' data: {bucket} https://*.qpic.cn https://*.qlogo.cn; "
        f"connect-src 'self' {bucket}; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


def test_signed_links_go_where_the_policy_says(monkeypatch: pytest.MonkeyPatch) -> None:
    from chalicelib.platform import files, settings

    monkeypatch.setenv("FILES_BUCKET", "files")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    for region in ("cn-north-1", "us-east-1", "eu-west-1"):
        monkeypatch.setenv("AWS_REGION", region)
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        settings.s3.cache_clear()
        link = files.upload_url("uploads/a", "text/csv")
        assert link.startswith(tuple(f"{origin}/" for origin in pages.bucket_origins())), link
    settings.s3.cache_clear()
