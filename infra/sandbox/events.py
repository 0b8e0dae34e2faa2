"""WeCom's event callbacks: making them (wecom-api.md §2), sealing them, believing those that others make."""

import re
import secrets
import urllib.parse
from collections import OrderedDict
from typing import Any
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from infra.sandbox import crypto
from infra.sandbox import state as st
from infra.sandbox.errors import ApiError
from infra.sandbox.group_actions import observed
from infra.sandbox.mass_api import settle
from infra.sandbox.outbox import Sealed
from infra.sandbox.world import World

_ENCRYPT = re.compile(rb"<Encrypt>\s*(?:<!\[CDATA\[)?([A-Za-z0-9+/=]+)(?:\]\]>)?\s*</Encrypt>")
_REMEMBERED = 20_000


def event_xml(corp_id: str, at: int, event: str, **elements: Any) -> str:
    """One event in XML. Elements that are None or empty are left out, as WeCom does; numbers stand bare."""
    head = {
        "ToUserName": corp_id,
        "FromUserName": "sys",
        "CreateTime": at,
        "MsgType": "event",
        "Event": event,
    }
    shown = {**head, **{k: v for k, v in elements.items() if v is not None and v != ""}}
    return "<xml>" + "".join(f"<{k}>{_value(v)}</{k}>" for k, v in shown.items()) + "</xml>"


def _value(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "".join(f"<Item>{_value(item)}</Item>" for item in value)
    text = str(value)
    return escape(text) if "]]>" in text else f"<![CDATA[{text}]]>"


class Callbacks:
    """Seals our own callbacks and takes in those of others."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._own: OrderedDict[str, None] = OrderedDict()

    def seal(self, item: st.Post) -> Sealed:
        """The event encrypted anew, as WeCom does at each try."""
        config = self._world.config
        encrypted = crypto.seal(config.callback_aes_key, item.payload.encode(), config.corp_id)
        stamp, nonce = str(int(self._world.ts())), secrets.token_hex(5)
        signature = crypto.signature(config.callback_token, stamp, nonce, encrypted)
        with self._world.lock:
            self._own[signature] = None
            while len(self._own) > _REMEMBERED:
                self._own.popitem(last=False)
        query = urllib.parse.urlencode({"msg_signature": signature, "timestamp": stamp, "nonce": nonce})
        headers = {"Content-Type": "text/xml; charset=utf-8", "User-Agent": "Mozilla/4.0"}
        joint = "&" if "?" in item.url else "?"
        return item.url + joint + query, headers, crypto.envelope(encrypted, config.corp_id, config.agent_id)

    def observe(self, query: dict[str, str], body: bytes) -> bool:
        """A callback that somebody else posted: when it is genuine, the world is as it says from now on.

        False for our own, forged or foreign ones, and for events that change nothing here.
        """
        values = self._open(query, body)
        if values is not None and values.get("Event") == "change_external_chat":
            return self._of_a_group(values)
        if values is None or values.get("Event") != "change_external_contact":
            return False
        userid, external, change = (values.get(k, "") for k in ("UserID", "ExternalUserID", "ChangeType"))
        if not external:
            return False
        world = self._world
        with world.lock:
            settle(world, world.ts())
            at = int(values["CreateTime"]) if values.get("CreateTime", "").isdigit() else int(world.ts())
            try:
                if change in ("add_external_contact", "add_half_external_contact"):
                    kind = "half" if "half" in change else "full"
                    world.make_bond(userid, external, at, kind, values.get("State", ""))
                elif change in ("del_external_contact", "del_follow_user"):
                    world.end_bond(userid, external, at, by_customer=change == "del_follow_user")
                elif change not in ("edit_external_contact", "msg_audit_approved"):
                    return False
            except ApiError:  # a userid that no corp can have, or that a strict sandbox does not know
                return False
            if values.get("WelcomeCode"):
                world.add_welcome_code(values["WelcomeCode"], userid, external)
        return True

    def _of_a_group(self, values: dict[str, str]) -> bool:
        with self._world.lock:
            try:
                return observed(self._world, values)
            except ApiError:  # a chat_id that no group can have, or that a strict sandbox does not know
                return False

    def _open(self, query: dict[str, str], body: bytes) -> dict[str, str] | None:
        config, match = self._world.config, _ENCRYPT.search(body)
        signature = query.get("msg_signature", "")
        with self._world.lock:
            if signature in self._own:
                return None
        if match is None or not signature.isascii():
            return None
        encrypted = match[1].decode()
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        if not crypto.verify(config.callback_token, stamp, nonce, encrypted, signature):
            return None
        try:
            plain, receive_id = crypto.unseal(config.callback_aes_key, encrypted)
            if receive_id != config.corp_id or b"<!" in plain.replace(b"<![CDATA[", b""):
                return None
            root = ElementTree.fromstring(plain)  # noqa: S314  no declarations: checked above
        except (crypto.BadBox, UnicodeDecodeError, ElementTree.ParseError):
            return None
        return {
            item.tag: "\n".join(i.text or "" for i in item) if len(item) else item.text or "" for item in root
        }
