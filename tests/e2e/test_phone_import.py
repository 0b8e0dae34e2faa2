"""Phone import from outside: a file in, a guide signed in by WeCom, the page worked, the arrival known."""

import re
from urllib.parse import urlsplit

import urllib3

from infra.local.client import LocalStack

CONSENT = "会员注册页勾选同意导购联系"


def test_from_a_file_to_a_customer(stack: LocalStack) -> None:
    http = urllib3.PoolManager(retries=False)
    stack.sandbox("POST", "staff", {"userid": "phone_guide", "name": "李华"})
    body = {"name": "会员日", "format": "csv", "staff": {"staff_ids": ["phone_guide"]}, "consent": CONSENT}
    made = stack.api("POST", "/api/prospect-imports", body)
    table = "手机号,姓名\n138 0013 8000,张三\n1.38E+10,李四\n13900139000,王五\n".encode("gb18030")
    put = http.request("PUT", made["upload_url"], body=table, headers=made["upload_headers"])
    assert put.status == 200, put.data
    job = stack.api("POST", f"/api/prospect-imports/{made['import_id']}/start", expect=202)
    stack.drain()
    job = stack.api("GET", f"/api/jobs/{job['job_id']}")
    assert job["status"] == "finished", job
    assert (
        "丢失了数字".encode() in http.request("GET", job["result_url"]).data
    )  # in the language of who asked
    stack.api("POST", "/api/prospects/lists", expect=202)
    stack.drain()
    cards = stack.api("GET", "/_sandbox/messages?receiver=phone_guide")["items"]
    assert [m["textcard"]["url"] for m in cards if m.get("msgtype") == "textcard"] == [
        f"{stack.base}/h5/tasks"
    ]

    # The guide's browser: to WeCom, back with a code, to the page.
    began = stack.request("GET", "/h5/tasks")
    cookie = began.headers["Set-Cookie"].split(";")[0]
    chosen = began.headers["Location"].split("#")[0] + "&member=phone_guide"
    back = urlsplit(http.request("GET", chosen, redirect=False).headers["Location"])
    signed = stack.request("GET", f"{back.path}?{back.query}", headers={"Cookie": cookie})
    assert signed.status == 303
    session = {"Cookie": signed.headers["Set-Cookie"].split(";")[0]}
    page = stack.request("GET", "/h5/tasks", headers=session).data.decode()
    assert "13800138000" in page and "13900139000" in page
    task, code = re.findall(r'/h5/tasks/([a-z2-7]{26})".*?', page)[0], re.findall(r'id="t-(\w{8})"', page)[0]
    token = re.search('name="csrf" value="([^"]+)"', page)
    assert token
    form = {"Content-Type": "application/x-www-form-urlencoded", **session}
    said = stack.request("POST", f"/h5/tasks/{task}", f"csrf={token[1]}&status=asked".encode(), form)
    assert (said.status, said.headers["Location"]) == (303, f"/h5/tasks#t-{code}")

    # They accept; the guide pastes the remark.
    added = stack.sandbox("POST", "add", {"staff_id": "phone_guide", "name": "三哥"})
    bond = {"staff_id": "phone_guide", "external_userid": added["external_userid"]}
    stack.drain()
    stack.sandbox("POST", "edit", {**bond, "remark": f"张三 {code}"})
    stack.drain()
    told = stack.api("GET", f"/api/prospect-imports/{made['import_id']}")
    assert (told["new"], told["bad"], told["statuses"]["added"]) == (2, 1, 1), told
    customer = stack.api("GET", f"/api/customers/{added['external_userid']}")
    assert customer["channel"] == "phone"
    logs = "".join("".join(stack.logs(name)) for name in ("api", "prospect", "match", "route", "callback"))
    assert "13800138000" not in logs and "13900139000" not in logs

    # An erasure takes the files of exports with it.
    job = stack.api("POST", "/api/prospects/exports", {}, expect=202)
    stack.drain()
    url = stack.api("GET", f"/api/jobs/{job['job_id']}")["result_url"]
    assert task.encode() in http.request("GET", url).data
    stack.api("DELETE", f"/api/prospects/{task}")
    assert http.request("GET", url).status == 404
