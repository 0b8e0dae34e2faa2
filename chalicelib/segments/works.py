"""Work for segments: looked at every few minutes; a frozen one is filled once."""

from chalicelib.platform.works import Work
from chalicelib.segments.look_times import LOOK

_LOOKING = "chalicelib.segments.looking"

WORKS = [
    Work(kind=LOOK, queue="lake", handler=f"{_LOOKING}:look", takes=(), timed=True),
    Work(kind="segment_forget", queue="lake", handler=f"{_LOOKING}:forget", takes=("segment_id",)),
    Work(kind="segment_freeze", queue="lake", handler=f"{_LOOKING}:freeze", takes=("segment_id",)),
]
