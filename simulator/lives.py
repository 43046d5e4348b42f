"""The statuses of jobs and endpoints, and their order.

Jobs::

    InProgress ── cancelled ──▶ Stopping ── after stop_seconds ──▶ Stopped
        └──────── after run_seconds ──▶ Completed or Failed

Endpoints::

    Creating ── after run_seconds ──▶ InService or Failed ── deleted ──▶ Deleting ── after stop_seconds ──▶ gone
                                        │      ▲
                                     updated   │ after run_seconds
                                        └▶ Updating

In botocore's service model `neptunedata`, a status is any string, and the Neptune User Guide shows no answer with one.
These are the statuses that AWS's own clients know, or that SageMaker has for what Neptune starts there:

- AWS's notebook client (PyPI `graph-notebook`, `magics/ml.py`) waits for `Completed` and `Failed` in all three kinds of
  jobs, and for `Stopped` in model transforms. https://github.com/aws/graph-notebook/issues/145 has a user's failed data
  processing job as Neptune described it. Before that, SageMaker's processing, training, tuning and transform jobs are
  `InProgress` or `Stopping` (its `ProcessingJobStatus` and its siblings have these five).
- The notebook client waits for an endpoint to be `InService` or `Failed`. Both are in SageMaker's `EndpointStatus`, as
  are `Creating`, `Updating`, `OutOfService` and `Deleting`. SageMaker has no status for a deleted endpoint, which no
  longer exists. `SystemUpdating`, `RollingBack` and `UpdateRollbackFailed` result from maintenance, scaling and rolling
  deployments, none of which the Neptune Data API requests.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias


class JobStatus(StrEnum):
    """The `status` of a data processing, model training or model transform job."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    FAILED = "Failed"

    @property
    def ended(self) -> bool:
        """Whether the job has ended."""
        return self not in {JobStatus.IN_PROGRESS, JobStatus.STOPPING}


class EndpointStatus(StrEnum):
    """The `status` of an endpoint."""

    CREATING = "Creating"
    UPDATING = "Updating"
    IN_SERVICE = "InService"
    OUT_OF_SERVICE = "OutOfService"
    DELETING = "Deleting"
    FAILED = "Failed"

    @property
    def ended(self) -> bool:
        """Whether the endpoint has failed: any other endpoint has instances, which cost money."""
        return self is EndpointStatus.FAILED


Status: TypeAlias = JobStatus | EndpointStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The statuses of a kind.

    Attributes:
        noun: The short name in messages.
        running: Until it has completed or failed.
        updating: The same after an update; None: it cannot be updated.
        completed: When it has completed; the usual status comes first.
        failed: When it has failed.
        stopping: While it is being cancelled or deleted.
        stopped: When it was cancelled; None: it no longer exists. A kind without this status can be deleted in every
            status, any other can be cancelled only while it runs.
    """

    noun: str
    running: Status
    updating: Status | None = None
    completed: tuple[Status, ...]
    failed: Status
    stopping: Status
    stopped: Status | None

    @property
    def statuses(self) -> tuple[Status, ...]:
        """All statuses, in their order."""
        every = (self.running, self.updating, self.stopping, self.stopped, *self.completed, self.failed)
        return tuple(status for status in every if status is not None)

    def status_named(self, name: str) -> Status:
        """Return the status of that name.

        Raises:
            ValueError: If there is none.
        """
        for status in self.statuses:
            if status == name:
                return status
        raise ValueError(f"{name!r} is no {self.noun} status: {', '.join(self.statuses)}")


JOB: Final = Life(
    noun="job",
    running=JobStatus.IN_PROGRESS,
    completed=(JobStatus.COMPLETED,),
    failed=JobStatus.FAILED,
    stopping=JobStatus.STOPPING,
    stopped=JobStatus.STOPPED,
)
ENDPOINT: Final = Life(
    noun="endpoint",
    running=EndpointStatus.CREATING,
    updating=EndpointStatus.UPDATING,
    completed=(EndpointStatus.IN_SERVICE, EndpointStatus.OUT_OF_SERVICE),
    failed=EndpointStatus.FAILED,
    stopping=EndpointStatus.DELETING,
    stopped=None,
)
