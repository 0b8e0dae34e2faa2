"""What ids of plans stand for, by name."""

NAMES = {"plan": "chalicelib.distribution.plans:names"}
