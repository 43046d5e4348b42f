"""CloudFormation's front door: a custom resource request comes in, its answer goes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from provider.custom_resource.answer import Answer, Outcome, tell
from provider.custom_resource.poll_rule import PollRule, PollRuleError
from provider.custom_resource.request import (
    POLL_FIELD,
    MalformedRequest,
    Unanswerable,
    cloudformation_request,
    return_address,
)
from provider.custom_resource.resource import JobResource, unadopted_id
from provider.observability import annotate, conceal, count, logger, tracer

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.lifecycle import Lifecycle
    from provider.settings import Settings


def handle(
    event: dict[str, Any], context: LambdaContext, *, lifecycle: Lifecycle, settings: Settings, clock: Clock
) -> dict[str, str]:
    """Fulfil one request of CloudFormation and answer it.

    Args:
        event: The request, or the tick of the poll rule of one.
        context: The invocation.
        lifecycle: What the request means for a job.
        settings: The provider's settings.
        clock: The time.

    Returns:
        What CloudFormation was told: `Status`, `PhysicalResourceId` and `Reason`. The status is `PENDING` when the
        job outlives the invocation and a poll rule goes on, and `UNANSWERED` when the event is no request.

    Raises:
        Undeliverable: CloudFormation could not be told; Lambda is to deliver the event again.
        CleanupFailed: It was told, but the poll rule is still there; likewise.
    """
    try:
        address = return_address(event, settings.allowed_hosts)
    except Unanswerable as error:
        # Delivered again it would be the same: there is nothing to raise an exception for.
        logger.error("The event cannot be answered", problem=str(error))
        count("Failures")
        _abandon_polling(event, settings)
        return {"Status": "UNANSWERED", "Reason": f"The event cannot be answered: {error}."}
    logger.set_correlation_id(address.request_id)
    logger.append_keys(stack_id=address.stack_id, logical_resource_id=address.logical_resource_id)
    try:
        request = cloudformation_request(event)
    except MalformedRequest as error:
        physical_id = address.physical_resource_id or unadopted_id(address.request_id)
        refusal = Answer(Outcome.FAILED, physical_id, str(error))
        _abandon_polling(event, settings)
        tell(address, refusal, context.log_stream_name, clock, pauses=settings.answer_pauses)
        return _summary(refusal)
    logger.append_keys(request_type=request.request_type)
    resource = JobResource(request, address, lifecycle=lifecycle, settings=settings, clock=clock)
    with tracer.provider.in_subsegment(name=f"## {request.request_type}"):
        annotate(request_type=request.request_type, is_poll=str(POLL_FIELD in event).lower())
        resource(event, context)
        if resource.answer is None:
            count("StillStopping")
            return {"Status": "PENDING", "Reason": "A poll rule waits for the job to stop."}
        annotate(outcome=resource.answer.outcome)
        return _summary(resource.answer)


def _abandon_polling(event: object, settings: Settings) -> None:
    """Remove the rule of a tick that makes no sense, as after an upgrade: it would tick for ever."""
    if not isinstance(event, dict) or POLL_FIELD not in event or not isinstance(event.get("RequestId"), str):
        return
    try:
        PollRule(settings.poll_rule_prefix, event["RequestId"], settings.region).remove()
    except (PollRuleError, UnicodeEncodeError) as error:
        logger.error("The poll rule could not be removed", error=str(error))


def _summary(told: Answer) -> dict[str, str]:
    return {"Status": told.outcome, "PhysicalResourceId": told.physical_resource_id, "Reason": conceal(told.reason)}
