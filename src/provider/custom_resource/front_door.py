"""CloudFormation's front door: a custom resource request comes in, its response goes out."""

from __future__ import annotations

import random
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from provider.custom_resource import following
from provider.custom_resource import handle as handles
from provider.custom_resource.answer import Answer, tell
from provider.custom_resource.conversation import Conversation
from provider.custom_resource.deadline import TimeLimits
from provider.custom_resource.request import (
    MalformedRequest,
    Unanswerable,
    cloudformation_request,
    published,
    return_address,
)
from provider.custom_resource.waiting import OWED, Owed, pause
from provider.identity import NO_JOB, Identity
from provider.journal.entry import Outcome, RequestType
from provider.observability import conceal, logger, metrics, record, tracer
from provider.schema import nearest, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.custom_resource.conversation import Meaning
    from provider.custom_resource.request import CloudFormationRequest, PresignedUrl, ReturnAddress
    from provider.custom_resource.waiting import WaitingQueue
    from provider.lifecycle import Lifecycle
    from provider.settings import Settings


def _outcome(status: str = "PENDING", reason: str = "The request is waiting in the queue.") -> dict[str, str]:
    return {"Status": status, "Reason": conceal(reason)}


class FrontDoor(NamedTuple):
    """The entry for every request.

    Attributes:
        lifecycles: The meaning of the requests, by resource type.
        queue: The queue in which they wait.
        settings: The provider's settings.
        clock: The time.
        lookups: The same for resources without a job of their own.
        checks: The same for the provider's own stack. These types are not suggested for a mistyped one.
    """

    lifecycles: Mapping[str, Lifecycle]
    queue: WaitingQueue
    settings: Settings
    clock: Clock
    lookups: Mapping[str, Meaning] = MappingProxyType({})
    checks: Mapping[str, Meaning] = MappingProxyType({})

    def handle(
        self, event: object, context: LambdaContext, *, is_opened: bool = False, is_continued: bool = False
    ) -> dict[str, str]:
        """Fulfil a request from CloudFormation and respond to it, or hand it over to the queue.

        Args:
            event: The event from Lambda: the request, which may be in a notification from Amazon SNS or a message from
                the queue.
            context: The invocation.
            is_opened: Whether it was taken out of such an envelope, which contains no other.
            is_continued: Whether it has waited in the queue.

        Returns:
            The response's `Status` and `Reason`, for a person who invokes the function. The status is `PENDING` if the
            request waits in the queue, and `UNANSWERED` if the event is not a request.

        Raises:
            Undeliverable: The response could not be delivered. The event has to be delivered again.
            Unanswerable: A response is expected, but the event does not say where to send it.
        """
        if isinstance(event, dict) and "Records" in event and not is_opened:
            return self._open(event, context)
        try:
            if isinstance(event, dict) and OWED in event and is_continued:
                return self._look_at_owed(event)
            address = return_address(event, self.settings.responses)
        except Unanswerable as error:
            #: CloudFormation did not send the event. If it has a request ID, it goes to the failed-events queue.
            logger.error("The event cannot be answered", problem=str(error))
            record("Failures", 1)
            if is_continued or (isinstance(event, dict) and (event.get("RequestId") or "Records" in event)):
                raise
            return _outcome("UNANSWERED", f"The event cannot be answered. {error}")
        logger.set_correlation_id(address.request_id)
        logger.append_keys(stack_id=address.stack_id, logical_resource_id=address.logical_resource_id)
        deliver = partial(
            tell, address, log_stream=context.log_stream_name, clock=self.clock, pauses=self.settings.answer_pauses
        )
        fields = cast("dict[str, Any]", event)  # as it has an address
        try:
            lifecycle = self._meaning_of(fields.get("ResourceType"))
            metrics.add_dimensions(resource_type=fields["ResourceType"])
            request = cloudformation_request(fields, address)
            # No property may block a Delete.
            handle = None if request.asked.is_delete else handles.completion_handle(request, self.settings.signals)
        except MalformedRequest as error:
            refusal = self._refuse(fields, address, str(error))
            deliver(refusal)
            answer: Answer | None = refusal
        else:
            logger.append_keys(request_type=request.asked.type)
            if request.follows is not None and handle is not None:
                return self._follow(fields, request, handle, request.follows)
            now = self.clock.wall()
            limits = TimeLimits.of(
                self.clock,
                arrived_at=request.arrived_at or min(now, address.signed_at or now),
                service_timeout=request.service_timeout,
                remaining=context.get_remaining_time_in_millis() / 1000,
            )
            until = now + limits.deadline - self.clock.monotonic()
            conversation = Conversation(
                event=fields,
                address=address,
                request=request._replace(asked=request.asked._replace(until=until)),
                limits=limits,
                lifecycle=lifecycle,
                queue=self.queue,
                clock=self.clock,
                tell=deliver,
                is_continued=is_continued,
                handle=handle,
            )
            with tracer.provider.in_subsegment(name=f"## {request.asked.type}"):
                answer = conversation.hold(context)
                tracer.put_annotation("request_type", request.asked.type)
                tracer.put_annotation("is_continued", str(is_continued).lower())
                tracer.put_annotation("outcome", "PENDING" if answer is None else answer.outcome)
        return _outcome(answer.outcome, answer.reason) if answer else _outcome()

    def _follow(
        self, fields: Mapping[str, Any], request: CloudFormationRequest, handle: PresignedUrl, identity: Identity
    ) -> dict[str, str]:
        """Take the next look at a job with a `CompletionHandle`, whose request was answered."""
        followed = following.Following(
            event=fields,
            request=request,
            identity=identity,
            handle=handle,
            lifecycle=self.lifecycles[str(fields["ResourceType"])],
            queue=self.queue,
            clock=self.clock,
            pauses=self.settings.answer_pauses,
        )
        with tracer.provider.in_subsegment(name="## Completion"):
            told = followed.look()
        return _outcome(told.outcome, told.reason) if told else _outcome()

    def _look_at_owed(self, event: dict[str, Any]) -> dict[str, str]:
        """Take the next look at a job that has to be cancelled, even if its request has failed."""
        try:
            owed = Owed.from_json(event)
            stack_id, logical_id, resource_type = owed.resource.split("|")
            lifecycle = self.lifecycles[resource_type]
        except (ValueError, KeyError):
            raise Unanswerable(f"The message's {OWED} field was not written by the provider.") from None
        logger.append_keys(stack_id=stack_id, logical_resource_id=logical_id)
        metrics.add_dimensions(resource_type=resource_type)
        with tracer.provider.in_subsegment(name="## Owed"):
            waiting = lifecycle.look_at_owed(owed.resource, owed.identity, owed.since, owed.patience)
        if waiting is None:
            return _outcome(Outcome.SUCCESS, "There is nothing left to do.")
        delay = int(pause(self.clock.wall() - owed.since, random.random()))  # noqa: S311 - no secret
        self.queue.put(owed._replace(patience=waiting.patience).as_json(), delay)
        logger.info("The provider keeps trying to cancel the job", reason=waiting.reason, delay_seconds=delay)
        record("StillWaiting", 1)
        return _outcome()

    def _refuse(self, fields: Mapping[str, object], address: ReturnAddress, problem: str) -> Answer:
        """Fail a malformed request, unless it is the Delete after a creation that failed for the same reason."""
        is_delete, physical_id = fields.get("RequestType") == RequestType.DELETE, address.physical_id
        is_unknown = str(fields.get("ResourceType")) not in {*self.lifecycles, *self.lookups, *self.checks}
        if is_delete and (
            physical_id.startswith(f"{NO_JOB}/") or (is_unknown and physical_id and not Identity.parse(physical_id))
        ):
            return Answer(Outcome.SUCCESS, physical_id)
        record("Failures", 1)
        if is_delete:
            record("FailedDeletions", 1)
        return Answer(Outcome.FAILED, address.fallback_id, problem)

    def _meaning_of(self, resource_type: object) -> Meaning:
        name = str(resource_type)
        published: dict[str, Meaning] = {**self.lifecycles, **self.lookups}
        if meaning := published.get(name) or self.checks.get(name):
            return meaning
        near = nearest(name, published)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(published)}."
        #: Use one of these [types](reference.md). An older provider may lack some. CloudFormation cannot change a
        #: resource's type: use another logical ID.
        raise MalformedRequest(f"The provider has no resource type {shown(resource_type)}; {hint}")

    def _open(self, event: object, context: LambdaContext) -> dict[str, str]:
        """Handle the request in an envelope: a message from the queue, or a notification from Amazon SNS."""
        message = self.queue.message_in(event)
        if message is None:
            return self.handle(published(event), context, is_opened=True)
        try:
            return self.handle(message.event, context, is_opened=True, is_continued=True)
        except Exception:
            self.queue.deliver_soon(message)
            raise
