"""What ids of live codes stand for, by name."""

NAMES = {"live_code": "chalicelib.livecodes.service:names"}
