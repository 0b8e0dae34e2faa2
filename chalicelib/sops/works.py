"""Work for SOPs that is done later: steps fall due, pushes are put off, what became of them is asked."""

from collections.abc import Iterable, Iterator

from chalicelib.platform.works import Message, Work

MAX_SUBJECTS = 10_000  # recipients in one WeCom mass send


def by_guide(messages: Iterable[Message], minute: str) -> Iterator[Message]:
    """One message for all of a guide's customers whose step falls due in this minute."""
    together: dict[tuple[str, str, str], dict[str, None]] = {}
    for message in messages:
        key = (message["sop_id"], message["step_id"], message["staff_id"])
        together.setdefault(key, {}).update(dict.fromkeys(message["subjects"]))
    for (sop_id, step_id, staff_id), people in together.items():
        subjects = list(people)
        for i in range(0, len(subjects), MAX_SUBJECTS):
            yield {
                "kind": "step",
                "sop_id": sop_id,
                "step_id": step_id,
                "staff_id": staff_id,
                "minute": minute,
                "subjects": subjects[i : i + MAX_SUBJECTS],
            }


WORKS = [
    Work(
        kind="step",
        queue="push",
        handler="chalicelib.sops.pushes:push",
        takes=("sop_id", "step_id", "staff_id", "subjects"),
        order="staff_id",
        merge=by_guide,
    ),
    Work(
        kind="push_again",
        queue="push",
        handler="chalicelib.sops.pushes:again",
        takes=("push_id",),
        order="push_id",
    ),
    Work(
        kind="push_result",
        queue="push",
        handler="chalicelib.sops.results:poll",
        takes=("push_id", "polls"),
        order="push_id",
    ),
]
