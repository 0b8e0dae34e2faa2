"""Chalice behind a few `{proxy+}` roots of API Gateway: which doors there are, and the route of a path.

API Gateway knows roots, not routes, so that its resources stay few while capabilities are added. A
capability's doors are imported at the first request of one of their roots: a cold start pays for what
is asked for.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any
from urllib.parse import unquote

from chalice.app import Chalice

from chalicelib.platform import http, messages
from chalicelib.platform.errors import DomainError, MethodNotAllowed, NotFound


class Millrace(Chalice):
    """`doors`: module → the roots of its routes, with spaces between. `serves`: whether a path is ours.

    `spellings`, `pages`: of `Door`; the app that has spellings is the one whose routes `Door.find` knows.
    """

    def __init__(
        self,
        doors: Mapping[str, str],
        serves: Callable[[str], bool] = lambda path: True,
        name: str = "millrace",
        spellings: str = "",
        pages: str = "",
    ):
        super().__init__(app_name=name, configure_logs=False)  # log.py's logger is the one
        self.api.binary_types += ["application/pdf", http.XLSX]  # pictures are there already
        self.serves = serves
        if spellings:
            http.Door.spellings, http.Door.find = spellings, self._route
        http.Door.pages = pages or http.Door.pages
        self._doors: dict[str, list[str]] = {}
        self._loaded: set[str] = set()
        for module, roots in doors.items():
            for root in roots.split():
                self._doors.setdefault(root.rstrip("/"), []).append(module)

    def __call__(self, event: Any, context: Any) -> Any:
        asked = event["requestContext"]
        path, method = event.get("path") or asked["path"], asked["httpMethod"]
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        try:
            route, parameters = self._route(path.rstrip("/") or "/")
            if method not in self.routes[route]:
                raise MethodNotAllowed(sorted(self.routes[route]))
        except DomainError as error:
            language = messages.language(headers.get("accept-language"))
            answer = http.problem(error, language).to_dict(self.api.binary_types)
        else:
            asked["resourcePath"], event["pathParameters"] = route, parameters
            # Chalice refuses to send a picture to a client whose Accept header does not ask for one.
            event["headers"] = {**headers, "accept": ", ".join(filter(None, (headers.get("accept"), "*/*")))}
            answer = super().__call__(event, context)
        if method == "HEAD":
            answer |= {"body": "", "isBase64Encoded": False}
        return answer

    def load_all(self) -> None:
        """Import every door: for what needs all routes (OpenAPI, packaging, tests)."""
        for root in self._doors:
            self._load(root)

    def _route(self, path: str) -> tuple[str, dict[str, str]]:
        """The route of a path, and its parameters; a literal goes before a parameter. NotFound."""
        if not self.serves(path):
            raise NotFound(code="no_path")
        root = path
        while root and root not in self._doors:
            root = root.rpartition("/")[0]
        self._load(root)
        parts = path.split("/")
        for route in sorted(self.routes):  # "{" sorts after letters
            parameters = _match(route.split("/"), parts)
            if parameters is not None:
                return route, parameters
        raise NotFound(code="no_path")

    def _load(self, root: str) -> None:
        for module in self._doors.get(root, ()):
            if module not in self._loaded:
                self.register_blueprint(import_module(f"chalicelib.{module}").door.blueprint)
                self._loaded.add(module)


def _match(route: list[str], parts: list[str]) -> dict[str, str] | None:
    """`{name+}`, at a route's end, takes the rest of the path."""
    if route[-1].endswith("+}") and len(parts) >= len(route):
        rest = "/".join(parts[len(route) - 1 :])
        route, parts = [*route[:-1], f"{{{route[-1][1:-2]}}}"], [*parts[: len(route) - 1], rest]
    if len(route) != len(parts):
        return None
    parameters = {}
    for name, part in zip(route, parts, strict=True):
        if name.startswith("{") and part:
            parameters[name[1:-1]] = unquote(part)  # a REST API hands the path on as it came
        elif name != part:
            return None
    return parameters
