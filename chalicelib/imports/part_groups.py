"""Customer groups of all who serve customers, and who is in them."""

from msgspec.structs import replace

from chalicelib.groups import service as groups
from chalicelib.groups import upkeep
from chalicelib.imports.piece import Context, counted, each, end_part, note, plus
from chalicelib.imports.types import Run

_OWNERS = 100  # WeCom: in one call
_PAGE = 20


def do_piece(run: Run, context: Context) -> Run:
    """A page of the groups of some owners."""
    batch = run.batch or context.after(run.after, _OWNERS)
    if not batch:
        return end_part(run)
    chats, following = context.client.group_page(batch, run.cursor, _PAGE)
    chat_ids = [str(row["chat_id"]) for row in chats]
    if run.noted.get("page") != [batch[0], run.cursor]:
        run = note(run, page=[batch[0], run.cursor], before=groups.summaries(chat_ids))
    before: dict[str, str] = run.noted["before"]
    each(lambda row: upkeep.read_listed(str(row["chat_id"]), int(row.get("status", 0))), chats)
    now = groups.summaries(chat_ids)
    new = sum(one not in before for one in now)
    changed = sum(one in before and before[one] != summary for one, summary in now.items())
    progress = run.progress("groups")
    share = progress.share if following else context.share(batch[-1])
    run = counted(
        run,
        **plus(progress, len(chats), new, changed),
        done=progress.done + len(chats),
        share=share,
    )
    if following:
        return replace(run, batch=batch, cursor=following)
    return replace(run, after=batch[-1], batch=(), cursor="")
