"""Members whom WeCom refuses, or who are gone: told to those who made the codes that count on them.

Once a problem: the word is marked as told once it is out. WeCom drops an equal one, so that a death before
the mark sends no second.
"""

from collections.abc import Sequence

from chalicelib.livecodes import service as livecodes
from chalicelib.platform import auth, log, messages
from chalicelib.staff import problems
from chalicelib.staff import service as staff
from chalicelib.wecom import client as wecom
from chalicelib.wecom.errors import WeComError

_DUPLICATES = 14_400  # seconds in which WeCom drops an equal message, its maximum
_NAMED, _LONGEST = 5, 40  # codes that the word names; characters of a name


def tell(staff_id: str) -> None:
    """Tell the makers of the member's codes, or the admins, what the problem is. Upstream."""
    problem = problems.untold(staff_id)
    if problem is None:
        return
    codes = [code for code in livecodes.read_all() if code.rule.find(staff_id) is not None]
    if not codes:
        return
    log.measure("LiveCodeMembersLost", 1, "Count")
    to = sorted({code.maker for code in codes if code.maker} - {staff_id}) or auth.admins()
    if to and not _send(to, _words(staff_id, problem, [code.name[:_LONGEST] for code in codes])):
        return
    problems.mark_told(staff_id, problem)


def _words(staff_id: str, problem: str, names: Sequence[str]) -> str:
    who = {"staff_id": staff.name(staff_id)}
    listed = "、".join(names[:_NAMED])
    chinese = f"{messages.text(problem, 'zh', who)}。涉及活码：{listed}" + (
        f" 等 {len(names)} 个" if len(names) > _NAMED else ""
    )
    return f"{chinese}\n{messages.text(problem, 'en', who)}. Live codes: {len(names)}"


def _send(to: Sequence[str], text: str) -> bool:
    """False: WeCom takes none of them, and never will."""
    word = {"touser": "|".join(to), "msgtype": "text", "text": {"content": text}}
    again = {"enable_duplicate_check": 1, "duplicate_check_interval": _DUPLICATES}
    try:
        wecom.default_client().message_send({**word, **again})
    except WeComError as error:
        if error.retryable:
            raise
        log.logger.warning("nobody told of a member's problem", extra={"errcode": error.errcode})
        return False
    return True
