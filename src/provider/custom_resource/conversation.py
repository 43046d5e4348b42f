"""From a request to its response: what decides it, and in what order.

A request is decided once, by whatever comes first: its outcome, the end of its time, or its handover to the queue.
"""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from provider.custom_resource import following, waiting
from provider.custom_resource import handle as handles
from provider.custom_resource.answer import Answer, Undeliverable, problem_with
from provider.custom_resource.on_crhelper import Dispatch
from provider.custom_resource.properties import COMPLETION_HANDLE
from provider.journal.entry import Outcome
from provider.lifecycle import TIME_IS_UP, Told, Waiting
from provider.observability import logger, record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aws_lambda_powertools.utilities.typing import LambdaContext

    from provider.clock import Clock
    from provider.custom_resource.deadline import TimeLimits
    from provider.custom_resource.request import CloudFormationRequest, PresignedUrl, ReturnAddress
    from provider.custom_resource.waiting import WaitingQueue
    from provider.kinds.kind import Words
    from provider.lifecycle import Asked, Patience

# A job that stops at once needs no queue, and many deletions need only a few concurrent invocations.
_LOOKS_SECONDS = 2.5
# The pause before a queue that refused the request is tried again.
_QUEUE_RETRY_SECONDS = 30.0
# The pauses after messages that the queue may have accepted. After these, the queue is tried only at the end of the
# invocation: otherwise, a queue that accepts messages but does not confirm them would get ever more of them.
_DOUBT_PAUSES = (0.0, 60.0, 240.0)
# SQS delays a message by whole seconds.
_SHORTEST_DELAY_SECONDS = 1.0
# A queue that hangs must not delay the response beyond the request's time.
_SLOWEST_HANDOVER_SECONDS = 15.0
# A moment's failure of the queue does not end the wait for a job with CompletionHandle.
_HANDOVER_PAUSES = (1.0, 4.0)
# With other fields, crhelper would poll.
_FIELDS_OF_CRHELPER = ("RequestType", "StackId", "RequestId", "LogicalResourceId", "ResponseURL")


class Meaning(Protocol):
    """The meaning of a resource type's requests: a `Lifecycle`, or a check of the provider's own stack."""

    @property
    def words(self) -> Words:
        """The words that messages use for the job."""

    def look(
        self,
        asked: Asked,
        so_far: Patience,
        *,
        send: Callable[[str], bool],
        check: Callable[[Told], str],
        ended: str = "",
        known: str = "",
    ) -> Told | Waiting:
        """Take a look at a request; see `Lifecycle.look`."""


