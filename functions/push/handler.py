"""Work for WeCom: steps that fell due, pushes put off, their results, tags; one guide's in order."""

from typing import Any

from chalicelib.messaging import gifts
from chalicelib.platform import consumers
from chalicelib.sops import pushes, results
from chalicelib.tags import service as tags


def work(message: dict[str, Any]) -> None:
    """One message. KeyError or ValueError for one that none of ours can be."""
    match message["kind"]:
        case "step":
            pushes.push(message["sop_id"], message["step_id"], message["staff_id"], message["subjects"])
        case "push_again":
            pushes.again(message["push_id"])
        case "push_result":
            results.poll(message["push_id"], message["polls"])
        case "tag":
            tags.apply(message["staff_id"], message["external_userid"], message["add"], message["remove"])
        case "gift":
            gifts.bring(message)
        case other:
            raise ValueError(f"no work of kind {other}")


handler = consumers.sqs(work)
