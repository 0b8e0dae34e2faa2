"""The embedded AWS: MiniStack, made to do what this product relies on. Run by .venv-ministack's Python.

This is the one place where we work around the emulator (docs/local-stack.md says where it falls
short and how each was found). It is written against one version of it and refuses any other.
The launcher talks to it on `/_local/…`; it saves its state and ends when its standard input closes.
"""

import asyncio
import contextvars
import functools
import hashlib
import json
import os
import shlex
import signal
import sys
import tempfile
import threading
import time
import types
import zipfile
from collections import Counter, defaultdict
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import emulator_state
import ministack.app as ministack
from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.core import iam_actions, iam_evaluator, lambda_runtime
from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import dynamodb, eventbridge, lambda_svc, scheduler, secretsmanager, sqs
from ministack.services.cloudformation import changesets

WRITTEN_FOR = "1.5.33"
CLOCK_FILE = Path(os.environ["MILLRACE_CLOCK_FILE"])
BARE_PYTHON = Path(os.environ["TMPDIR"], "python")
BATCHES = {  # IAM has no actions for them: AWS asks for that of the single call
    "SendMessageBatch": "SendMessage",
    "DeleteMessageBatch": "DeleteMessage",
    "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
}
# Environments of one function: each more than there are cores is a cold start that nobody gains by.
AT_ONCE = max(2, min(4, os.cpu_count() or 4))
RETRY_PAUSE = 1.0  # seconds before a stream's failed batch is tried again


class Clock:
    """Time as the functions see it. Queues (delays, time-outs) and schedules go by it."""

    def __init__(self) -> None:
        self.offset = float(CLOCK_FILE.read_text() or 0) if CLOCK_FILE.exists() else 0.0

    def now(self) -> float:
        return time.time() + self.offset

    def forward(self, offset: float) -> None:
        """To this offset; never back: whoever worked it out may have been slow, and that time has passed."""
        offset = max(self.offset, offset)
        partial = CLOCK_FILE.with_suffix(".new")
        partial.write_text(str(offset))
        partial.replace(CLOCK_FILE)
        self.offset = offset


clock = Clock()


class Activity:
    """What is going on, exactly: nothing may start unseen between two looks."""

    def __init__(self) -> None:
        self.started = 0  # invocations, ever
        self.changes = 0  # requests that may have changed something, ever
        self.pending = 0  # asynchronous invocations, their retries, stream batches, looks at the queues
        self.lock = threading.Lock()

    def add(self, pending: int = 0, started: int = 0) -> None:
        with self.lock:
            self.pending += pending
            self.started += started

    def running(self) -> bool:
        batches = sum(lambda_svc._esm_inflight.values())
        return bool(self.pending or lambda_svc.executions_in_flight()[0] or batches)

    def busy(self) -> bool:
        before = self.started
        # The second time for what was taken from a queue just before we looked there.
        work = self.running() or visible_messages() or streams_behind() or self.running()
        return bool(work or before != self.started)


activity = Activity()
deployed = threading.Event()  # set by the launcher


def once_deployed(poll: Any) -> Any:
    """What is kept from the last run waits for this one's functions: a deploy ends those at work.

    AWS lets a function finish while it is deployed anew; here it would die, and its message with it
    be hidden for the queue's visibility time-out, minutes.
    """
    return lambda: deployed.is_set() and poll()


def pending_while(poll: Any) -> Any:
    """A look at the queues hides a message before it counts its batch: it is pending all the while."""

    def run() -> Any:
        activity.add(pending=1)
        try:
            return poll()
        finally:
            activity.add(pending=-1)

    return run


# Queues and schedules by our clock ---------------------------------------------------------------


def use_clock() -> None:
    """SQS and Scheduler ask the module `time`: theirs is ours. Schedules are looked at each second."""
    shifted = types.SimpleNamespace(**{**vars(time), "time": clock.now})
    sqs.time = scheduler.time = shifted
    scheduler._SCHEDULE_TICK_INTERVAL = 1
    scheduler._tick_schedules = once_deployed(under_lock(scheduler._tick_schedules))


