"""The control API under `/_sandbox/`: what a test or an operator does to the world. JSON in, JSON out.

Errors: 404 for what is not there, 422 for what makes no sense, both as {"error": text}.
"""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from infra.sandbox.config import visible

if TYPE_CHECKING:
    from infra.sandbox.sandbox import Sandbox

Body = dict[str, Any]
_ACTIONS = {
    "add": "add", "delete-by-customer": "delete_by_customer", "delete-by-staff": "delete_by_staff",
    "edit": "edit", "chat-started": "chat_started", "staff": "add_staff", "tag": "change_tag",
    "group": "add_group", "group/join": "join", "group/invite": "invite", "group/leave": "leave",
    "group/dismiss": "dismiss_group", "group/change": "change_group",
    "say": "say", "group/say": "say_in_group", "group/welcome": "choose_group_welcome",
    "transfers/answer": "answer_transfer", "moments/publish": "publish_moment", "moments": "post_moment",
    "moments/react": "react", "department": "change_department",
    "staff/rename": "rename_staff",
    "acquire": "acquire", "message": "customer_message",
    "acquisition-quota": "buy_quota", "break-link": "break_link", "delete-link": "remove_link",
}  # fmt: skip


class Control:
    def __init__(self, sandbox: "Sandbox") -> None:
        self._sandbox = sandbox
        actions = {f"POST {path}": self._action(name) for path, name in _ACTIONS.items()}
        self._routes: dict[str, Callable[[Body], Any]] = {
            "GET ": lambda _: sandbox.status(),
            "GET calls": self._calls,
            "DELETE calls": lambda _: sandbox.recorder.clear(),
            "GET faults": lambda _: {"items": sandbox.faults.all()},
            "POST faults": lambda body: {"fault_id": sandbox.fault(**body)},
            "DELETE faults": lambda body: {"removed": sandbox.faults.clear(body.get("fault_id"))},
            "GET settings": lambda _: visible(sandbox.config),
            "POST settings": lambda body: sandbox.settings(**body),
            "POST tokens": lambda body: {"killed": sandbox.kill_tokens(**body)},
            "POST event": self._event,
            "POST run": lambda _: {"done": sandbox.run_due()},
            "GET events": lambda _: {"items": list(sandbox.outbox.sent)},
            "GET messages": lambda body: {"items": sandbox.messages(body.get("receiver"))},
            "GET customers": lambda body: {"items": sandbox.customers(body.get("external_userid"))},
            "GET mass-sends": lambda _: {"items": sandbox.mass_sends()},
            "POST mass-sends/confirm": lambda body: sandbox.confirm_mass_send(**body),
            "GET pay/bills": lambda _: {"items": sandbox.pay.bills()},
            "POST pay/confirm": lambda body: {"state": sandbox.confirm_transfer(**body)},
            "POST pay/refuse": lambda body: {"state": sandbox.refuse_transfer(**body)},
            "POST pay/balance": lambda body: sandbox.pay.set_balance(int(body["fen"])),
            "POST mall/orders": self._order,
            "POST crowd": lambda body: sandbox.gather(**body),
            **actions,
        }

    def _action(self, name: str) -> Callable[[Body], Any]:
        return lambda body: self._sandbox.actions.checked(name, body)

    def _calls(self, query: Body) -> Body:
        limit = int(query.get("limit", 200))
        return {"items": self._sandbox.calls(query.get("path"))[-limit:], "next_cursor": None}

    def _event(self, body: Body) -> Any:
        """Raw XML (`xml`), or `event` and its `elements`; with the options of every action."""
        if "xml" in body:
            return self._sandbox.actions.checked("post", body)
        given = {"event": body.pop("event"), **body.pop("elements", {}), **body}
        return self._sandbox.actions.checked("event", given)

    def _order(self, body: Body) -> Any:
        """An order message as the contract has it; `{"message": …, "repeat": n}` posts it n times."""
        message, repeat = (body["message"], int(body.get("repeat", 1))) if "message" in body else (body, 1)
        return self._sandbox.mall_order(message, repeat)

    def answer(self, method: str, path: str, query: dict[str, str], raw: bytes) -> tuple[int, Any]:
        route = self._routes.get(f"{method} {path.removeprefix('/_sandbox').strip('/')}")
        if route is None:
            return 404, {"error": f"no {method} {path}"}
        try:
            body = json.loads(raw) if raw else {}
            json.dumps(body, ensure_ascii=False).encode()  # half a character could be neither sent nor saved
            if not isinstance(body, dict):
                return 422, {"error": "the body must be a JSON object"}
            answer = route({**query, **body})
        except KeyError as error:
            return 404, {"error": f"not there: {error.args[0] if error.args else ''}"}
        except (ValueError, TypeError) as error:
            return 422, {"error": str(error)}
        return 200, {"status": "ok"} if answer is None else answer
