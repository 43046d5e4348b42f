"""The Lambda function's entry point."""

from __future__ import annotations

import gc

# What is imported stays: to collect garbage among it would take a tenth of a cold start.
gc.disable()

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from provider import custom_resource
from provider.clock import Clock
from provider.custom_resource.answer import Undeliverable
from provider.lifecycle import Lifecycle
from provider.neptune import ModelTransformJobs
from provider.observability import logger, metrics, tracer
from provider.properties import Operator
from provider.settings import Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

gc.freeze()
gc.enable()

_settings = Settings.from_environment(os.environ)
_clock = Clock()
_lifecycle = Lifecycle(
    operator=Operator(_settings.default_endpoint, _settings.allowed_hosts),
    connect=partial(ModelTransformJobs, region=_settings.region, resource_arn=_settings.neptune_resource_arn),
    clock=_clock,
)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, str]:
    """Fulfil one request of CloudFormation.

    Args:
        event: The request, or the tick of the poll rule of one.
        context: The invocation.

    Returns:
        What CloudFormation was told; see `custom_resource.handle`.

    Raises:
        Undeliverable: CloudFormation could not be told; Lambda is to deliver the event again.
        CleanupFailed: It was told, but the poll rule is still there; likewise.
    """
    try:
        return custom_resource.handle(event, context, lifecycle=_lifecycle, settings=_settings, clock=_clock)
    except Undeliverable as error:
        if not _settings.is_local:
            raise
        # Nobody delivers the event again, and whoever invoked it needs the reason, not a stack trace.
        return {"Status": "UNANSWERED", "Reason": f"{error} Is `make local` running in another terminal?"}