def under_lock(function: Any) -> Any:
    lock = threading.Lock()

    def run() -> None:
        with lock:
            function()

    return run


def free_messages() -> None:
    """What was being worked on when all ended is there at once, not only when its time-out is over."""
    load = sqs.load_persisted_state

    def load_persisted_state(data: dict[str, Any]) -> None:
        load(data)
        for queue in sqs._queues._data.values():
            for message in queue["messages"]:
                if message["receive_count"]:
                    message["visible_at"] = min(message["visible_at"], clock.now())

    sqs.load_persisted_state = load_persisted_state


def consumed_queues() -> list[dict[str, Any]]:
    """Queues that a function consumes; dead-letter queues wait for people."""
    arns = {esm.get("EventSourceArn") for _, _, esm in lambda_svc._iter_all_esms()}
    return [q for q in sqs._queues._data.values() if q["attributes"].get("QueueArn") in arns]


def visible_messages() -> int:
    now = clock.now()
    return sum(message["visible_at"] <= now for q in consumed_queues() for message in list(q["messages"]))


def next_message() -> float | None:
    """When the first message that is delayed, or failed and hidden, can be had again."""
    now = clock.now()
    hidden = [
        m["visible_at"] for q in consumed_queues() for m in list(q["messages"]) if m["visible_at"] > now
    ]
    return min(hidden, default=None)


def retry_failed_messages() -> None:
    """What failed, and is hidden until its time-out is over, can be had at once, if nothing is running."""
    now = clock.now()
    hidden = [
        (message, message["visible_at"])
        for queue in consumed_queues()
        for message in list(queue["messages"])
        if message["receive_count"] and message["visible_at"] > now
    ]
    if activity.running():
        return
    for message, until in hidden:
        if message["visible_at"] == until:  # nobody has taken it since
            message["visible_at"] = now
    lambda_svc._esm_wake.set()


def next_schedule() -> float | None:
    """When the next schedule fires that names a time (rates are the ticker's: they fire when asked to)."""
    times = []
    for key, schedule in list(scheduler._schedules._data.items()):
        fields = eventbridge._parse_cron_fields(schedule["ScheduleExpression"])
        last = scheduler._schedule_last_fired.get(key)
        if fields and last is not None:
            at = eventbridge._cron_next_fire(fields, datetime.fromtimestamp(last, tz=timezone.utc))
            times.append(at.timestamp())
    return min(times, default=None)


def fire_schedules() -> None:
    """Fire what is due by the clock, and every rate at once."""
    for key, schedule in list(scheduler._schedules._data.items()):
        if eventbridge._parse_rate_seconds(schedule["ScheduleExpression"]):
            scheduler._schedule_last_fired[key] = 0
    scheduler._tick_schedules()


# Asynchronous invocations, counted ---------------------------------------------------------------


class CountedThread(threading.Thread):
    """Counts an asynchronous invocation from before it starts until its last retry is over."""

    _counts = False

    def start(self) -> None:
        target = next(iter(self._args), None)  # type: ignore[attr-defined]
        self._counts = getattr(target, "__qualname__", "").startswith("invoke_async_with_retry")
        activity.add(pending=self._counts)
        super().start()

    def run(self) -> None:
        try:
            super().run()
        finally:
            activity.add(pending=-self._counts)


def count_invocations() -> None:
    lambda_svc.threading = types.SimpleNamespace(**{**vars(threading), "Thread": CountedThread})
    execute = lambda_svc._execute_function_dispatch
    gates: defaultdict[str, threading.Semaphore] = defaultdict(lambda: threading.Semaphore(AT_ONCE))

    def counted(function: Any, config: dict[str, Any], *rest: Any) -> Any:
        activity.add(started=1)
        with gates[config["FunctionName"]]:
            return execute(function, config, *rest)

    def from_schedule(arn: str, payload: str) -> None:
        function, config, _ = lambda_svc._get_func_record_for_ref(arn)
        record = lambda_svc._execution_record_for_config(function, config)
        lambda_svc.invoke_async_with_retry(record, json.loads(payload))

    lambda_svc._execute_function_dispatch = counted
    # A schedule's invocation is asynchronous on AWS: retried twice, then parked.
    eventbridge._dispatch_to_lambda = from_schedule


