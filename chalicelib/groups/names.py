"""What ids of groups stand for, by name."""

NAMES = {"group": "chalicelib.groups.service:names"}
