"""One tree of errors for the whole product.

Two places map it and no other: `platform.http` (to RFC 9457 problem answers) and
`platform.consumers` (to SQS and stream partial-batch answers). Anything that is not a
`DomainError` is a bug and is raised.
"""

from collections.abc import Sequence


class DomainError(Exception):
    """Something the caller can be told. `retryable`: the same call may succeed later."""

    status = 500
    title = "Internal error"
    retryable = False


class Invalid(DomainError):
    """Bad input. `errors`: (field path, message), e.g. ("assignment.members[0].daily_cap", "…")."""

    status = 422
    title = "Invalid input"

    def __init__(self, *errors: tuple[str, str]):
        self.errors = list(errors)
        super().__init__("; ".join(f"{field}: {message}" for field, message in errors))


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
        super().__init__(f"this path takes {', '.join(allowed)}")


class Conflict(DomainError):
    status = 409
    title = "Conflict"


class TooLarge(DomainError):
    status = 413
    title = "Too large"


class Exhausted(DomainError):
    """A quota or a stock is used up; waiting helps (`retry_after` seconds), repeating at once does not."""

    status = 429
    title = "Used up"

    def __init__(self, detail: str, retry_after: int | None = None):
        self.retry_after = retry_after
        super().__init__(detail)


class Upstream(DomainError):
    """An outside system (WeCom, WeChat Pay, AWS) failed or could not be asked."""

    status = 503
    title = "Temporarily unavailable"
    retryable = True
