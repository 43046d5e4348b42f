"""The Lambda function's entry point."""

from __future__ import annotations

import gc

# What is imported stays: to collect garbage among it would take a tenth of a cold start.
gc.disable()

import os
from functools import lru_cache, partial
from typing import TYPE_CHECKING

from provider.deferral import deferred

# What is imported and not used, or not by the Delete of a job. To execute it would take a fifth of a cold start.
SELDOM_USED = (
    # asynchronous decorators, source code, AWS profiles, archives, mail, the suggestion of a property's name
    *("asyncio", "ast", "tokenize", "configparser", "shutil", "zipfile", "email.header", "mimetypes", "difflib"),
    "multiprocessing.shared_memory",
    # what boto3 waits, retries and reports with elsewhere, and queries JSON with
    *("botocore.waiter", "botocore.retries.adaptive", "botocore.monitoring", "botocore.vendored.six"),
    *("jmespath.parser", "jmespath.functions", "aws_lambda_powertools.utilities.jmespath_utils"),
    # ours
    *("provider.custom_resource.following", "provider.custom_resource.handle", "provider.route_checks"),
    *("provider.lifecycle.completing", "provider.lifecycle.leftovers", "provider.lifecycle.moves"),
    *("provider.lifecycle.own_jobs", "provider.lifecycle.starting", "provider.lifecycle.updating"),
)

with deferred(*SELDOM_USED):
    from provider import route_checks
    from provider.clock import Clock
    from provider.custom_resource import FrontDoor
    from provider.custom_resource.answer import Undeliverable
    from provider.custom_resource.properties import schema_of
    from provider.custom_resource.request import Unanswerable
    from provider.custom_resource.waiting import WaitingQueue
    from provider.kinds import KINDS
    from provider.lifecycle import Lifecycle
    from provider.neptune import Jobs
    from provider.observability import logger, metrics, tracer
    from provider.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

gc.freeze()
gc.enable()

_settings = Settings.from_environment(os.environ)
_clock = Clock()


# The queue's next look is often a warm function's: it finds its client made, and its connection open.
_connect = lru_cache(maxsize=16)(partial(Jobs, region=_settings.region, resource_arn=_settings.neptune_resource_arn))
_queue = WaitingQueue(_settings.waiting_queue_url, _settings.region)


def _route_checks() -> route_checks.RouteChecks:
    return route_checks.RouteChecks(_settings.clusters, partial(_connect, KINDS[0]), _queue, _clock)


_front_door = FrontDoor(
    lifecycles={
        kind.resource_type: Lifecycle(
            kind=kind,
            schema=schema_of(kind.schema),
            clusters=_settings.clusters,
            connect=partial(_connect, kind),
            clock=_clock,
            may_start=_settings.may_start,
            is_provided=_settings.provides(kind.resource_type),
            is_patient=not _settings.is_local,  # a person waits, who has perhaps forgotten to start a Neptune
        )
        for kind in KINDS
    },
    queue=_queue,
    settings=_settings,
    clock=_clock,
    on_demand={"Custom::NeptuneMLRouteCheck": _route_checks},
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, str]:
    """Fulfil one request of CloudFormation.

    Args:
        event: The request, also in the envelope of Amazon SNS, or the waiting queue's message with one.
        context: The invocation.

    Returns:
        What CloudFormation was told; see `FrontDoor.handle`.

    Raises:
        Undeliverable: CloudFormation could not be told; the event is to be delivered again.
        Unanswerable: Somebody waits for an answer, and the event does not say where it may be given.
    """
    metrics.clear_metrics()  # an invocation that recorded none has left its dimensions
    if not (isinstance(event, dict) and "Records" in event and _queue.message_in(event)):
        _connect.cache_clear()  # a connection that was idle for long may be dead without a sign
    try:
        return _front_door.handle(event, context)
    except (Undeliverable, Unanswerable) as error:
        if not _settings.is_local:
            raise
        # Nobody delivers the event again, and whoever invoked it needs the reason, not a stack trace.
        hint = " Is `make local` running in another terminal?" if isinstance(error, Undeliverable) else ""
        return {"Status": "UNANSWERED", "Reason": f"{error}{hint}"}
