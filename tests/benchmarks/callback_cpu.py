"""CPU to verify, decrypt and parse one callback: ours beside wechatpy's same work, in one run.

Both are given what they may keep (their key objects); the rounds alternate, so that the machine's
moods meet both alike. Prints `name value unit`; the target of the ratio is 0.5.
"""

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from wechatpy.work.crypto import WeChatCrypto
from wechatpy.work.parser import parse_message

from chalicelib.wecom import crypto, events

ROUNDS, CALLS = 61, 200
TOKEN, KEY, CORP = "TestToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE", "ww1a2b3c4d5e6f7081"
NOW = datetime.fromtimestamp(1700000000, UTC)
INNER = (
    f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
    "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType>"
    "<Event><![CDATA[change_external_contact]]></Event>"
    "<ChangeType><![CDATA[add_external_contact]]></ChangeType><UserID><![CDATA[guide_001]]></UserID>"
    "<ExternalUserID><![CDATA[wmTESTexternal000000000000000001]]></ExternalUserID>"
    "<State><![CDATA[lc_8F3kQ2]]></State><WelcomeCode><![CDATA[WC_0001_TEST]]></WelcomeCode></xml>"
)
BOX = crypto.encrypt(KEY, INNER.encode(), CORP)
BODY = (
    f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{BOX}]]></Encrypt>"
    "<AgentID><![CDATA[1000007]]></AgentID></xml>"
).encode()
SIGNATURE = crypto.sign(TOKEN, "1700000000", "nonce42", BOX)
QUERY = {"msg_signature": SIGNATURE, "timestamp": "1700000000", "nonce": "nonce42"}
THEIRS = WeChatCrypto(TOKEN, KEY, CORP)


def ours() -> str:
    return events.parse(crypto.open_callback(TOKEN, KEY, CORP, QUERY, BODY, NOW)).change


def theirs() -> str:
    message = parse_message(THEIRS.decrypt_message(BODY, SIGNATURE, "1700000000", "nonce42"))
    return str(message._data["ChangeType"])


def cpu(work: Callable[[], str]) -> float:
    """Microseconds of CPU for one call."""
    begin = time.process_time_ns()
    for _ in range(CALLS):
        work()
    return (time.process_time_ns() - begin) / CALLS / 1000


def main() -> None:
    if ours() != theirs():
        raise SystemExit("the two do not read the same")
    rounds = [(cpu(ours), cpu(theirs)) for _ in range(ROUNDS)]
    print(f"callback_cpu {statistics.median(a for a, _ in rounds):.1f} us")
    print(f"callback_cpu_wechatpy {statistics.median(b for _, b in rounds):.1f} us")
    print(f"callback_cpu_ratio {statistics.median(a / b for a, b in rounds):.3f} x")


if __name__ == "__main__":
    main()
