"""CloudFormation's front door: a custom resource request comes in, its answer goes out."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from provider.custom_resource import following
from provider.custom_resource import handle as handles
from provider.custom_resource.answer import Answer, Outcome, tell
from provider.custom_resource.conversation import Conversation
from provider.custom_resource.deadline import TimeLimits
from provider.custom_resource.request import (
    MalformedRequest,
    RequestType,
    Unanswerable,
    cloudformation_request,
    published,
    return_address,
)
from provider.custom_resource.waiting import FIELD
from provider.identity import NO_JOB
from provider.observability import conceal, logger, metrics, record, tracer
from provider.schema import nearest, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.custom_resource.conversation import Meaning
    from provider.custom_resource.request import CloudFormationRequest, PresignedUrl, ReturnAddress
    from provider.custom_resource.waiting import WaitingQueue
    from provider.identity import Identity
    from provider.lifecycle import Lifecycle
    from provider.settings import Settings


class FrontDoor(NamedTuple):
    """What every request meets.

    Attributes:
        lifecycles: What the requests mean, by the type of the resource.
        queue: Where they wait.
        settings: The provider's settings.
        clock: The time.
        on_demand: What requests mean that hardly ever come, by the type of the resource: made when one is there. The
            types are for the provider's own stack, and no suggestion for one that is mistyped.
    """

    lifecycles: Mapping[str, Lifecycle]
    queue: WaitingQueue
    settings: Settings
    clock: Clock
    on_demand: Mapping[str, Callable[[], Meaning]] = MappingProxyType({})

    def handle(
        self, event: object, context: LambdaContext, *, is_opened: bool = False, is_continued: bool = False
    ) -> dict[str, str]:
        """Fulfil a request of CloudFormation and answer it, or have it wait.

        Args:
            event: What Lambda delivered: the request, also in the envelope of Amazon SNS, or the queue's message with
                it.
            context: The invocation.
            is_opened: Whether it has been taken out of an envelope; in that there is no other.
            is_continued: Whether it has waited in the queue.

        Returns:
            What CloudFormation was told: `Status`, `PhysicalResourceId` and `Reason`. The status is `PENDING` when the
            request waits in the queue, and `UNANSWERED` when the event is no request.

        Raises:
            Undeliverable: CloudFormation could not be told; the event is to be delivered again.
            Unanswerable: Somebody waits for an answer, and the event does not say where it may be given.
        """
        if isinstance(event, dict) and "Records" in event and not is_opened:
            return self._open(event, context)
        try:
            address = return_address(event, self.settings.responses)
        except Unanswerable as error:
            logger.error("The event cannot be answered", problem=str(error))
            record("Failures", 1)
            if is_continued or (isinstance(event, dict) and (event.get("RequestId") or "Records" in event)):
                raise
            return {"Status": "UNANSWERED", "Reason": f"The event cannot be answered: {error}."}
        logger.set_correlation_id(address.request_id)
        logger.append_keys(stack_id=address.stack_id, logical_resource_id=address.logical_resource_id)
        deliver = partial(
            tell, address, log_stream=context.log_stream_name, clock=self.clock, pauses=self.settings.answer_pauses
        )
        fields = cast("dict[str, Any]", event)  # as it has an address
        try:
            lifecycle = self.lifecycles.get(str(fields.get("ResourceType"))) or self._on_demand(fields)
            metrics.add_dimensions(resource_type=fields["ResourceType"])
            request = cloudformation_request(fields, address)
            is_delete = request.request_type is RequestType.DELETE  # which no property may block
            handle = None if is_delete else handles.completion_handle(request, self.settings.signals)
        except MalformedRequest as error:
            leaves = self._leaves(fields, address) if is_continued else ""
            answer: Answer | None = deliver(self._refuse(fields, address, leaves, str(error)))
        else:
            logger.append_keys(request_type=request.request_type)
            if request.follows is not None and handle is not None:
                return self._follow(fields, request, handle, request.follows)
            now = self.clock.wall()
            conversation = Conversation(
                event=fields,
                address=address,
                request=request,
                limits=TimeLimits.of(
                    self.clock,
                    arrived_at=request.arrived_at or min(now, address.signed_at or now),
                    service_timeout=request.service_timeout,
                    remaining=context.get_remaining_time_in_millis() / 1000,
                ),
                lifecycle=lifecycle,
                queue=self.queue,
                clock=self.clock,
                tell=deliver,
                is_continued=is_continued,
                handle=handle,
            )
            with tracer.provider.in_subsegment(name=f"## {request.request_type}"):
                answer = conversation.hold(context)
                tracer.put_annotation("request_type", request.request_type)
                tracer.put_annotation("is_continued", str(is_continued).lower())
                tracer.put_annotation("outcome", "PENDING" if answer is None else answer.outcome)
        if answer is None:
            return {"Status": "PENDING", "Reason": "The request waits in the queue."}
        reason = conceal(answer.reason) if answer.reason else ""
        return {"Status": answer.outcome, "PhysicalResourceId": answer.physical_resource_id, "Reason": reason}

    def _follow(
        self, fields: Mapping[str, Any], request: CloudFormationRequest, handle: PresignedUrl, identity: Identity
    ) -> dict[str, str]:
        """Take the next look at a job whose request is answered."""
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
        if told is None:
            return {"Status": "PENDING", "Reason": f"The {followed.lifecycle.words.thing} is waited for in the queue."}
        return {"Status": told.outcome, "PhysicalResourceId": str(identity), "Reason": conceal(told.reason)}

    def _leaves(self, fields: Mapping[str, object], address: ReturnAddress) -> str:
        """Tell what a request leaves whose progress cannot be read: another version of the provider has noted it."""
        with suppress(MalformedRequest):
            unwaited = {name: value for name, value in fields.items() if name != FIELD}
            lifecycle = self.lifecycles.get(str(fields.get("ResourceType"))) or self._on_demand(fields)
            return lifecycle.leaves(cloudformation_request(unwaited, address).asked)
        return ""

    def _refuse(self, fields: Mapping[str, object], address: ReturnAddress, leaves: str, problem: str) -> Answer:
        """Fail a request that is none, unless it is the Delete of a creation that has failed for the same reason."""
        is_delete = fields.get("RequestType") == RequestType.DELETE
        if is_delete and address.physical_id and address.physical_id.startswith(f"{NO_JOB}/"):
            return Answer(Outcome.SUCCESS, address.physical_id)
        record("Failures", 1)
        if is_delete:
            record("FailedDeletions", 1)
        return Answer(Outcome.FAILED, address.failure_id(leaves), problem)

    def _on_demand(self, fields: Mapping[str, object]) -> Meaning:
        resource_type = fields.get("ResourceType")
        if make := self.on_demand.get(str(resource_type)):
            return make()
        near = nearest(str(resource_type), self.lifecycles)
        hint = f"did you mean {near}?" if near else f"it has {', '.join(self.lifecycles)}."
        raise MalformedRequest(f"The provider has no resource type {shown(resource_type)}; {hint}")

    def _open(self, event: object, context: LambdaContext) -> dict[str, str]:
        """Take up the request in an envelope: the next look at one that has waited, or one that came by another way."""
        message = self.queue.message_in(event)
        if message is None:
            return self.handle(published(event), context, is_opened=True)
        try:
            return self.handle(message.event, context, is_opened=True, is_continued=True)
        except Exception:
            self.queue.deliver_soon(message)
            raise
