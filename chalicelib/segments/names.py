"""What a segment is called, by its id."""

NAMES = {"segment": "chalicelib.segments.service:named"}
