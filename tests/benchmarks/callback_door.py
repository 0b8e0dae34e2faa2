"""CPU from a callback's HTTP body to its messages on the queues: Chalice, checks, decryption, two sends.

SQS is answered from memory, so what is measured is ours and botocore's.
"""

import os
import statistics
import time
from typing import Any

os.environ.update(
    AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_DEFAULT_REGION="cn-north-1",
    QUEUE_CALLBACK="https://sqs/callback.fifo", QUEUE_WELCOME="https://sqs/welcome.fifo",
    WECOM_CORP_ID="ww1a2b3c4d5e6f7081", SECRET_WECOM="wecom", PUBLIC_BASE_URL="http://127.0.0.1:8000",
)  # fmt: skip

from botocore.awsrequest import AWSResponse

from app import app
from chalicelib.platform import settings
from infra.sandbox import crypto

TOKEN, KEY, CORP = "TestToken01", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE", "ww1a2b3c4d5e6f7081"
ROUNDS, CALLS = 7, 200
EVENT = (
    f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
    "<CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType>"
    "<Event><![CDATA[change_external_contact]]></Event><ChangeType><![CDATA[add_external_contact]]></ChangeType>"
    "<UserID><![CDATA[lihua]]></UserID><ExternalUserID><![CDATA[wmTESTexternal000000000000000001]]></ExternalUserID>"
    "<State><![CDATA[mrabcdefghijklmnopqrst]]></State><WelcomeCode><![CDATA[WC]]></WelcomeCode></xml>"
)


class Raw:
    def stream(self) -> Any:
        yield b'{"MessageId": "m"}'


def event() -> dict[str, Any]:
    stamp = str(int(time.time()))
    box = crypto.seal(KEY, EVENT.encode(), CORP)
    query = {"msg_signature": crypto.signature(TOKEN, stamp, "n", box), "timestamp": stamp, "nonce": "n"}
    return {
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/wecom/callback",
            "path": "/wecom/callback",
        },
        "headers": {"Content-Type": "text/xml"},
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()},
        "pathParameters": None,
        "stageVariables": None,
        "body": crypto.envelope(box, CORP, 1).decode(),
        "isBase64Encoded": False,
    }


def main() -> None:
    secrets = {"callback_token": TOKEN, "callback_aes_key": KEY}
    settings._secrets["wecom"] = (time.monotonic(), secrets)
    settings.client("sqs").meta.events.register(
        "before-send.sqs", lambda request, **_: AWSResponse(request.url, 200, {}, Raw())
    )
    one = event()
    assert app(dict(one), None)["statusCode"] == 200
    times = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(CALLS):
            app(dict(one), None)
        times.append((time.process_time() - begun) / CALLS * 1000)
    print(f"callback_body_to_queues_cpu {statistics.median(times):.2f} ms")


if __name__ == "__main__":
    main()
