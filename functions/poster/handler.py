"""One poster, for whoever invokes: `{"url","title"?,"subtitle"?,"staff_name"?,"template"?,"width"?}`
gives `{"png_base64"}`, or `{"error": {"status","title","detail","errors"?}}` for what the caller can be told.
"""

import base64
from typing import Any

from chalicelib.platform.errors import DomainError, Invalid
from chalicelib.posters import rules, service
from chalicelib.posters.templates import DEFAULT, TEMPLATES


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry. Anything but a DomainError is a bug and fails the invocation."""
    try:
        png = service.render(rules.parse_request(event, TEMPLATES, DEFAULT))
    except DomainError as error:
        problem: dict[str, Any] = {"status": error.status, "title": error.title, "detail": str(error)}
        if isinstance(error, Invalid):
            problem["errors"] = [{"field": field, "message": message} for field, message in error.errors]
        return {"error": problem}
    return {"png_base64": base64.b64encode(png).decode()}
