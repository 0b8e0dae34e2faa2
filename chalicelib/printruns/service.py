"""What others ask of print runs: the runs, a card's scan and its order, files, figures."""

from chalicelib.printruns.cards import (
    CLOSED,
    USED,
    Card,
    bind,
    find,
    is_token,
    named,
    numbered,
    of_order,
    order_of,
    scan,
    shown,
    unbind,
)
from chalicelib.printruns.files import check as check_count
from chalicelib.printruns.files import start as start_file
from chalicelib.printruns.runs import Run, by_prefix, close, create, get, kept, page
from chalicelib.printruns.stats import BY, figures

__all__ = [
    "BY",
    "CLOSED",
    "USED",
    "Card",
    "Run",
    "bind",
    "by_prefix",
    "check_count",
    "close",
    "create",
    "figures",
    "find",
    "get",
    "is_token",
    "kept",
    "named",
    "numbered",
    "of_order",
    "order_of",
    "page",
    "scan",
    "shown",
    "start_file",
    "unbind",
]
