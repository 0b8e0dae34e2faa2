"""What ids of staff stand for, by name."""

NAMES = {"staff": "chalicelib.staff.service:names"}
