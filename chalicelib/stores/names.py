"""What ids of stores stand for, by name."""

NAMES = {"store": "chalicelib.stores.service:names"}
