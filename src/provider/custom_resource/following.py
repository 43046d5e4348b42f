"""The wait for the end of a job with a `CompletionHandle`, after its request was answered."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

from provider.custom_resource import waiting
from provider.custom_resource.handle import Outcome, Signal, signal
from provider.lifecycle import Patience, RequestFailed, Waiting
from provider.observability import logger, record, tracer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from provider.clock import Clock
    from provider.custom_resource.request import CloudFormationRequest, PresignedUrl
    from provider.custom_resource.waiting import WaitingQueue
    from provider.identity import Identity
    from provider.lifecycle import Lifecycle

LONGEST_SECONDS = 13 * 3600.0
"""How long a job is watched. A wait condition waits for 12 hours, and may begin some time after the response."""


def have_followed(queue: WaitingQueue, event: Mapping[str, Any], physical_id: str, *, now: float) -> None:
    """Queue the wait for the end of a job.

    Args:
        queue: The queue.
        event: The event with the request for the job, which is about to be answered.
        physical_id: The job, as the resource's physical ID.
        now: The time, seconds of `Clock.wall`.

    Raises:
        CannotWait: The queue did not accept it.
    """
    followed = {"ArrivedAt": now, "Patience": Patience().as_json(), "Follows": physical_id}
    queue.put({**event, waiting.FIELD: followed}, waiting.FIRST_DELAY_SECONDS)
    logger.info("The provider keeps checking the job", delay_seconds=waiting.FIRST_DELAY_SECONDS)
    record("StillWaiting", 1)


class Following(NamedTuple):
    """One look.

    Attributes:
        event: The event with the request.
        request: The request, which was answered.
        identity: The job.
        handle: The handle to signal.
        lifecycle: The meaning of the job's status.
        queue: The queue in which the next look waits.
        clock: The time.
        pauses: The pauses before each further attempt to deliver the signal, in seconds.
    """

    event: Mapping[str, Any]
    request: CloudFormationRequest
    identity: Identity
    handle: PresignedUrl
    lifecycle: Lifecycle
    queue: WaitingQueue
    clock: Clock
    pauses: Sequence[float]

    def look(self) -> Signal | None:
        """Look at the job, and signal its end.

        Returns:
            The signal, accepted or not; `None` if the job has not ended.

        Raises:
            Undeliverable: The handle did not accept the signal. The message has to be delivered again.
            CannotWait: The queue did not accept the next look. The message has to be delivered again.
        """
        told = self._judge()
        tracer.put_annotation("outcome", "PENDING" if told is None else told.outcome)
        if told is not None:
            if told.outcome is Outcome.FAILURE:
                #: `reason` is what was signalled to `CompletionHandle`.
                logger.error("The job has not completed", reason=told.reason)
            is_taken = signal(self.handle, told, clock=self.clock, pauses=self.pauses)
            record("FailedSignals", int(not is_taken))
        return told

    @property
    def _since(self) -> float:
        return self.request.arrived_at

    def _judge(self) -> Signal | None:
        job_id = self.identity.id
        try:
            result = self.lifecycle.completion(self.identity, self.request.asked.properties, self.request.patience)
        except RequestFailed as failed:
            return Signal(Outcome.FAILURE, job_id, str(failed))
        if not isinstance(result, Waiting):
            if result.has_failed:
                return Signal(Outcome.FAILURE, job_id, result.reason)
            words = self.lifecycle.words
            return Signal(Outcome.SUCCESS, job_id, f"{words.named(job_id)} {words.completed}.", result.attributes)
        waited = self.clock.wall() - self._since
        if waited >= LONGEST_SECONDS:
            #: No wait condition waits longer than 12 hours. The job keeps running: adopt it when it has completed.
            reason = f"{result.reason} The provider stopped waiting after {waited / 3600:.0f} hours."
            return Signal(Outcome.FAILURE, job_id, reason)
        self._look_again(result.patience, int(waiting.pause(waited, random.random())))  # noqa: S311 - no secret
        return None

    def _look_again(self, patience: Patience, delay_seconds: int) -> None:
        followed = {"ArrivedAt": self._since, "Patience": patience.as_json(), "Follows": str(self.identity)}
        self.queue.put({**self.event, waiting.FIELD: followed}, delay_seconds)
        logger.info("The job has not ended; the provider keeps checking it", delay_seconds=delay_seconds)
        record("StillWaiting", 1)
