"""The one Logger, Tracer and Metrics (Powertools for AWS Lambda)."""

from __future__ import annotations

import logging
import os
import re
import threading
import warnings
from typing import TYPE_CHECKING

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from aws_lambda_powertools.metrics import MetricUnit

if TYPE_CHECKING:
    from aws_lambda_powertools.logging.types import LogRecord

# Else each record asks asyncio for its current task, which the first one has to execute asyncio for.
logging.logAsyncioTasks = False  # type: ignore[attr-defined] # typeshed does not know it

SERVICE = "neptune-ml"
NAMESPACE = "NeptuneML"

# Whoever reads the query of a pre-signed URL can use it. It ends at white space, a quote or a backslash of JSON.
# That of the CloudWatch console says the Region of a log, and nothing else.
_QUERY = re.compile(r"\?(?!region=[a-z0-9-]+(?:#|$))[^\s\"'\\<>]+")
_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# Emulators give out "test"; to remove that would garble what it occurs in.
_SHORTEST_SECRET_CHARACTERS = 12


def conceal(text: str) -> str:
    """Remove what must not be written down from a text.

    Args:
        text: What is about to be logged or reported.

    Returns:
        The text without the queries of URLs (what has a `=` after a `?`), and without the credentials of the
        function's own role. What UTF-8 cannot hold (half a surrogate pair, quoted from an answer) is a `?`.
    """
    text = _QUERY.sub(lambda query: "?..." if "=" in query[0] else query[0], text)
    for name in _SECRET_VARIABLES:
        secret = os.environ.get(name, "")
        if len(secret) >= _SHORTEST_SECRET_CHARACTERS:
            text = text.replace(secret, "...")
    return text.encode(errors="replace").decode()


class _ConcealingFormatter(LambdaPowertoolsFormatter):
    def serialize(self, log: LogRecord) -> str:
        return conceal(super().serialize(log))


logger = Logger(
    service=SERVICE,
    logger_formatter=_ConcealingFormatter(use_rfc3339=True, version=os.environ.get("PROVIDER_VERSION", "unreleased")),
)
# X-Ray traces only botocore: of plain HTTP it would trace the answer to CloudFormation, too.
tracer = Tracer(service=SERVICE, patch_modules=["botocore"])


def _conceal_in_traces() -> None:
    """Conceal secrets in what goes to X-Ray: its SDK takes over the messages of errors, which may quote requests."""
    emitter = getattr(tracer.provider, "emitter", None)
    if emitter is None:  # tracing is off
        return
    send = emitter._send_data  # noqa: SLF001 - the one place that every segment passes, as text

    def send_concealed(data: str) -> None:
        send(conceal(data))

    emitter._send_data = send_concealed  # noqa: SLF001


_conceal_in_traces()

metrics = Metrics(service=SERVICE, namespace=NAMESPACE)
# A dashboard shows one provider of several in an account.
metrics.set_default_dimensions(function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"))
# An invocation that raises may have recorded none; the warning would be a line that is no JSON.
warnings.filterwarnings("ignore", "No application")


# The watchdog's thread records, too.
_recording = threading.Lock()


def _take_over(name: str) -> None:
    """Let a library's logger write through ours: once, its warnings, and at our DEBUG what it has at INFO.

    At its own DEBUG, botocore writes the session token that it signs with.
    """
    library = logging.getLogger(name)
    library.handlers = list(logger.handlers)
    library.propagate = False
    library.setLevel(logging.INFO if logger.log_level <= logging.DEBUG else max(logger.log_level, logging.WARNING))


for _library in ("boto3", "botocore", "urllib3"):
    _take_over(_library)
# crhelper writes the pre-signed response URL, and a stack trace for each failure that is logged here in a line.
logging.getLogger("crhelper").setLevel(logging.CRITICAL)


def record(name: str, value: float, unit: str = MetricUnit.Count.value) -> None:
    """Record a value of a metric.

    Args:
        name: The metric's name.
        value: The value; a count of 0 says that it could have occurred.
        unit: Its unit.
    """
    with _recording:
        metrics.add_metric(name=name, unit=unit, value=value)
