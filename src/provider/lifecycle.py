"""What Create, Update and Delete mean for a model transform job."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from provider import properties
from provider.neptune import (
    JobNotFound,
    ModelTransformJob,
    NeptuneError,
    RequestRefused,
    Status,
    Unavailable,
    Unreachable,
)
from provider.observability import annotate, count, logger, measure_seconds
from provider.properties import InvalidProperties, Operator, Properties

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.clock import Clock
    from provider.properties import Endpoint

# The next look at a stopping job comes after a tenth of the time already waited, within these bounds: the answer is
# never later than a tenth of the wait, and fifteen minutes cost some hundred calls.
_SHORTEST_INTERVAL_SECONDS = 0.5
_LONGEST_INTERVAL_SECONDS = 15.0
_SHARE_OF_WAIT = 0.1
# A Create or an Update does not wait for more than a Neptune that throttles or fails for a moment.
_LONGEST_ADOPTION_SECONDS = 60.0


class Jobs(Protocol):
    """The jobs of one cluster: `neptune.ModelTransformJobs`, or a stand-in."""

    def get(self, job_id: str, *, neptune_iam_role_arn: str | None) -> ModelTransformJob:
        """Look a job up; see `ModelTransformJobs.get`."""

    def cancel(self, job_id: str, *, clean: bool, neptune_iam_role_arn: str | None) -> None:
        """Cancel a job; see `ModelTransformJobs.cancel`."""


class RequestFailed(Exception):
    """The request cannot be fulfilled; the message tells the resource's user why and what to do."""


@dataclass(frozen=True)
class Request:
    """What is asked of a resource, whoever asks.

    Attributes:
        physical_id: The resource's id so far; `None` for a Create.
        properties: The resource's properties, as sent.
        old_properties: Those before an Update, as sent.
        wait_until: Until when a Delete may wait for its job to stop; seconds of `Clock.monotonic`.
        cancelled_at: When an earlier part of this Delete had Neptune accept the cancellation; seconds of `Clock.wall`.
    """

    physical_id: str | None
    properties: Mapping[str, object]
    old_properties: Mapping[str, object] = field(default_factory=dict)
    wait_until: float = 0.0
    cancelled_at: float | None = None


@dataclass(frozen=True)
class Done:
    """The request is fulfilled.

    Attributes:
        physical_id: The resource's id.
        attributes: What `Fn::GetAtt` returns.
    """

    physical_id: str
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StillStopping:
    """The job of a Delete has not stopped yet.

    Attributes:
        reason: What is known of it, one sentence.
        cancelled_at: When Neptune accepted the cancellation, seconds of `Clock.wall`; `None` if it has not yet.
    """

    reason: str
    cancelled_at: float | None