@dataclass(eq=False)
class Conversation:
    """One request, in one invocation.

    Attributes:
        event: The event with the request.
        address: Where to send the response.
        request: The request.
        limits: The time limits.
        lifecycle: The meaning of the request.
        queue: The queue in which the request can wait.
        clock: The time.
        tell: Sends a response to CloudFormation; see `answer.tell`.
        is_continued: Whether the request has waited in the queue.
        handle: The handle to signal when the job has ended; `None` if there is none.
    """

    event: Mapping[str, Any]
    address: ReturnAddress
    request: CloudFormationRequest
    limits: TimeLimits
    lifecycle: Meaning
    queue: WaitingQueue
    clock: Clock
    tell: Callable[[Answer], None]
    is_continued: bool
    handle: PresignedUrl | None = None
    _answer: Answer | None = None
    _is_decided: bool = False  # answered, or handed over to the queue
    _try_queue_at: float = float("-inf")
    _problem: str = ""  # why the queue did not accept the request
    _doubts: int = 0  # how many messages the queue may have accepted
    _undeliverable: Undeliverable | None = None
    _told: Told | None = None
    _patience: Patience = field(init=False)
    _known: str = ""  # what the last look found
    _deciding: Any = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._patience = self.request.patience

    def hold(self, context: LambdaContext) -> Answer | None:
        """Fulfil the request and respond to it, or hand it over to the queue.

        Args:
            context: The invocation.

        Returns:
            The response; `None` if the request waits in the queue.

        Raises:
            Undeliverable: The response could not be delivered, or the wait for the job's end could not be queued.
        """
        Dispatch(
            create=self._pursue,
            update=self._pursue,
            delete=self._pursue,
            respond=self._decide,
            expire=self._expire,
            seconds=self.limits.last_word - self.clock.monotonic(),
        )(
            {name: self.event[name] for name in _FIELDS_OF_CRHELPER} | {"PhysicalResourceId": "unused"},
            context,
        )
        with self._deciding:  # the watchdog may still be responding
            if self._undeliverable:
                raise self._undeliverable
            return self._answer

    def _pursue(self, *_: object) -> None:
        try:
            self._told = self._look_until_done()
        except Exception as error:  # noqa: BLE001 - CloudFormation waits for a response, whatever it is
            logger.exception("The provider failed")
            self._told = self._end(
                f"The provider failed because of a bug: {type(error).__name__}: {error}. Please report it, with the "
                "stack trace in the function's log."
            )

    def _look_until_done(self) -> Told | None:
        """Look until the request is decided; return `None` if the queue took it over."""
        began = self.clock.monotonic()
        while True:
            result = self._look()
            if isinstance(result, Told):
                return result
            self._patience, self._known = result.patience, result.reason
            now = self.clock.monotonic()
            pause = waiting.pause(now - self.limits.arrived_at, random.random())  # noqa: S311 - no secret
            pause = min(pause, self.limits.deadline - now)  # while another look fits, the request does not fail
            is_last = now + pause > self.limits.last_look
            is_long = self.is_continued or is_last or now + pause > began + _LOOKS_SECONDS
            may_wait = pause >= _SHORTEST_DELAY_SECONDS and now + _SLOWEST_HANDOVER_SECONDS < self.limits.deadline
            if is_long and may_wait and (is_last or now >= self._try_queue_at):
                self._problem = self._hand_over(int(pause), is_last=is_last)
                if not self._problem:
                    return None
                now = self.clock.monotonic()
            pause = min(pause, self.limits.last_look - now)
            if pause <= 0:
                is_up = now >= self.limits.deadline
                #: Without the [waiting queue](#the-waiting-queue), the function waits for at most 14 minutes. Each
                #: retried deletion waits as long again.
                return self._end(TIME_IS_UP if is_up else f"The function cannot wait any longer: {self._problem}")
            self.clock.sleep(pause)

    def _look(self, ended: str = "") -> Told | Waiting:
        known = self._known if ended else ""
        return self.lifecycle.look(
            self.request.asked, self._patience, send=self._send_owed, check=self._problem_with, ended=ended, known=known
        )

    def _end(self, why: str) -> Told:
        """Decide the request now, without waiting or calling Neptune."""
        try:
            told = self._look(ended=why)
        except Exception as error:  # noqa: BLE001 - CloudFormation waits for a response, whatever it is
            #: The function ran out of time. CloudFormation received the response nevertheless.
            logger.warning("The outcome could not be written to the journal", error=str(error))
            return Told(Outcome.FAILED, "", why)
        return told if isinstance(told, Told) else Told(Outcome.FAILED, "", f"{told.reason} {why}")

    # --- the queue ----------------------------------------------------------------------------------------------------

    @property
    def _has_time(self) -> bool:
        """Whether a queue that hangs leaves time for the response."""
        return self.clock.monotonic() + _SLOWEST_HANDOVER_SECONDS <= self.limits.last_word

    def _send_owed(self, identity: str) -> bool:
        """Queue the cancellation of a job, which then no longer depends on this request."""
        asked = self.request.asked
        message = waiting.Owed(asked.resource, identity, self.clock.wall())
        problem = "" if self._has_time else self._problem  # a queue that hung may hang again
        if not problem:
            try:
                self.queue.put(message.as_json(), waiting.FIRST_DELAY_SECONDS)
            except waiting.CannotWait as error:
                problem = str(error)
        if problem:
            #: The request cancels the job itself, if its time allows.
            logger.warning("The cancellation of a job could not be queued", problem=problem)
        return not problem

    def _hand_over(self, delay_seconds: int, *, is_last: bool) -> str:
        """Hand the request over to the queue; return why that failed, or an empty string."""
        arrived_at = self.clock.wall() - (self.clock.monotonic() - self.limits.arrived_at)
        waited = {"ArrivedAt": arrived_at, "Patience": self._patience.as_json()}
        with self._deciding:
            if self._is_decided:  # the watchdog was first
                return ""
            try:
                if self._doubts and not is_last:
                    self.queue.check()  # does it respond at all?
                self.queue.put({**self.event, waiting.FIELD: waited}, delay_seconds)
            except waiting.CannotWait as error:
                self._put_off(error)
                #: The function retries the queue, first after 30 s.
                logger.warning("The request could not be queued; waiting in this invocation", problem=str(error))
                return str(error)
            self._is_decided = True
            logger.info("The request is waiting in the queue", delay_seconds=delay_seconds)
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

    # --- the outcome --------------------------------------------------------------------------------------------------

    def _expire(self) -> None:
        """Respond that the time is over, while a call hangs; the watchdog's thread calls this."""
        with self._deciding:
            if not self._is_decided:
                #: Calls hung, or `ServiceTimeout` is too short; raise it.
                self._told = self._told or self._end("The provider ran out of time waiting for Neptune to respond.")
            self._decide("")

    def _decide(self, failure: str) -> None:
        """Send the outcome to CloudFormation, unless the request was decided before.

        Args:
            failure: Why the provider itself failed; empty if it did not.
        """
        with self._deciding:
            if self._is_decided:
                return
            self._is_decided = True
            told = self._told or Told(Outcome.FAILED, "", failure)
            self._answer = self._answer_of(told)
            try:
                self.tell(self._answer)
            except Undeliverable as error:
                self._undeliverable = error
            except Exception as error:  # noqa: BLE001 - the event has to be delivered again
                logger.exception("The response could not be delivered")
                #: A bug; Lambda delivers the request again.
                self._undeliverable = Undeliverable(f"The response could not be delivered: {type(error).__name__}.")
            record("Failures", int(told.has_failed))
            if self.request.asked.is_delete:
                record("FailedDeletions", int(told.has_failed))

    def _answer_of(self, told: Told) -> Answer:
        """Make the response. A Delete, and an Update that fails, keep the physical ID."""
        keeps = self.request.asked.is_delete or (told.has_failed and self.address.physical_id)
        physical_id = self.address.fallback_id if keeps else told.physical_id or self.address.fallback_id
        return Answer(told.outcome, physical_id, told.reason, told.attributes)

    # --- what follows -------------------------------------------------------------------------------------------------

    def _problem_with(self, told: Told) -> str:
        """Return why a request is not a success, before its success is recorded; empty if it is one."""
        if problem := problem_with(self.address, self._answer_of(told)):
            return problem
        if self.handle is None or not self._is_to_be_followed(told, self.handle):
            return ""
        problem = self._hand_over_the_job(told.physical_id)
        if not problem:
            return ""
        #: `CompletionHandle` needs the [waiting queue](#the-waiting-queue).
        failure = f"The provider cannot wait for the {self.lifecycle.words.thing}. {problem}"
        if told.physical_id == self.request.asked.physical_id:
            # It may be a rollback, which must not fail. The event is redelivered, and finally raises the alarm.
            #: An update that keeps its job must not fail. Its event goes to the failed-events queue instead:
            #: [replay it](operations.md#failed-events).
            self._undeliverable = Undeliverable(f"{failure} CompletionHandle will not be signalled.")
            return ""
        return failure

    def _is_to_be_followed(self, told: Told, handle: PresignedUrl) -> bool:
        """Tell whether the job or the handle is new, and a wait condition may be waiting."""
        asked, name = self.request.asked, COMPLETION_HANDLE.name
        is_other = asked.physical_id != told.physical_id or asked.properties[name] != asked.old_properties.get(name)
        if is_other and handles.has_expired(handle, self.clock):
            #: It is gone, or more than a day old; no wait condition waits for it. For another job, declare [a new
            #: handle](reference.md#longer-than-an-hour).
            logger.warning("The handle no longer accepts signals", problem="expired")
            return False
        return is_other

    def _hand_over_the_job(self, physical_id: str) -> str:
        """Queue the wait for the job's end; return why that failed, or an empty string."""
        pauses = list(_HANDOVER_PAUSES)
        while True:
            try:
                following.have_followed(self.queue, self.event, physical_id, now=self.clock.wall())
            except waiting.CannotWait as error:
                logger.warning("The wait for the job's end could not be queued", problem=str(error))
                if not (pauses and self._has_time):
                    return str(error)
                self.clock.sleep(pauses.pop(0))
            else:
                return ""
