"""A client that openapi-python-client makes of the document plays the main job: the document is enough."""

import hashlib
import hmac
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from app import app
from chalicelib.orders import service as orders
from chalicelib.platform import auth, http, openapi, settings
from tests.support.scan_support import NOON
from tests.support.wecom import FakeWeCom
from tests.support.wsgi import wsgi

pytestmark = pytest.mark.xdist_group("client")  # made once, into one folder
ROOT = Path(__file__).resolve().parents[2]
SECRET = "mall-secret"


@pytest.fixture(scope="module")
def generated() -> Iterator[Callable[[str], ModuleType]]:
    """The generated package's modules, by name. Made anew under build/."""
    folder = ROOT / "build" / "client"
    folder.mkdir(parents=True, exist_ok=True)
    app.load_all()
    routes = [route for route in http.Door.routes if route.view.__module__.startswith("chalicelib.")]
    (folder / "openapi.json").write_text(json.dumps(openapi.document(routes)))
    tools = Path(sys.executable).parent
    made = subprocess.run(
        [
            *(tools / "openapi-python-client", "generate", "--path", folder / "openapi.json", "--overwrite"),
            *("--config", ROOT / "tests/support/client.yaml", "--meta", "none"),
            *("--output-path", folder / "generated", "--fail-on-warning"),
        ],
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: importlib.import_module(f"generated.{name}")
    sys.path.remove(str(folder))


@pytest.fixture
def client(wecom: FakeWeCom, monkeypatch: pytest.MonkeyPatch, generated: Callable[[str], ModuleType]) -> Any:
    monkeypatch.setattr(settings, "secret", lambda group, name, default=None: SECRET)
    made = generated("client").AuthenticatedClient(
        base_url="http://testserver", token=auth.create_key("test", "admin"), raise_on_unexpected_status=True
    )
    made.set_httpx_client(
        httpx.Client(
            base_url="http://testserver",
            transport=httpx.WSGITransport(app=wsgi),
            headers={"Authorization": f"Bearer {made.token}", "Accept": "application/json"},
        )
    )
    return made


def test_the_main_job(generated: Callable[[str], ModuleType], client: Any, sent: list[Any]) -> None:
    models = generated("models")

    def call(name: str, *values: Any, **options: Any) -> Any:
        answer = generated(f"api.{name}").sync_detailed(*values, client=client, **options)
        assert answer.status_code < 300, (name, answer.content)
        return answer.parsed

    code = call(
        "live_codes.livecodes_create",
        body=models.NewLiveCode(
            name="Parcel card",
            channel="parcel",
            assignment=models.Assignment(members=[models.Member(staff_id="lihua", daily_cap=100)]),
        ),
    )
    scan = call("live_codes.scans_scan", code.code)
    assert (scan.kind.value, scan.staff_id) == ("staff", "lihua")
    assignments = call("live_codes.assignments_list_assignments", live_code_id=code.live_code_id)
    assert [row.assignment_id for row in assignments.items] == [scan.assignment_id]

    step = models.Step(
        step_id="intro",
        delivery=models.StepDelivery.MASS_SEND,
        content=[models.SopsText(type_=models.SopsTextType.TEXT, text="欢迎")],
    )
    sop = call(
        "sop.sops_create",
        body=models.Plan(
            name="New customer",
            trigger=models.Trigger(
                event=models.TriggerEventType0.CUSTOMER_ADDED, live_code_ids=[code.live_code_id]
            ),
            steps=[step],
        ),
    )
    assert call("sop.sops_get", sop.sop_id).counts["intro"].scheduled == 0

    plan = call(
        "distribution.distribution_create_plan",
        body=models.NewPlan(name="Two levels", levels=[models.Level(rate_bps=1000)]),
    )
    seller = call(
        "distribution.distribution_create_distributor",
        body=models.NewDistributor(
            name="王小明", openid="o1", plan_id=plan.plan_id, external_userid="wm_seller"
        ),
    )

    order = models.OrderMessage(
        order_id="M1",
        status=models.OrderMessageStatus.PAID,
        occurred_at=NOON,
        buyer=models.Buyer(external_userid="wm_buyer"),
        items=[models.Item(line_id="1", sku="MASK-01", quantity=2, price_fen=4950)],
        paid_fen=9900,
        share_code=seller.share_code,
    )
    stamp = str(int(NOON.timestamp()))
    raw = httpx.Request("POST", "http://testserver", json=order.to_dict()).content
    signature = hmac.new(SECRET.encode(), stamp.encode() + b"." + raw, hashlib.sha256).hexdigest()
    accepted = call("malls.malls_accept", "generic", body=order, x_timestamp=stamp, x_signature=signature)
    assert accepted.status.value == "accepted"
    (message,) = [message for queue, message, _ in sent if queue == "orders"]
    orders.take(message)
    (commission,) = call("distribution.distribution_list_commissions", order_id="M1").items
    assert (commission.distributor_id, commission.amount_fen) == (seller.distributor_id, 990)


def test_what_is_wrong_comes_as_the_document_says(
    generated: Callable[[str], ModuleType], client: Any
) -> None:
    models = generated("models")
    body = models.NewLiveCode(name="", tags=["no group"] * 21)
    problem = generated("api.live_codes.livecodes_create").sync(client=client, body=body)
    assert {(error.field, error.code) for error in problem.errors} == {
        ("name", "min_length"),
        ("tags", "max_items"),
    }
