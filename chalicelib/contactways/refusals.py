"""Members whom WeCom refuses, or who are gone: told to those who made the codes that count on them.

Once a problem: it is marked as told when the notices are ordered, which have a natural key each, so that a
death before the mark orders none twice.
"""

from collections.abc import Sequence

from chalicelib.livecodes import service as livecodes
from chalicelib.notices import service as notices
from chalicelib.platform import auth, clock, log, messages
from chalicelib.staff import problems
from chalicelib.staff import service as staff

_NAMED, _LONGEST = 5, 40  # codes that the word names; characters of a name


def notify_makers(staff_id: str) -> None:
    """Order a notice of the member's problem for the makers of their codes, or the admins. Upstream."""
    problem = problems.untold(staff_id)
    if problem is None:
        return
    codes = [code for code in livecodes.read_all() if code.rule.find(staff_id) is not None]
    if not codes:
        return
    log.measure("LiveCodeMembersLost", 1, "Count")
    to = sorted({code.maker for code in codes if code.maker} - {staff_id}) or auth.admins()
    text = _words(staff_id, problem, [code.name[:_LONGEST] for code in codes])
    for receiver in to:
        key = f"{staff_id}#{problem}#{clock.iso(clock.now())[:10]}"
        notices.add(receiver, "member_problem", key, {"text": text})
    problems.mark_told(staff_id, problem)


def _words(staff_id: str, problem: str, names: Sequence[str]) -> str:
    who = {"staff_id": staff.name(staff_id)}
    listed = "、".join(names[:_NAMED])
    chinese = f"{messages.text(problem, 'zh', who)}。涉及活码：{listed}" + (
        f" 等 {len(names)} 个" if len(names) > _NAMED else ""
    )
    return f"{chinese}\n{messages.text(problem, 'en', who)}. Live codes: {len(names)}"
