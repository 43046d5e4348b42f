"""The Lambda function's entry point."""

from __future__ import annotations

import os
from functools import cache, partial
from typing import TYPE_CHECKING

from provider.clock import Clock
from provider.custom_resource import FrontDoor
from provider.custom_resource.answer import Undeliverable
from provider.custom_resource.properties import schema_of
from provider.custom_resource.request import Unanswerable
from provider.custom_resource.waiting import WaitingQueue
from provider.journal.memory import Memory
from provider.journal.table import Table
from provider.kinds import KINDS
from provider.kinds.lookup import LOOKUP
from provider.lifecycle import Lifecycle
from provider.lookups import Lookups
from provider.neptune import Jobs
from provider.observability import logger, metrics, tracer
from provider.route_checks import RouteChecks
from provider.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_settings = Settings.from_environment(os.environ)
_clock = Clock()


# A look from the queue often runs in a warm function, which reuses the client and its open connection.
_connect = cache(partial(Jobs, region=_settings.region, resource_arn=_settings.neptune_resource_arn))
_queue = WaitingQueue(_settings.waiting_queue_url, _settings.region)
_journal = Memory() if _settings.is_local else Table(_settings.journal_table, _settings.region)

_lifecycles = {
    kind.resource_type: Lifecycle(
        kind=kind,
        schema=schema_of(kind.schema),
        clusters=_settings.clusters,
        connect=partial(_connect, kind),
        journal=_journal,
        clock=_clock,
        may_start=_settings.may_start,
        is_provided=_settings.provides(kind.resource_type),
        is_patient=not _settings.is_local,  # a person waits, who has perhaps forgotten to start a Neptune
    )
    for kind in KINDS
}
_front_door = FrontDoor(
    lifecycles=_lifecycles,
    queue=_queue,
    settings=_settings,
    clock=_clock,
    lookups={LOOKUP.resource_type: Lookups(_lifecycles, _journal, _clock)},
    checks={
        "Custom::NeptuneMLRouteCheck": RouteChecks(
            clusters=_settings.clusters,
            connect=partial(_connect, KINDS[0]),
            queue=_queue,
            journal=_journal,
            clock=_clock,
            may_start=_settings.may_start,
        )
    },
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: object, context: LambdaContext) -> dict[str, str]:
    """Fulfil a request from CloudFormation.

    Args:
        event: The request, which may be in a notification from Amazon SNS or a message from the waiting queue.
        context: The invocation.

    Returns:
        The response to CloudFormation; see `FrontDoor.handle`.

    Raises:
        Undeliverable: The response could not be delivered. The event has to be delivered again.
        Unanswerable: A response is expected, but the event does not say where to send it.
    """
    metrics.clear_metrics()  # an invocation that recorded no metrics left its dimensions
    if not (isinstance(event, dict) and "Records" in event and _queue.message_in(event)):
        _connect.cache_clear()  # a connection that was idle for long may be broken
    try:
        return _front_door.handle(event, context)
    except (Undeliverable, Unanswerable) as error:
        if not _settings.is_local:
            raise
        # The event is not redelivered, and the person who invoked the function needs the reason, not a stack trace.
        #: Or use `make invoke`.
        hint = " Is `make local` running in another terminal?" if isinstance(error, Undeliverable) else ""
        return {"Status": "UNANSWERED", "Reason": f"{error}{hint}"}
