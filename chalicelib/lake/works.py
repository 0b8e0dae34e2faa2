"""The lake's own later work."""

from chalicelib.platform.works import Work

WORKS = [Work(kind="lake_compact", queue="lake", handler="chalicelib.lake.writing:compact_current", takes=())]
