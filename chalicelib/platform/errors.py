"""One tree of errors for the whole product.

Two places map it and no other: `platform.http` (to RFC 9457 problem answers) and
`platform.consumers` (to SQS and stream partial-batch answers). Anything that is not a
`DomainError` is a bug and is raised.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from chalicelib.platform import messages
from chalicelib.platform.messages import Language


class DomainError(Exception):
    """Something the caller can be told. `retryable`: the same call may succeed later.

    `code`: of `platform.messages`, in whose words it is said; without one, `text` is.
    """

    status = 500
    title = "Internal error"
    retryable = False

    def __init__(self, text: str = "", *, code: str | None = None, **params: Any):
        self.message_code, self.params = code, params
        super().__init__(text or (messages.text(code, "en", params) if code else ""))

    def detail(self, language: Language) -> str:
        """What is wrong, in that language."""
        if self.message_code:
            return messages.text(self.message_code, language, self.params)
        return str(self) or messages.title(self.status, language)


class Issue(Struct, frozen=True):
    """One thing that is wrong with one field, e.g. assignment.members[0].daily_cap.

    `text`: for a code that `platform.messages` has no words for.
    """

    field: str
    code: str
    params: Mapping[str, Any] = {}
    text: str | None = None

    def message(self, language: Language) -> str:
        return messages.text(self.code, language, self.params) if self.text is None else self.text


def issue(field: str, code: str, **params: Any) -> Issue:
    """An issue of a code that `platform.messages` has words for."""
    return Issue(field, code, params)


class Invalid(DomainError):
    """Bad input: all that is wrong with it. A pair (field, text) is an issue whose code is `invalid`."""

    status = 422
    title = "Invalid input"

    def __init__(self, *issues: Issue | tuple[str, str]):
        self.issues: Sequence[Issue] = [
            each if isinstance(each, Issue) else Issue(each[0], "invalid", text=each[1]) for each in issues
        ]
        super().__init__(self.detail("en"))

    @property
    def errors(self) -> list[tuple[str, str]]:
        """(field, message in English)."""
        return [(issue.field, issue.message("en")) for issue in self.issues]

    def detail(self, language: Language) -> str:
        return "; ".join(f"{issue.field}: {issue.message(language)}" for issue in self.issues)


class Malformed(DomainError):
    """The body is not what its type says it is (JSON that does not parse)."""

    status = 400
    title = "Malformed request"


class Unauthorized(DomainError):
    status = 401
    title = "Not signed in"


class Forbidden(DomainError):
    status = 403
    title = "Not allowed"


class NotFound(DomainError):
    status = 404
    title = "Not found"


class MethodNotAllowed(DomainError):
    """The path is there, for other methods: `allowed`."""

    status = 405
    title = "Method not allowed"

    def __init__(self, allowed: Sequence[str]):
        self.allowed = allowed
        super().__init__(code="methods", allowed=allowed)


class Conflict(DomainError):
    status = 409
    title = "Conflict"


class Stale(Conflict):
    """An `If-Match` of a version that is no longer there. `present`: the thing as it is now."""

    def __init__(self, present: Any):
        self.present = present
        super().__init__(code="changed_meanwhile")


class TooLarge(DomainError):
    status = 413
    title = "Too large"


class Exhausted(DomainError):
    """A quota or a stock is used up; waiting helps (`retry_after` seconds), repeating at once does not."""

    status = 429
    title = "Used up"

    def __init__(
        self, text: str = "", retry_after: int | None = None, *, code: str | None = None, **params: Any
    ):
        self.retry_after = retry_after
        super().__init__(text, code=code, **params)


class Upstream(DomainError):
    """An outside system (WeCom, WeChat Pay, AWS) failed or could not be asked."""

    status = 503
    title = "Temporarily unavailable"
    retryable = True
