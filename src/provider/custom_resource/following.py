"""The looking for the end of a job whose request is answered: its handle is to be signalled."""

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
"""For how long a job is looked at: a wait condition waits for 12 hours, and may begin some time after the answer."""


def have_followed(queue: WaitingQueue, event: Mapping[str, Any], physical_id: str, *, now: float) -> None:
    """Have the end of a job looked for.

    Args:
        queue: The queue that goes on looking.
        event: The event with the request that has the job, and is about to be answered.
        physical_id: The job, as the resource's physical id.
        now: The time, seconds of `Clock.wall`.

    Raises:
        CannotWait: The queue does not take it.
    """
    followed = {"ArrivedAt": now, "Patience": Patience().as_json(), "Follows": physical_id}
    queue.put({**event, waiting.FIELD: followed}, waiting.FIRST_DELAY_SECONDS)
    logger.info("The provider keeps checking the job", delay_seconds=waiting.FIRST_DELAY_SECONDS)
    record("StillWaiting", 1)


class Following(NamedTuple):
    """One look.

    Attributes:
        event: The event that holds the request.
        request: What CloudFormation has asked, and been answered.
        identity: The job.
        handle: Where the signal goes.
        lifecycle: What the job's status means.
        queue: Where the next look waits.
        clock: The time.
        pauses: How long to wait before each further attempt to deliver the signal, in seconds.
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
            The signal, taken or not; `None` if the queue goes on looking.

        Raises:
            Undeliverable: The handle did not take it; the message is to be delivered again.
            CannotWait: The queue does not take the next look; likewise.
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
        return self.request.arrived_at or 0.0

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
