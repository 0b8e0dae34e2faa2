"""One stack's API as the command line speaks to it: calls, problems in a person's words, files, jobs."""

from pathlib import Path
from typing import Any

import urllib3

from infra.cli.texts import language, say


class Failed(Exception):
    """What to say on standard error; the command ends with 1."""


class Client:
    """Speaks to one stack. `url`: its public address; `key`: an API key."""

    def __init__(self, url: str, key: str):
        if not url.startswith(("http://", "https://")):
            raise Failed(say("bad_url", url=url))
        self.url, self._key = url.rstrip("/"), key
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=10, read=120))

    def document(self) -> dict[str, Any]:
        """The OpenAPI document: what there is to call."""
        try:
            document = self.request("GET", "/api/openapi.json").json()
            return {"paths": document["paths"], "components": document["components"]}
        except (ValueError, KeyError, TypeError) as error:
            raise Failed(say("no_stack", url=self.url)) from error

    def request(
        self, method: str, path: str, body: bytes | None = None, kind: str = "application/json"
    ) -> urllib3.BaseHTTPResponse:
        """One call. Failed for a problem, with its fields."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Accept": "*/*",
            "Accept-Language": language(),
        }
        if body is not None:
            headers["Content-Type"] = kind
        answer = self._open(method, self.url + path, body, headers)
        if answer.status >= 400:
            raise Failed(_problem(answer))
        return answer

    def fetch(self, url: str) -> bytes:
        """A file behind a signed link, which takes no key of ours."""
        answer = self._open("GET", url, None, {})
        if answer.status >= 400:
            raise Failed(say("not_fetched", status=answer.status))
        return bytes(answer.data)

    def upload(self, url: str, file: Path, headers: dict[str, str]) -> None:
        try:
            with file.open("rb") as body:
                size = str(file.stat().st_size)
                answer = self._open("PUT", url, body, {**headers, "Content-Length": size})
        except OSError as error:
            raise Failed(f"{file}: {error.strerror}") from error
        if answer.status >= 400:
            raise Failed(say("upload_refused", status=answer.status))

    def _open(self, method: str, url: str, body: Any, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request(method, url, body=body, headers=headers, redirect=False)
        except urllib3.exceptions.HTTPError as error:
            where = url.split("?")[0]
            raise Failed(say("no_answer", url=where, error=type(error).__name__)) from error


def _problem(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status}"
    fields = "".join(f"\n  {e['field']}: {e['message']}" for e in problem.get("errors", []))
    return f"{problem.get('status')} {problem.get('title')}" + (fields or f": {problem.get('detail')}")
