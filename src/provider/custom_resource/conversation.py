"""From a request to its answer: who decides, and in what order.

Whatever comes first decides a request, once: its outcome, the end of its time, or the queue that takes it over.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from provider.custom_resource import following, waiting
from provider.custom_resource import handle as handles
from provider.custom_resource.answer import Answer, Outcome, Undeliverable
from provider.custom_resource.on_crhelper import Dispatch
from provider.custom_resource.properties import COMPLETION_HANDLE
from provider.custom_resource.request import RequestType
from provider.lifecycle import Done, RequestFailed
from provider.observability import logger, record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.custom_resource.deadline import TimeLimits
    from provider.custom_resource.request import CloudFormationRequest, PresignedUrl, ReturnAddress
    from provider.custom_resource.waiting import WaitingQueue
    from provider.kinds.kind import Words
    from provider.lifecycle import Progress, Request, Waiting

# What stops at once needs no queue, and many deletions at once get through a few concurrent invocations.
_LOOKS_SECONDS = 5.0
# A queue that did not take the request is not asked again before this.
_QUEUE_RETRY_SECONDS = 30.0
# After each message of which it is not known whether the queue has taken it, another one is put after longer, and then
# at the invocation's end alone: a queue that takes them and does not say so would get ever more of them.
_DOUBT_PAUSES = (0.0, 60.0, 240.0)
# A message is delayed by whole seconds.
_SHORTEST_DELAY_SECONDS = 1.0
# A queue that hangs must not hold the answer up beyond the request's time.
_SLOWEST_HANDOVER_SECONDS = 15.0
# A job that is to be followed is not given up because the queue fails for a moment.
_HANDOVER_PAUSES = (1.0, 4.0)
# With others it would poll.
_FIELDS_OF_CRHELPER = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResponseURL")
_RETRY_HINT = "The deletion can be tried again: it goes on waiting."
_QUEUE_HINT = "Without the queue, it waits for 14 minutes at most."
_CANCELLED_WHEN = {
    RequestType.CREATE: "when CloudFormation deletes this resource.",
    RequestType.UPDATE: "when CloudFormation rolls this update back.",
}


class Meaning(Protocol):
    """What the requests of a resource type mean: a `Lifecycle`, which describes these, or a check of the provider's."""

    @property
    def words(self) -> Words:
        """What messages say of what it is about."""

    def create(self, request: Request) -> Done | Waiting:
        """Fulfil a Create, or take a look at it."""

    def update(self, request: Request) -> Done | Waiting:
        """Fulfil an Update, or take a look at it."""

    def delete(self, request: Request) -> Done | Waiting:
        """Fulfil a Delete, or take a look at it."""

    def without_neptune(self, request: Request, /) -> Done | None:
        """Tell what an Update comes to whose time is over."""

    def end_of_search(self, request: Request, /) -> Done | None:
        """Tell what a Delete comes to whose time is over."""

    def leaves(self, request: Request, /) -> str:
        """Tell what a Create leaves that ends in the middle of a look."""


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
        handle: What is to be signalled when the job has ended; `None` if nothing is.
    """

    event: Mapping[str, Any]
    address: ReturnAddress
    request: CloudFormationRequest
    limits: TimeLimits
    lifecycle: Meaning
    queue: WaitingQueue
    clock: Clock
    tell: Callable[[Answer], Answer]
    is_continued: bool
    handle: PresignedUrl | None = None
    _answer: Answer | None = None
    _is_handed_over: bool = False
    _try_queue_at: float = float("-inf")
    _doubts: int = 0  # messages of which it is not known whether the queue has taken them
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
        began, asked, problem = self.clock.monotonic(), self.request.asked, ""
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
            if is_long and may_wait and (is_last or now >= self._try_queue_at):
                problem = self._hand_over(result.progress, int(pause), is_last=is_last)
                if not problem:
                    return None
                now = self.clock.monotonic()
            pause = min(pause, self.limits.last_look - now)
            if pause <= 0:
                return self._give_up(result.reason, problem)
            self.clock.sleep(pause)

    def _hand_over(self, progress: Progress, delay_seconds: int, *, is_last: bool) -> str:
        """Have the request wait in the queue; returns why it cannot."""
        arrived_at = self.clock.wall() - (self.clock.monotonic() - self.limits.arrived_at)
        waited = {"ArrivedAt": arrived_at, "Progress": progress.as_json()}
        with self._deciding:
            if self._answer is not None:  # the watchdog was first
                return ""
            try:
                if self._doubts and not is_last:
                    self.queue.check()  # whether it answers at all
                self.queue.put({**self.event, waiting.FIELD: waited}, delay_seconds)
            except waiting.CannotWait as error:
                self._put_off(error)
                logger.warning("The request cannot wait in the queue; waiting here", problem=str(error))
                return str(error)
            self._is_handed_over = True
            logger.info("The request waits in the queue", delay_seconds=delay_seconds)
            record("StillWaiting", 1)
            return ""

    def _put_off(self, error: waiting.CannotWait) -> None:
        """Put off the next attempt to hand the request over."""
        now = self.clock.monotonic()
        self._try_queue_at = now + _QUEUE_RETRY_SECONDS
        if isinstance(error, waiting.Unclear):
            pauses = _DOUBT_PAUSES[self._doubts :]
            self._try_queue_at = now + pauses[0] if pauses else float("inf")
            self._doubts += 1

    def _give_up(self, reason: str, problem: str) -> Done:
        """End a request whose time is over."""
        if done := self._without_neptune():
            return done
        now = self.clock.monotonic()
        if now >= self.limits.deadline:
            why = f"The time for waiting is up after {now - self.limits.arrived_at:.0f} s. {self._hint()}"
        else:
            why = f"The function cannot wait on: {problem} {self._hint(lacks_queue=True)}"
        raise RequestFailed(f"{reason.rstrip('.')}. {why}", self._left())

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

    def _hint(self, *, lacks_queue: bool = False) -> str:
        if self.request.request_type is RequestType.DELETE:
            return _RETRY_HINT
        has_started = self._leaves and self._asked is not None and self._asked.progress.is_seen
        if not has_started:
            return _QUEUE_HINT if lacks_queue else "Try again."
        return f"{_QUEUE_HINT if lacks_queue else 'A longer ServiceTimeout may help.'} {self._cancel_hint()}"

    def _cancel_hint(self) -> str:
        words = self.lifecycle.words
        return f"The {words.thing} is {words.cancelled} {_CANCELLED_WHEN[self.request.request_type]}"

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
                failure = None if self.handle is None else self._have_followed(done, self.handle)
            if done is not None and failure is None:
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

    # --- what comes after it ------------------------------------------------------------------------------------------

    def _have_followed(self, done: Done, handle: PresignedUrl) -> str | None:
        """Have the queue look for the end of the job, before CloudFormation goes on; returns why the request fails."""
        if not self._is_to_be_followed(done, handle):
            return None
        problem = self._hand_over_the_job(done.physical_id)
        if problem is None:
            return None
        failure = f"The {self.lifecycle.words.thing} cannot be waited for. {problem}"
        if done.physical_id == self.request.asked.physical_id:
            # It may be a rollback, which must not fail: the event comes again, and the alarm sounds at last.
            self._undeliverable = Undeliverable(f"{failure} The resource's handle is not signalled.")
            return None
        self._leaves = done.leaves
        return f"{failure} {self._cancel_hint() if done.leaves else 'Try again.'}"

    def _is_to_be_followed(self, done: Done, handle: PresignedUrl) -> bool:
        """Tell whether the resource has another job, or another handle, than before, and somebody may wait for it."""
        asked, name = self.request.asked, COMPLETION_HANDLE.name
        is_other = asked.physical_id != done.physical_id or asked.properties[name] != asked.old_properties.get(name)
        if is_other and handles.has_expired(handle, self.clock):
            logger.warning("The handle takes no signal any more", problem="It has expired.")
            return False
        return is_other

    def _hand_over_the_job(self, physical_id: str) -> str | None:
        """Have the queue take the job; returns why it cannot."""
        pauses = list(_HANDOVER_PAUSES)
        while True:
            try:
                following.have_followed(self.queue, self.event, physical_id, now=self.clock.wall())
            except waiting.CannotWait as error:
                logger.warning("The queue does not take the job whose end is to be signalled", problem=str(error))
                is_late = self.clock.monotonic() + _SLOWEST_HANDOVER_SECONDS > self.limits.last_word
                if is_late or not pauses:
                    return str(error)
                self.clock.sleep(pauses.pop(0))
            else:
                return None
