"""What each call says of the connection itself: noted for platform.connections."""

from collections.abc import Callable

from chalicelib.platform import connections
from chalicelib.platform.errors import Upstream
from chalicelib.wecom.errors import AnswerLost, WeComError

# Whatever is asked for, it is refused. Any other number is of what was asked: WeCom knows us, and answers.
OF_THE_CONNECTION = frozenset(
    {40001, 40013, 40056, 40091, 45009, 48001, 48002, 48005, 48006, 48009, 50001, 50003, 60020, 301002}
)


def noting(connection: str) -> Callable[[Upstream | None], None]:
    """To be told of each call: what went wrong, or None."""

    def note(error: Upstream | None) -> None:
        if error is None or (isinstance(error, WeComError) and error.errcode not in OF_THE_CONNECTION):
            connections.note_success(connection)
        elif isinstance(error, WeComError):
            connections.note_failure(connection, f"wecom_{error.errcode}")
        elif not isinstance(error, AnswerLost):
            connections.note_failure(connection, "silent")

    return note
