"""What the emulator keeps on disk: all services' state of one instant, saved while it goes on working.

MiniStack saves only when it stops, service by service. Here a copy of the process saves (fork, as Redis does
for its snapshots): its memory is that of the instant, and nobody waits for it. The event loop forks, so no
request is half done; the locks of the background threads are held meanwhile.
"""

import copy
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import ministack.app as ministack
from ministack.core import persistence
from ministack.services import dynamodb, lambda_svc, sqs

LOCKS = (
    dynamodb._lock,
    dynamodb._stream_seq_lock,
    sqs._queues_lock,
    lambda_svc._dynamodb_stream_positions_lock,
    lambda_svc._esm_inflight_lock,
)


def begin_save(folder: str) -> int:
    """Save the state as it is now into `folder`; the process id of who does it."""
    with ExitStack() as held:
        for lock in LOCKS:
            held.enter_context(lock)
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        persistence.STATE_DIR = folder
        persistence.save_all(ministack._build_persistence_save_dict())
        status = 0
    except BaseException as error:
        print(f"the state could not be saved: {error!r}", file=sys.stderr)
    finally:
        os._exit(status)


def is_saved(child: int) -> bool:
    """Wait until it is done; whether it came to an end."""
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def keep_state(code: Path) -> None:
    """Save only when asked to; `code`: the folder of archives, one file each, which all saves share."""
    ministack.save_all = lambda services: None
    keep_code_once(code)
    keep_streams()
    move_queues()


def keep_code_once(folder: Path) -> None:
    """MiniStack writes the layers, 80 MB of base64, into each save; functions' archives are files already."""
    lambda_svc.CODE_BLOB_DIR = str(folder)
    prune, lambda_svc._prune_orphan_code_blobs = lambda_svc._prune_orphan_code_blobs, lambda referenced: None
    state, load = lambda_svc.get_state, lambda_svc.load_persisted_state

    def get_state() -> dict[str, Any]:
        saved = state()
        for version in versions(saved["layers"]):
            if isinstance(version.get("_zip_data"), bytes):
                version["_zip_data"] = {
                    lambda_svc._BLOB_REF_KEY: lambda_svc._write_code_blob(version["_zip_data"])
                }
        return saved

    def load_persisted_state(saved: dict[str, Any]) -> None:
        referenced = {
            code[lambda_svc._BLOB_REF_KEY]
            for function in saved["functions"]._data.values()
            for code in (v.get("code_zip") for v in (function, *function.get("versions", {}).values()))
            if isinstance(code, dict)
        }
        for version in versions(saved["layers"]):
            if isinstance(version.get("_zip_data"), dict):
                digest = version["_zip_data"][lambda_svc._BLOB_REF_KEY]
                version["_zip_data"] = lambda_svc._read_code_blob(digest)
                referenced.add(digest)
        load(saved)
        prune(referenced)

    lambda_svc.get_state, lambda_svc.load_persisted_state = get_state, load_persisted_state


def versions(layers: Any) -> list[dict[str, Any]]:
    return [version for layer in layers._data.values() for version in layer["versions"]]


def keep_streams() -> None:
    """MiniStack keeps how far a consumer is, not the records: after a start the next would be lost."""
    state, load = dynamodb.get_state, dynamodb.load_persisted_state
    stores = {"records": dynamodb._stream_records, "trimmed": dynamodb._stream_trimmed}

    def get_state() -> dict[str, Any]:
        return {**state(), **{f"stream_{name}": copy.deepcopy(store) for name, store in stores.items()}}

    def load_persisted_state(data: dict[str, Any]) -> None:
        load(data)
        for name, store in stores.items():
            store.update(data.get(f"stream_{name}", {}))

    dynamodb.get_state, dynamodb.load_persisted_state = get_state, load_persisted_state


def move_queues() -> None:
    """MiniStack finds a queue by its address, which holds the port: the last run's may be another's by now,
    and nothing would consume the queue any more.
    """
    load = sqs.load_persisted_state

    def load_persisted_state(data: dict[str, Any]) -> None:
        load(data)
        queues = sqs._queues._data
        for (account, region, url), queue in list(queues.items()):
            queue["url"] = sqs._queue_url_for_account(account, queue["name"])
            queues[account, region, queue["url"]] = queues.pop((account, region, url))
        sqs._rebuild_queue_name_index()

    sqs.load_persisted_state = load_persisted_state
