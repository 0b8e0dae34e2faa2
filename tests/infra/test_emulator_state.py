"""What the emulator finds again after a start, in the interpreter that it has for itself."""

import os
import subprocess
from pathlib import Path

from infra.local.__main__ import EMULATOR

ELSEWHERE = """
import sys
from pathlib import Path

import emulator_state
from ministack.services import sqs

sqs._act_create_queue({"QueueName": "assign"}, "")
saved = sqs.get_state()
sqs._queues.clear()
sqs.DEFAULT_PORT = "4999"
emulator_state.keep_state(Path(sys.argv[1]))
sqs.load_persisted_state(saved)
url = sqs._queue_url("assign")
arn = sqs._queues.get(url)["attributes"]["QueueArn"]  # as a function that consumes it finds it
print(url, len(sqs._queues._data), sqs._queue_by_arn(arn)["url"])
"""


def test_a_queue_is_found_on_another_port_than_the_last_run_s(tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "infra" / "local"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "GATEWAY_PORT": "4566"}
    ran = subprocess.run(
        [str(EMULATOR), "-c", ELSEWHERE, str(tmp_path)], env=environment, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    url, count, by_arn = ran.stdout.split()
    assert ":4999/" in url and url == by_arn and count == "1"