@dataclass(frozen=True)
class Lifecycle:
    """The life of `Custom::NeptuneMLModelTransformJob`.

    Attributes:
        operator: What the provider's operator laid down for every resource.
        connect: Gives the jobs of a cluster.
        clock: The time.
    """

    operator: Operator
    connect: Callable[[Endpoint], Jobs]
    clock: Clock

    def create(self, request: Request) -> Done:
        """Adopt a job.

        Args:
            request: The Create.

        Returns:
            The adopted job's id and attributes.

        Raises:
            RequestFailed: A property is wrong, the job does not exist, or it could not be looked up.
        """
        return self._adopt(self._parse(request), known=False)

    def update(self, request: Request) -> Done:
        """Adopt new settings, or another job.

        A job of another id is a replacement: CloudFormation then sends the Delete of the old one.
        A job that is gone keeps its resource, as long as the resource names the same cluster as before.

        Args:
            request: The Update.

        Returns:
            The adopted job's id and attributes.

        Raises:
            RequestFailed: A property is wrong, the job does not exist, or it could not be looked up.
        """
        new = self._parse(request)
        same_job = new.id == request.physical_id
        same_cluster = request.properties.get("Endpoint") == request.old_properties.get("Endpoint")
        return self._adopt(new, known=same_job and same_cluster)

    def delete(self, request: Request) -> Done | StillStopping:
        """Cancel the job and wait until it has stopped.

        Only a job that Create or Update adopted is touched: its id is the physical id then. CloudFormation also sends
        Deletes for failed creations, with other physical ids.

        Args:
            request: The Delete, or its continuation if `cancelled_at` is set.

        Returns:
            `Done` when the job runs no more (or, with `WaitForStop: false`, when Neptune accepted the cancellation);
            `StillStopping` at `wait_until`.

        Raises:
            RequestFailed: Neptune refused, or could not be asked.
        """
        physical_id = request.physical_id or ""
        annotate(job_id=physical_id)
        if request.properties.get("Id") != physical_id:
            logger.info("This resource adopted no job: nothing to cancel", physical_resource_id=physical_id)
            return Done(physical_id)
        try:
            settings = properties.parse_for_delete(request.properties, self.operator)
        except InvalidProperties as error:
            raise RequestFailed(
                f"The job {physical_id} cannot be cancelled. {error} If the provider's parameters DefaultEndpoint or "
                "AllowedHosts were changed, change them back and delete the stack again."
            ) from error
        logger.append_keys(job_id=settings.id)
        try:
            return self._stop(settings, request)
        except JobNotFound:
            logger.info("The job is gone")
            annotate(status="NotFound")
            return Done(physical_id)
        except NeptuneError as error:
            raise RequestFailed(f"The job {physical_id} could not be cancelled. {error}") from error

    def _parse(self, request: Request) -> Properties:
        try:
            return properties.parse(request.properties, self.operator)
        except InvalidProperties as error:
            raise RequestFailed(str(error)) from error

    def _adopt(self, settings: Properties, *, known: bool) -> Done:
        logger.append_keys(job_id=settings.id)
        annotate(job_id=settings.id)
        try:
            job = self._look_up_patiently(settings)
        except JobNotFound as error:
            if not known:
                raise RequestFailed(f"{error} Check Id and Endpoint.") from error
            job = ModelTransformJob(settings.id, status="")
        except NeptuneError as error:
            raise RequestFailed(f"The job {settings.id} could not be looked up. {error}") from error
        annotate(status=job.status or "NotFound")
        logger.info("Adopted the job", status=job.status)
        return Done(settings.id, attributes(job))

    def _stop(self, settings: Properties, request: Request) -> Done | StillStopping:
        jobs = self.connect(settings.endpoint)
        started = self.clock.monotonic()
        cancelled_at = request.cancelled_at
        while True:
            try:
                if cancelled_at is None:
                    job = self._cancel(jobs, settings)
                    cancelled_at = self.clock.wall()
                    if job.has_ended or not settings.wait_for_stop:
                        annotate(status=job.status)
                        return Done(settings.id)
                job = self._look_up(jobs, settings)
                if job.has_ended:
                    logger.info("The job has ended", status=job.status)
                    annotate(status=job.status)
                    measure_seconds("SecondsToStop", max(0.0, self.clock.wall() - cancelled_at))
                    return Done(settings.id)
                reason = f"The job {settings.id} has not stopped yet (its status is {job.status})."
            except Unavailable as error:
                reason = f"The job {settings.id} is not known to have stopped: {error}"
                logger.warning("Neptune is unavailable; asking again", error=str(error))
            except Unreachable as error:
                # A failover takes a minute; a cluster that was never reached is a mistake that should show at once.
                if cancelled_at is None:
                    raise
                reason = f"The job {settings.id} is not known to have stopped: {error}"
                logger.warning("Neptune is unreachable; asking again", error=str(error))
            now = self.clock.monotonic()
            if now >= request.wait_until:
                return StillStopping(reason, cancelled_at)
            self.clock.sleep(min(_interval(now - started), request.wait_until - now))

    def _look_up_patiently(self, settings: Properties) -> ModelTransformJob:
        """Look a job up; a Neptune that throttles is asked again for a while."""
        jobs = self.connect(settings.endpoint)
        started = self.clock.monotonic()
        while True:
            try:
                return self._look_up(jobs, settings)
            except Unavailable as error:
                waited = self.clock.monotonic() - started
                if waited >= _LONGEST_ADOPTION_SECONDS:
                    raise
                logger.warning("Neptune is unavailable; asking again", error=str(error))
                self.clock.sleep(_interval(waited))

    def _look_up(self, jobs: Jobs, settings: Properties) -> ModelTransformJob:
        return jobs.get(settings.id, neptune_iam_role_arn=settings.neptune_iam_role_arn)

    def _cancel(self, jobs: Jobs, settings: Properties) -> ModelTransformJob:
        """Have Neptune stop the job; returns what is known of the job then."""
        try:
            jobs.cancel(settings.id, clean=settings.clean, neptune_iam_role_arn=settings.neptune_iam_role_arn)
        except RequestRefused as refusal:
            # Neptune refuses to cancel a job that has ended, or is stopping already.
            job = self._look_up(jobs, settings)
            if not job.has_ended and job.status != Status.STOPPING:
                raise
            logger.info("The job needs no cancelling", status=job.status, refusal=str(refusal))
            return job
        logger.info("Cancelled the job", clean=settings.clean)
        count("JobsCancelled")
        return ModelTransformJob(settings.id, Status.STOPPING)


def _interval(waited: float) -> float:
    return min(max(waited * _SHARE_OF_WAIT, _SHORTEST_INTERVAL_SECONDS), _LONGEST_INTERVAL_SECONDS)


def attributes(job: ModelTransformJob) -> Mapping[str, str]:
    """Tell what `Fn::GetAtt` returns: every attribute always, so that none can break a stack.

    Args:
        job: The adopted job.

    Returns:
        Names and values; a value is empty where Neptune names none.
    """
    return {
        "Id": job.id,
        "Status": job.status,
        "OutputLocation": job.output_location,
        "BaseProcessingJobArn": job.base_processing_job_arn,
        "RemoteModelTransformJobArn": job.remote_model_transform_job_arn,
    }
