"""The HTTP doors, nothing but routing: one blueprint per capability."""

from typing import Any

from chalice.app import Chalice

from chalicelib.platform.api import door as platform

DOORS = [platform]


class Millrace(Chalice):
    def __call__(self, event: Any, context: Any) -> Any:
        # Chalice refuses to send a picture to a client that sends no Accept header.
        event["headers"] = {"accept": "*/*", **(event.get("headers") or {})}
        return super().__call__(event, context)


app = Millrace(app_name="millrace")
for door in DOORS:
    app.register_blueprint(door.blueprint)
