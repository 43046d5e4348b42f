"""From a request to its answer: who decides, and in what order.

Whatever comes first decides a request, once: its outcome, the end of its time, or the queue that takes it over.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from provider.custom_resource import waiting
from provider.custom_resource.answer import Answer, Outcome, Undeliverable
from provider.custom_resource.on_crhelper import Dispatch
from provider.custom_resource.request import RequestType
from provider.lifecycle import Done, RequestFailed
from provider.observability import logger, record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.custom_resource.deadline import TimeLimits
    from provider.custom_resource.request import CloudFormationRequest, ReturnAddress
    from provider.custom_resource.waiting import WaitingQueue
    from provider.lifecycle import Lifecycle, Progress, Request, Waiting

# What stops at once needs no queue, and many deletions at once get through a few concurrent invocations.
_LOOKS_SECONDS = 5.0
# A queue that did not take the request is not asked again before this.
_QUEUE_RETRY_SECONDS = 30.0
# A message is delayed by whole seconds.
_SHORTEST_DELAY_SECONDS = 1.0
# A queue that hangs must not hold the answer up beyond the request's time.
_SLOWEST_HANDOVER_SECONDS = 15.0
# With others it would poll.
_FIELDS_OF_CRHELPER = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResponseURL")
_RETRY_HINT = "The deletion can be tried again: it goes on waiting."
_CANCEL_HINTS = {
    RequestType.CREATE: "The job is cancelled when CloudFormation deletes this resource.",
    RequestType.UPDATE: "The job is cancelled when CloudFormation rolls this update back.",
}


@dataclass(eq=False, repr=False)  # a cold start would pay for them
class Conversation:
    """One request, in one invocation.

    Attributes:
        event: The event that holds the request.
        address: Whom to answer.
        request: What CloudFormation asks.
        limits: The time limits.
        lifecycle: What the request means.
        queue: Where it can wait.
        clock: The time.
        tell: Tells CloudFormation an answer; see `answer.tell`.
        is_continued: Whether the request has waited in the queue.
    """

    event: Mapping[str, Any]
    address: ReturnAddress
    request: CloudFormationRequest
    limits: TimeLimits
    lifecycle: Lifecycle
    queue: WaitingQueue
    clock: Clock
    tell: Callable[[Answer], Answer]
    is_continued: bool
    _answer: Answer | None = None
    _is_handed_over: bool = False
    _undeliverable: Undeliverable | None = None
    _done: Done | None = None
    _asked: Request | None = None
    _leaves: str | None = None
    _deciding: Any = field(default_factory=threading.RLock)

    def hold(self, context: LambdaContext) -> Answer | None:
        """Fulfil the request and answer it, or have it wait.

        Args:
            context: The invocation.

        Returns:
            What CloudFormation was told; `None` if the queue goes on.

        Raises:
            Undeliverable: CloudFormation could not be told.
        """
        Dispatch(
            create=partial(self._pursue, self.lifecycle.create),
            update=partial(self._pursue, self.lifecycle.update),
            delete=partial(self._pursue, self.lifecycle.delete),
            respond=self._decide,
            expire=self._expire,
            seconds=self.limits.last_word - self.clock.monotonic(),
        )(
            {name: self.event[name] for name in _FIELDS_OF_CRHELPER} | {"PhysicalResourceId": "unused"},
            context,
        )
        with self._deciding:  # the watchdog may still be telling CloudFormation
            if self._undeliverable:
                raise self._undeliverable
            return self._answer

    def _pursue(self, look: Callable[[Request], Done | Waiting], *_: object) -> None:
        try:
            self._done = self._look_until_done(look)
        except RequestFailed as failed:
            self._leaves = failed.leaves
            raise
        except Exception as error:
            self._leaves = None
            logger.exception("The provider failed")
            failure = f"The provider failed, which is a fault of its own: {type(error).__name__}: {error}"
            raise RequestFailed(failure) from error

    def _look_until_done(self, look: Callable[[Request], Done | Waiting]) -> Done | None:
        """Look until the request is fulfilled; `None`: it is handed over to the queue."""
        began = try_queue_at = self.clock.monotonic()
        asked, problem = self.request.asked, ""
        while True:
            result = look(asked)
            if isinstance(result, Done):
                return result
            asked, self._leaves = asked._replace(progress=result.progress), result.leaves
            self._asked = asked
            now = self.clock.monotonic()
            pause = waiting.pause(now - self.limits.arrived_at, random.random())  # noqa: S311 - no secret
            pause = min(pause, self.limits.deadline - now)  # as long as one look more fits, the request is not failed
            is_last = now + pause > self.limits.last_look
            is_long = self.is_continued or is_last or now + pause > began + _LOOKS_SECONDS
            may_wait = pause >= _SHORTEST_DELAY_SECONDS and now + _SLOWEST_HANDOVER_SECONDS < self.limits.deadline
            if is_long and may_wait and (is_last or now >= try_queue_at):
                problem = self._hand_over(result.progress, int(pause))
                if not problem:
                    return None
                now = self.clock.monotonic()
                try_queue_at = now + _QUEUE_RETRY_SECONDS
            pause = min(pause, self.limits.last_look - now)
            if pause <= 0:
                return self._give_up(result.reason, problem)
            self.clock.sleep(pause)

    def _hand_over(self, progress: Progress, delay_seconds: int) -> str:
        """Have the request wait in the queue; returns why it cannot."""
        arrived_at = self.clock.wall() - (self.clock.monotonic() - self.limits.arrived_at)
        waited = {"ArrivedAt": arrived_at, "Progress": progress.as_json()}
        with self._deciding:
            if self._answer is not None:  # the watchdog was first
                return ""
            try:
                self.queue.put({**self.event, waiting.FIELD: waited}, delay_seconds)
            except waiting.CannotWait as error:
                logger.warning("The request cannot wait in the queue; waiting here", problem=str(error))
                return str(error)
            self._is_handed_over = True
            logger.info("The request waits in the queue", delay_seconds=delay_seconds)
            record("StillWaiting", 1)
            return ""

    def _give_up(self, reason: str, problem: str) -> Done:
        """End a request whose time is over."""
        if done := self._without_neptune():
            return done
        now = self.clock.monotonic()
        if now >= self.limits.deadline:
            why = f"The time for waiting is up after {now - self.limits.arrived_at:.0f} s."
        else:
            why = f"The function cannot wait on: {problem}"
        raise RequestFailed(f"{reason.rstrip('.')}. {why} {self._hint()}", self._left())

    def _without_neptune(self) -> Done | None:
        asked = self._asked or self.request.asked
        match self.request.request_type:
            case RequestType.UPDATE:
                return self.lifecycle.without_neptune(asked)
            case RequestType.DELETE:
                return self.lifecycle.end_of_search(asked)
            case RequestType.CREATE:
                return None

    def _left(self) -> str:
        """What the request leaves if it ends now; a look that has not ended may have done more than the last."""
        return self.lifecycle.leaves(self._asked or self.request.asked) if self._leaves is None else self._leaves

    def _hint(self) -> str:
        if self.request.request_type is RequestType.DELETE:
            return _RETRY_HINT
        has_started = self._leaves and self._asked is not None and self._asked.progress.is_seen
        hint = _CANCEL_HINTS[self.request.request_type]
        return f"A longer ServiceTimeout may help. {hint}" if has_started else "Try again."

    # --- the outcome --------------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """Tell CloudFormation that the time is over while a call hangs; called by the watchdog's thread."""
        failure = f"The provider ran out of time waiting for an answer from Neptune. {self._hint()}"
        with self._deciding:
            self._leaves = None
            try:
                # A Delete that hangs may have found its job in this look.
                is_delete = self.request.request_type is RequestType.DELETE
                self._done = self._done or (None if is_delete else self._without_neptune())
            except Exception as error:  # noqa: BLE001 - whatever it is, CloudFormation waits for an answer
                logger.warning("The watchdog cannot tell the outcome without Neptune", error=str(error))
            self._decide(None if self._done else failure)

    def _decide(self, failure: str | None) -> None:
        """Tell CloudFormation the outcome, unless something has been decided before.

        Args:
            failure: Why the request failed; `None` if it is done, or waits.
        """
        with self._deciding:
            if self._answer is not None or self._is_handed_over:
                if failure is not None:
                    logger.warning("The request is decided already; this outcome is ignored", failure=failure)
                return
            done = self._done
            if done is not None:
                self._answer = Answer(Outcome.SUCCESS, done.physical_id, data=done.attributes, leaves=done.leaves)
            else:
                self._answer = Answer(Outcome.FAILED, self.address.failure_id(self._left()), failure or "")
            try:
                self._answer = self.tell(self._answer)
            except Undeliverable as error:
                self._undeliverable = error
            except Exception as error:  # noqa: BLE001 - unheard is unheard: the event is to be delivered again
                logger.exception("The answer could not be delivered")
                self._undeliverable = Undeliverable(f"The answer could not be delivered: {type(error).__name__}.")
            has_failed = self._answer.outcome is Outcome.FAILED
            record("Failures", int(has_failed))
            if self.request.request_type is RequestType.DELETE:
                record("FailedDeletions", int(has_failed))
