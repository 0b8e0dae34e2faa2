"""What a channel is called, by each name that it has or had."""

NAMES = {"channel": "chalicelib.channels.service:names"}
