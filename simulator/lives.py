"""The statuses of jobs and of endpoints, and what follows on what.

Jobs::

    InProgress ── cancelled ──▶ Stopping ── after stop_seconds ──▶ Stopped
        └──────── after run_seconds ──▶ Completed or Failed

Endpoints::

    Creating ── after run_seconds ──▶ InService or Failed ── deleted ──▶ Deleting ── after stop_seconds ──▶ gone
                                        │      ▲
                                     updated   │ after run_seconds
                                        └▶ Updating

botocore's service model `neptunedata`, 2023-08-01, has every status as a mere string, and the Neptune User Guide shows
no answer with one. These are the ones that AWS's own clients know, or that SageMaker has for what Neptune starts there:

- `Completed` and `Failed` are what AWS's notebook client (PyPI `graph-notebook`, `magics/ml.py`) waits for in all three
  kinds of jobs, and `Stopped` in those of model transforms. A user's failed data processing job, as Neptune described
  it, is in https://github.com/aws/graph-notebook/issues/145. `InProgress` and `Stopping` are what SageMaker calls
  processing, training, tuning and transform jobs before that (its `ProcessingJobStatus` and its siblings have these
  five).
- `InService` and `Failed` are what the notebook client waits for in an endpoint; both are in SageMaker's
  `EndpointStatus`, as are `Creating`, `Updating`, `OutOfService` and `Deleting`. SageMaker has no status for an
  endpoint that was deleted: it is not there any more. `SystemUpdating`, `RollingBack` and `UpdateRollbackFailed` come
  of maintenance, of scaling and of rolling deployments, none of which the Neptune Data API asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias


class JobStatus(StrEnum):
    """The `status` of a job, whether it processes data, trains a model or transforms one."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    COMPLETED = "Completed"
    FAILED = "Failed"

    @property
    def ended(self) -> bool:
        """Whether the job never changes again."""
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
        """Whether the endpoint has failed: any other that is there has instances, and costs money all the time."""
        return self is EndpointStatus.FAILED


Status: TypeAlias = JobStatus | EndpointStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """What a kind's statuses are.

    Attributes:
        noun: What messages call one for short.
        running: While it is on its way to its end.
        updating: While it is on its way there again; None: it cannot be updated.
        completed: What it can be when it has completed, the usual one first.
        failed: When it has failed.
        stopping: While it is being cancelled or deleted.
        stopped: When it has been cancelled; None: it is not there any more. What goes away can be deleted whatever its
            status is, what stays can be cancelled only as long as it runs.
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
        """All of them, in the order in which they can follow on each other."""
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
