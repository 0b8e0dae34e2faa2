"""The corp's tags: WeCom's ids of them by our names, and its groups as they are shown."""

from chalicelib.imports.piece import Context, counted, end_part, note
from chalicelib.imports.types import Run
from chalicelib.taggroups import mirror
from chalicelib.tags import listing as tags


def do_piece(run: Run, context: Context) -> Run:
    """All of them at once: WeCom lists them in one answer."""
    listed = tags.read_list()
    if not run.noted:
        seen, new, changed = tags.compare(listed)
        run = note(run, seen=seen, new=new, changed=changed)
    noted = run.noted
    tags.keep_list(listed)
    mirror.refresh()
    return end_part(
        counted(
            run,
            seen=noted["seen"],
            new=noted["new"],
            changed=noted["changed"],
            done=noted["seen"],
            total=noted["seen"],
        )
    )
