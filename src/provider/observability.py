"""The Logger, Tracer and Metrics of Powertools for AWS Lambda."""

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

# Otherwise, each record looks for the current task of asyncio, which the first one has to import.
logging.logAsyncioTasks = False  # type: ignore[attr-defined] # typeshed does not know it

SERVICE = "neptune-ml"
NAMESPACE = "NeptuneML"

# Anyone who can read the query of a pre-signed URL can use it. It ends at whitespace, a quote or a backslash of JSON.
# A URL of the CloudWatch console has only the log's Region there.
_QUERY = re.compile(r"\?(?!region=[a-z0-9-]+(?:#|$))[^\s\"'\\<>]+")
_SECRET_VARIABLES = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
# An emulator's secret is "test"; removing every "test" would garble the log.
_SHORTEST_SECRET_CHARACTERS = 12


def conceal(text: str) -> str:
    """Remove secrets from a text that is about to be logged or reported.

    Returns:
        The text without the queries of URLs (a `?` with a `=` after it) and without the credentials of the function's
        role. Characters that UTF-8 cannot encode, such as half a surrogate pair, become `?`.
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
# X-Ray traces only botocore. If it traced HTTP requests, it would record the URL of the response to CloudFormation.
tracer = Tracer(service=SERVICE, patch_modules=["botocore"])


def _conceal_in_traces() -> None:
    """Conceal secrets in traces: the SDK of X-Ray records the messages of errors, which may quote requests."""
    emitter = getattr(tracer.provider, "emitter", None)
    if emitter is None:  # tracing is off
        return
    send = emitter._send_data  # noqa: SLF001 - every segment passes here, as text

    def send_concealed(data: str) -> None:
        send(conceal(data))

    emitter._send_data = send_concealed  # noqa: SLF001


_conceal_in_traces()

metrics = Metrics(service=SERVICE, namespace=NAMESPACE)
# An account may have several providers; a dashboard shows one.
metrics.set_default_dimensions(function=os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"))
# An invocation that fails may have recorded no metrics; the warning would be a line that is not JSON.
warnings.filterwarnings("ignore", "No application")


# The watchdog's thread also records metrics.
_recording = threading.Lock()


def _take_over(name: str) -> None:
    """Write a library's log through ours: its warnings, and at our level DEBUG its INFO.

    At DEBUG, botocore would log the session token with which it signs requests.
    """
    library = logging.getLogger(name)
    library.handlers = list(logger.handlers)
    library.propagate = False
    library.setLevel(logging.INFO if logger.log_level <= logging.DEBUG else max(logger.log_level, logging.WARNING))


for _library in ("boto3", "botocore", "urllib3"):
    _take_over(_library)
# crhelper would log the pre-signed URL, and a stack trace for each failure that has its own line here.
logging.getLogger("crhelper").setLevel(logging.CRITICAL)


def record(name: str, value: float, unit: str = MetricUnit.Count.value) -> None:
    """Record a value of a metric.

    Args:
        name: The metric's name.
        value: The value. A count of 0 means that the event could have occurred, but did not.
        unit: The unit, as CloudWatch names it.
    """
    with _recording:
        metrics.add_metric(name=name, unit=unit, value=value)
