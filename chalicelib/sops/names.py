"""What ids of SOPs stand for, by name."""

NAMES = {"sop": "chalicelib.sops.service:names"}
