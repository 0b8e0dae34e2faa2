"""The sandbox as one object: start it, act in its world, look at what it was asked, stop it."""

import threading
import time
from datetime import datetime
from typing import Any

from infra.sandbox import mall, mass_api, moment_api, transfer_api
from infra.sandbox import state as st
from infra.sandbox.actions import Actions
from infra.sandbox.api import WecomApi
from infra.sandbox.config import CHANGEABLE, Config, visible
from infra.sandbox.control import Control
from infra.sandbox.events import Callbacks, event_xml
from infra.sandbox.faults import Fault, Faults
from infra.sandbox.outbox import Outbox, Sealed, at
from infra.sandbox.pay_documents import PayWithDocuments
from infra.sandbox.recorder import Recorder
from infra.sandbox.server import Server
from infra.sandbox.world import World

_TICK = 0.2
_SAVE_EACH = 1.0  # seconds; a process that is killed loses no more of the world than that …
_SAVE_SHARE = 0.05  # … unless the world is so large that saving it would take more of the time than this
_PARTS = (transfer_api, mass_api, moment_api)  # what happens by itself, transfers first: they look back
_KEYS = ("merchant_private_key", "merchant_public_key", "platform_private_key")


class Sandbox:
    """A WeCom, a WeChat Pay and a mall in one process. `world.lock` guards the state; posts go without it."""

    def __init__(self, config: Config | None = None) -> None:
        self.config = config or Config()
        state = st.load(self.config.state_path)
        for name in _KEYS:  # the same keys in every run, or the other side's copies would be worthless
            setattr(self.config, name, getattr(self.config, name) or state.keys.get(name, ""))
        self.config.complete()
        state.keys = {name: getattr(self.config, name) for name in _KEYS}
        self.world = World(self.config, state)
        self.recorder = Recorder()
        self.faults = Faults(self.config.seed)
        self.callbacks = Callbacks(self.world)
        self.outbox = Outbox(self.world, {"callback": self.callbacks.seal, "notify": self._seal_notice})
        self.world.post_event = self._post_event
        self.pay = PayWithDocuments(self.world, self.outbox)
        self.wecom = WecomApi(self.world)
        self.actions = Actions(self.world, self.outbox)
        self.control = Control(self)
        self.base_url = ""
        self.changes = 0  # requests and own doings that may have changed the world, ever
        self._run_lock = threading.Lock()
        self._stopped = threading.Event()
        self._server: Server | None = None

    def _seal_notice(self, item: st.Post) -> Sealed:
        return self.pay.seal(item)

    def _post_event(self, at: float, event: str, **elements: Any) -> None:
        xml = event_xml(self.config.corp_id, int(at), event, **elements)
        self.outbox.put_event(xml, delay=max(0.0, at - self.world.ts()))

    # Life

    def start(self, port: int = 0, host: str = "127.0.0.1") -> str:
        """Listen (port 0: any free one); the base URL. WeCom's API: BASE/cgi-bin, WeChat Pay's: BASE/v3.
        On a host that others reach they get the phones' pages, and nothing else."""
        self._server = Server((host, port), self)
        here = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104
        self.base_url = f"http://{here}:{self._server.server_address[1]}"
        self.world.base_url = self.config.public_base_url or self.base_url
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="sandbox", daemon=True).start()
        if self.config.run_by_itself:
            self.run()
        return self.base_url

    def run(self) -> None:
        """From now on do by itself what falls due, and save the world now and then."""
        threading.Thread(target=self._tick, name="sandbox-tick", daemon=True).start()

    def stop(self) -> None:
        """Stop listening and save the world."""
        self._stopped.set()
        if self._server is not None:
            self._server.close()
            self._server = None
        self.outbox.close()
        self.save()

    def save(self) -> None:
        """Write the world to `state_path`, when there is one."""
        if self.config.state_path:
            with self.world.lock:
                st.save(self.world.state, self.config.state_path)

    def _tick(self) -> None:
        save_at = 0.0
        while not self._stopped.wait(_TICK):
            self.run_due()
            begun = time.monotonic()
            if begun >= save_at:
                self.save()
                ended = time.monotonic()
                save_at = ended + max(_SAVE_EACH, (ended - begun) / _SAVE_SHARE)

    # Time

    def next_event_at(self) -> datetime | None:
        """When it will next do something by itself: confirm a mass send, end a transfer, post."""
        with self.world.lock:
            times = [part.next_at(self.world) for part in _PARTS]
            times += [self.pay.next_at(), self.outbox.next_at()]
        return min((at(t) for t in times if t is not None), default=None)

    def run_due(self, now: datetime | None = None) -> int:
        """Do what is due (by the clock, or by `now`) and wait for the answers to posts; how many things."""
        done = 0
        with self._run_lock:
            until = (now or self.config.now()).timestamp()
            with self.world.lock:
                done += self._settle(until) + self.pay.settle(until)
            done += self.outbox.send_due(until)
            self.changes += done
            return done

    def quiet(self) -> bool:
        """Nothing is due and nothing is on its way."""
        due = self.next_event_at()
        return not self.outbox.flying() and (due is None or due > self.config.now())

    # Looking

    def calls(self, path: str | None = None) -> list[dict[str, Any]]:
        """The calls to WeCom's and WeChat Pay's API in order; those whose path contains `path`."""
        return self.recorder.calls(path)

    def messages(self, receiver: str | None = None) -> list[dict[str, Any]]:
        """What arrived in chats: {"at","kind","userid","receiver",…}; kind welcome, mass_send, …"""
        with self.world.lock:
            self._settle(self.world.ts())
            rows = list(self.world.state.received.values())
        shown = [
            {**row, "at": at(row["at"]).isoformat()} for row in rows if receiver in (None, row["receiver"])
        ]
        return sorted(shown, key=lambda row: row["at"])

    def customers(self, external_userid: str | None = None) -> list[dict[str, Any]]:
        """Each customer with their bonds, tags by id."""
        with self.world.lock:
            return [
                {**vars(contact), "bonds": [vars(bond).copy() for bond in self.world.followers(external)]}
                for external, contact in self.world.state.contacts.items()
                if external_userid in (None, external)
            ]

    def mass_sends(self) -> list[dict[str, Any]]:
        """Each mass send with its members' tasks."""
        with self.world.lock:
            self._settle(self.world.ts())
            tasks = list(self.world.state.mass_tasks.values())
            return [
                {**vars(send), "tasks": [vars(task).copy() for task in tasks if task.msgid == send.msgid]}
                for send in self.world.state.mass_sends.values()
            ]

    def _settle(self, until: float) -> int:
        return sum(part.settle(self.world, until) for part in _PARTS)

    def sdk_settings(self) -> dict[str, Any]:
        """What any WeCom or WeChat Pay SDK needs to be pointed at it, secrets and keys included."""
        config = self.config
        return {
            "wecom_api_base": self.base_url, "corp_id": config.corp_id, "agent_id": config.agent_id,
            "secret": config.secret, "callback_token": config.callback_token,
            "callback_aes_key": config.callback_aes_key, "mall_generic_secret": config.mall_generic_secret,
            "wechatpay_api_base": self.base_url,
            "wechatpay": {
                "mch_id": config.mch_id, "app_id": config.app_id, "serial": config.cert_serial,
                "private_key": config.merchant_private_key, "apiv3_key": config.apiv3_key,
                "public_key_id": config.public_key_id, "public_key": config.platform_public_key,
            },
            "ads_api_base": f"{self.base_url}/ads",
        }  # fmt: skip

    def status(self) -> dict[str, Any]:
        due = self.next_event_at()
        with self.world.lock:
            state = self.world.state
            counts = {
                name: len(getattr(state, name)) for name in ("staff", "contacts", "bonds", "ways", "bills")
            }
        return {
            "base_url": self.base_url, "now": self.config.now().isoformat(), "counts": counts,
            "next_event_at": due.isoformat() if due else None, "settings": visible(self.config),
        }  # fmt: skip

    # Acting; the actions of people are in `actions`

    def observe(self, query: dict[str, str], body: bytes) -> bool:
        """Tell the sandbox of a callback that somebody posted to us; its own are known and left alone."""
        return self.callbacks.observe(query, body)

    def fault(self, path: str, kind: str, value: float = 0, **more: Any) -> str:
        """Switch a fault on (see faults.py); its id. ValueError for one that makes no sense."""
        return self.faults.add(Fault(path, kind, value, **more))

    def gather(self, customers: int, guides: int = 0, groups: int = 0) -> dict[str, int]:
        """A crowd of customers (crowd.py), by default 500 to a guide. ValueError when there is one."""
        guides = int(guides) or -(-int(customers) // 500)
        with self.world.lock:
            self.world.gather(int(customers), guides, int(groups))
        return {"customers": int(customers), "guides": guides, "groups": int(groups)}

    def kill_tokens(self, how: str = "expired") -> int:
        """End all tokens early: `expired` (42001) or `invalid` (40014)."""
        with self.world.lock:
            return self.wecom.tokens.kill(how)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings while it runs; all that may be shown. ValueError for one that cannot be changed."""
        unknown = set(changes) - CHANGEABLE
        if unknown:
            raise ValueError(f"cannot be changed: {', '.join(sorted(unknown))}")
        for name, value in changes.items():
            setattr(self.config, name, value)
        self.world.base_url = self.config.public_base_url or self.base_url
        return visible(self.config)

    def confirm_mass_send(self, msgid: str, userid: str) -> None:
        """A member confirms a mass send now. KeyError for a task they do not have."""
        with self.world.lock:
            mass_api.confirm(self.world, msgid, userid)

    def confirm_transfer(self, out_bill_no: str) -> str:
        """The user takes the money now; the bill's state. The notification goes out."""
        state = self.pay.confirm(out_bill_no)
        self.run_due()
        return state

    def refuse_transfer(self, out_bill_no: str) -> str:
        """The user does not want the money; the bill's state. The notification goes out."""
        state = self.pay.refuse(out_bill_no)
        self.run_due()
        return state

    def mall_order(self, message: dict[str, Any], repeat: int = 1) -> dict[str, Any]:
        """Sign an order message and post it to `mall_order_url`; {"statuses": […]}, 0 for no answer."""
        return mall.send_order(self.world, message, repeat)
