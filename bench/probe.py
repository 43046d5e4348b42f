"""One cold start: imports a function, invokes it with a Delete, and measures until its first call of Neptune.

This script runs in a process of its own, with only the standard library and the package, as in Lambda. It prints one
line of JSON: the seconds from the beginning of the import to its end and to the call, and the peak memory in KiB. These
are seconds of processor time, so that other load on the machine does not count. A stand-in for DynamoDB has an empty
journal.
"""

from __future__ import annotations

# Lambda's runtime imports these before the function, so they are not part of its cold start.
import concurrent.futures.thread  # noqa: F401
import decimal  # noqa: F401
import importlib
import json
import logging  # noqa: F401
import os
import re
import resource
import socket
import sys
import threading
import time
import traceback  # noqa: F401
from pathlib import Path
from typing import Any, NoReturn

_FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:provider"
_LENGTH = re.compile(rb"content-length: *([0-9]+)", re.I)


class _Context:
    function_name = "provider"
    function_version = "$LATEST"
    memory_limit_in_mb = 256
    invoked_function_arn = _FUNCTION_ARN
    aws_request_id = "52fdfc07-2182-454f-963f-5f0f9a621d72"
    log_group_name = "/aws/lambda/provider"
    log_stream_name = "2026/01/01/[$LATEST]0123456789abcdef"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def _delete(endpoint: str, physical_id: str) -> dict[str, Any]:
    return {
        "RequestType": "Delete",
        "RequestId": "5ab1a0c0-0f0c-11f0-8f5c-0e0c0ffee000",
        "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/graph/5ab1a0c0-0f0c-11f0-8f5c-0e0c0ffee000",
        "ResponseURL": "https://127.0.0.1:9/answer?X-Amz-Signature=none",
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "LogicalResourceId": "Job",
        "PhysicalResourceId": physical_id.format(endpoint=endpoint, id="job-1"),
        "ResourceProperties": {"ServiceToken": _FUNCTION_ARN, "Endpoint": endpoint, "Id": "job-1"},
    }


def _peak_memory() -> int:
    """Return it in KiB. Linux lets `ru_maxrss` begin with that of the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(peak.split()[1])
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS
    return peak_bytes // 1024


def _serve_empty_journal(listening: socket.socket) -> None:
    """Answer each request on one connection that there is no such item, or that it is written."""
    connection, _ = listening.accept()
    with connection.makefile("rb") as requests:
        while (head := b"".join(iter(requests.readline, b"\r\n"))) and (length := _LENGTH.search(head)):
            requests.read(int(length[1]))
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: 2\r\n\r\n{}"
            )


def main(package: str, entry_point: str, physical_id: str) -> None:
    """Measure one cold start.

    Args:
        package: The function's unzipped package.
        entry_point: Its handler, as in `module.function`.
        physical_id: The physical ID of the resource that is deleted, with `{endpoint}` and `{id}`.
    """
    neptune = socket.create_server(("127.0.0.1", 0))
    endpoint = f"http://127.0.0.1:{neptune.getsockname()[1]}"
    os.environ["NEPTUNE_ENDPOINT"] = endpoint
    dynamodb = socket.create_server(("127.0.0.1", 0))
    os.environ["AWS_ENDPOINT_URL_DYNAMODB"] = f"http://127.0.0.1:{dynamodb.getsockname()[1]}"
    threading.Thread(target=_serve_empty_journal, args=(dynamodb,), daemon=True).start()
    sys.path.insert(0, package)
    module_name, _, name = entry_point.rpartition(".")

    began = time.process_time()
    module = importlib.import_module(module_name)
    handler = getattr(module, name)
    imported = time.process_time()

    def report() -> NoReturn:
        called = time.process_time()
        measured = {
            "import_seconds": imported - began,
            "first_call_seconds": called - began,
            "peak_kib": _peak_memory(),
        }
        os.write(1, f"\n{json.dumps(measured)}\n".encode())
        os._exit(0)  # the function would wait for an answer

    def take_call() -> None:
        connection, _ = neptune.accept()
        connection.recv(1)
        report()

    threading.Thread(target=take_call, daemon=True).start()
    handler(_delete(endpoint, physical_id), _Context())
    sys.exit("the function ended without a call")


if __name__ == "__main__":
    main(str(Path(sys.argv[1]).resolve()), *sys.argv[2:])
