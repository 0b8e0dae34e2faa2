"""All who serve customers: what they are called, and how many customers they have."""

from msgspec.structs import replace

from chalicelib.imports.piece import Context, counted, each, end_part, note, plus
from chalicelib.imports.types import Run
from chalicelib.staff import service as staff
from chalicelib.wecom.errors import Treatment, WeComError

_BATCH = 40  # in one piece


def do_piece(run: Run, context: Context) -> Run:
    """The next few of them."""
    batch = context.after(run.after, _BATCH)
    if not batch:
        return end_part(run)
    if not run.noted:
        run = note(run, before=staff.summaries(batch))
    before: dict[str, str] = run.noted["before"]

    def learn(staff_id: str) -> int:
        try:
            staff.learn(staff_id, since=run.started_at)
            return len(context.client.list_customers(staff_id))
        except WeComError as error:
            if error.treatment is not Treatment.DATA:
                raise
            return 0

    bonds = sum(each(learn, batch))
    now = staff.summaries(batch)
    new = sum(one not in before for one in now)
    changed = sum(one in before and before[one] != summary for one, summary in now.items())
    progress, customers = run.progress("staff"), run.progress("customers")
    run = counted(
        run,
        **plus(progress, len(batch), new, changed),
        done=progress.done + len(batch),
        total=len(context.serving),
        share=context.share(batch[-1]),
    )
    parts = {**run.parts, "customers": replace(customers, total=(customers.total or 0) + bonds)}
    return replace(run, after=batch[-1], parts=parts)