# Streams ----------------------------------------------------------------------------------------


class StreamConsumer:
    """One mapping of a table's stream to a function.

    In its own thread, so that a slow one holds up neither queues nor the others; with partial
    batch responses, bisection, bounded retries and the failure destination, as AWS has them.
    """

    def __init__(self, account: str, region: str, esm: dict[str, Any]):
        self.account, self.region, self.esm = account, region, esm
        self.table = esm["EventSourceArn"].split("/")[1]
        self.size: int = esm["BatchSize"]
        self.failures = 0
        self.idle_until = 0.0
        self.working = False

    def behind(self) -> bool:
        scope = {"account_id": self.account, "region": self.region}
        return self.position() < dynamodb.stream_end_position(self.table, **scope)

    def position(self) -> int:
        scope = (self.account, self.region, self.esm["UUID"])
        position: int = lambda_svc._dynamodb_stream_positions._data.get(scope, 0)
        return max(
            position, dynamodb.stream_start_position(self.table, account_id=self.account, region=self.region)
        )

    def poll(self) -> bool:
        if self.working or time.monotonic() < self.idle_until or not self.behind():
            return False
        self.working = True
        activity.add(pending=1)
        threading.Thread(target=contextvars.copy_context().run, args=(self.run,), daemon=True).start()
        return True

    def run(self) -> None:
        try:
            set_request_account_id(self.account)
            set_request_region(self.region)
            self.work(self.position())
        except Exception as error:
            self.idle_until = time.monotonic() + RETRY_PAUSE
            print(f"stream consumer of {self.table}: {error!r}", file=sys.stderr)
        finally:
            self.working = False
            activity.add(pending=-1)
            lambda_svc._esm_wake.set()

    def work(self, position: int) -> None:
        raw = dynamodb.stream_records_since(self.table, position, self.size)
        batch = lambda_svc._apply_filter_criteria(raw, self.esm)
        result: dict[str, Any] = {}
        if batch:
            function, _ = lambda_svc._get_func_record_for_qualifier(self.esm["FunctionName"], None)
            result = lambda_svc._execute_function(function, self.event(batch))
        done = self.done(raw, batch, result)
        if done < len(raw):
            done += self.retry(raw[done:], result, first=done == 0)
        else:
            self.size, self.failures = self.esm["BatchSize"], 0
        lambda_svc._dynamodb_stream_positions._data[(self.account, self.region, self.esm["UUID"])] = (
            position + done
        )

    def event(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """A window's event names the shard; there is one here. Mappings do not keep the window's length."""
        shard = "shardId-00000001700000000000-00000001"
        return {"Records": batch, "shardId": shard, "eventSourceARN": self.esm["EventSourceArn"], "state": {}}

    def done(self, raw: list[Any], batch: list[Any], result: dict[str, Any]) -> int:
        """How many of the records are through: all, none, or those before the first reported as failed."""
        if not batch:
            return len(raw)
        if result.get("error"):
            return 0
        answer = result.get("body")
        reported = answer.get("batchItemFailures") if isinstance(answer, dict) else None
        failed = {item.get("itemIdentifier") for item in reported or []}
        if not failed:
            return len(raw)
        at = [i for i, record in enumerate(raw) if record["dynamodb"]["SequenceNumber"] in failed]
        return at[0] if at else 0  # an unknown number fails the whole batch

    def retry(self, rest: list[Any], result: dict[str, Any], *, first: bool) -> int:
        """Prepare the next try of what failed; answers how many of `rest` are given up (0: none yet)."""
        self.failures = self.failures + 1 if first else 1
        self.idle_until = time.monotonic() + RETRY_PAUSE
        divisible = self.esm.get("BisectBatchOnFunctionError") and len(rest) > 1
        if divisible:
            self.size = max(1, len(rest) // 2)
        limit = int(self.esm.get("MaximumRetryAttempts", -1))
        if divisible or limit < 0 or self.failures <= limit:
            return 0
        function, _ = lambda_svc._get_func_record_for_qualifier(self.esm["FunctionName"], None)
        source = self.esm["EventSourceArn"]
        lambda_svc._send_ddb_stream_failure_record(
            self.esm, function, rest, source, result, "RetryAttemptsExhausted"
        )
        self.size, self.failures = self.esm["BatchSize"], 0
        return len(rest)


consumers: dict[str, StreamConsumer] = {}


def stream_consumers() -> list[StreamConsumer]:
    waiting = []
    for account, region, esm in lambda_svc._iter_all_esms():
        if esm.get("Enabled", True) and "/stream/" in esm.get("EventSourceArn", ""):
            consumer = consumers.get(esm["UUID"])
            if consumer is None or consumer.esm is not esm:
                consumer = consumers[esm["UUID"]] = StreamConsumer(account, region, esm)
            waiting.append(consumer)
    return waiting


def streams_behind() -> bool:
    return any(consumer.behind() for consumer in stream_consumers())


def poll_streams() -> bool:
    begun = [consumer.poll() for consumer in stream_consumers()]
    return any(begun)


# Execution environments -------------------------------------------------------------------------


class SharedZip(zipfile.ZipFile):
    """Unpacks an archive once and links to it from then on: a layer has 1,500 files, a burst many workers."""

    def top(self) -> list[str]:
        return sorted({name.partition("/")[0] for name in super().namelist()})

    def namelist(self) -> list[str]:
        return self.top()

    def extractall(self, path: Any = None, members: Any = None, pwd: Any = None) -> None:
        digest = hashlib.sha256(repr([(i.filename, i.CRC) for i in self.infolist()]).encode()).hexdigest()
        shared = Path(tempfile.gettempdir(), "unpacked", digest)
        with SharedZip.lock:
            if not shared.exists():
                super().extractall(shared.with_suffix(".new"), super().namelist())
                shared.with_suffix(".new").rename(shared)
        for name in self.top():
            Path(path, name).symlink_to(shared / name)

    lock = threading.Lock()


def bare_python(runtime: str) -> tuple[str, str]:
    """Python as Lambda has it: with the layers' packages, and without those of the emulator."""
    return str(BARE_PYTHON), lambda_runtime._PYTHON_WORKER_SCRIPT


def environments() -> None:
    lambda_runtime.zipfile = types.SimpleNamespace(**{**vars(zipfile), "ZipFile": SharedZip})
    BARE_PYTHON.write_text(f'#!/bin/sh\nexec {shlex.quote(sys._base_executable)} -S "$@"\n')  # type: ignore[attr-defined]
    BARE_PYTHON.chmod(0o755)
    lambda_runtime._detect_runtime_binary = bare_python
    # 50 ms after each invocation that logged nothing, in case a line still came.
    lambda_runtime.Worker._drain_stderr_bounded.__defaults__ = (0.002, 0.002, 0.05)
    lambda_svc._ESM_IDLE_WAKE_GAP_SECONDS = 0.005
    # One batch at a time of a FIFO queue; the queue itself already keeps a group's batches apart.
    concurrency = lambda_svc._sqs_esm_concurrency
    lambda_svc._sqs_esm_concurrency = lambda esm, function, config, queue=None: min(
        AT_ONCE, concurrency(esm, function, config)
    )


def parse_policies_once() -> None:
    """A function's policies are evaluated at each of its requests; MiniStack parses them anew each time."""
    parse = iam_evaluator.parse_policy_document
    parse_text = functools.cache(parse)
    iam_evaluator.parse_policy_document = lambda document: (
        parse_text(document) if isinstance(document, str) else parse(document)
    )


def resolve_callers_once() -> None:
    """Who calls is looked up three times a request, with all policies; for a second it is the same."""
    resolve = iam_evaluator.resolve_principal

    known: dict[tuple[int, str, str, bool], Any] = {}

    def resolve_once(access_key_id: str, account_id: str, credential: Any = None) -> Any:
        caller = (int(time.monotonic()), access_key_id, account_id, credential is None)
        if caller not in known:
            if len(known) > 200:
                known.clear()
            known[caller] = resolve(access_key_id, account_id, credential)
        return known[caller]

    iam_evaluator.resolve_principal = resolve_once


def authorize_batches() -> None:
    named = iam_actions._action_from_target

    def action(headers: dict[str, str]) -> str | None:
        name = named(headers)
        return BATCHES.get(name or "", name)

    iam_actions._action_from_target = action


def import_secrets() -> None:
    """A secret can be imported into a stack on AWS; here tables and buckets can."""
    kind = "AWS::SecretsManager::Secret"

    def named(arn: str) -> str | None:
        return next((name for name, s in secretsmanager._secrets.items() if s["ARN"] == arn), None)

    def problem(arn: str) -> str | None:
        return None if named(arn) else f"Resource of type '{kind}' with identifier '{arn}' was not found."

    changesets._IMPORT_LOOKUPS[kind] = (("Id",), problem)
    changesets._RESOURCE_HANDLERS[kind]["import"] = lambda identifier: (
        named(identifier["Id"]),
        {"Id": identifier["Id"], "Arn": identifier["Id"]},
    )


def control(method: str, path: str, body: bytes) -> dict[str, Any]:
    """What the launcher asks."""
    if (method, path) == ("POST", "/_local/clock"):
        clock.forward(float(json.loads(body)["offset"]))
    elif (method, path) == ("POST", "/_local/fire"):
        fire_schedules()
    elif (method, path) == ("POST", "/_local/retry"):
        retry_failed_messages()
    elif (method, path) == ("POST", "/_local/deployed"):
        deployed.set()
        lambda_svc._esm_wake.set()
    elif (method, path) == ("POST", "/_local/save"):
        return {"child": emulator_state.begin_save(json.loads(body)["folder"])}
    elif (method, path) == ("POST", "/_local/saved"):
        return {"saved": emulator_state.is_saved(json.loads(body)["child"])}
    return {
        "now": clock.now(),
        "busy": activity.busy(),
        "next_message": next_message(),
        "next_schedule": next_schedule(),
        "invocations": activity.started,
        "changes": activity.changes,
        "dead": {
            q["name"]: len(q["messages"]) for q in list(sqs._queues._data.values()) if "-dlq" in q["name"]
        },
        "queues": dict(Counter({q["name"]: len(q["messages"]) for q in consumed_queues() if q["messages"]})),
    }


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http" or not scope["path"].startswith("/_local/"):
        activity.changes += scope["type"] == "http" and scope["method"] != "GET"
        await ministack.app(scope, receive, send)
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    if scope["path"] == "/_local/saved":  # which waits
        found = await asyncio.to_thread(control, scope["method"], scope["path"], body)
    else:
        found = control(scope["method"], scope["path"], body)
    answer = json.dumps(found).encode()
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


async def main() -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def watch_parent() -> None:
        sys.stdin.buffer.read()  # ends when the launcher does, however it ended
        loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch_parent, daemon=True).start()
    config = Config()
    config.bind = [f"{os.environ['BIND_HOST']}:{os.environ['GATEWAY_PORT']}"]
    config.keep_alive_timeout = 75
    config.loglevel = "ERROR"
    config.graceful_timeout = 1
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]
    os._exit(0)  # the state is saved; threads may sleep on


if __name__ == "__main__":
    if version("ministack") != WRITTEN_FOR:
        raise SystemExit(f"written for ministack {WRITTEN_FOR}, this is {version('ministack')}")
    use_clock()
    count_invocations()
    environments()
    emulator_state.keep_state(Path(os.environ["CODE_DIR"]))
    free_messages()
    authorize_batches()
    parse_policies_once()
    resolve_callers_once()
    import_secrets()
    lambda_svc._poll_sqs = once_deployed(pending_while(lambda_svc._poll_sqs))
    lambda_svc._poll_dynamodb_streams = once_deployed(poll_streams)
    asyncio.run(main())
