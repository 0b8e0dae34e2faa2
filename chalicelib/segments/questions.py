"""What segments ask over everybody's facts: see lake/asking.py."""

QUESTIONS = {
    "segment_preview": "chalicelib.segments.counting:preview",
    "segment_count": "chalicelib.segments.counting:count",
    "segment_page": "chalicelib.segments.counting:page",
}
