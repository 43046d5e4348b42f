"""How a job is found that a request started and could not report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.kinds.common import CLEAN
from provider.neptune import LONGEST_LIST, JobNotFound, NeptuneError

if TYPE_CHECKING:
    from provider.job_id import Origin
    from provider.lifecycle.terms import JobsOfCluster
    from provider.schema import Properties

# A request ends within an hour, and what follows from its failure comes soon. What is older than this was reported
# once, and let go of on purpose (`DeletionPolicy: Retain`).
_UNREPORTED_SECONDS = 86400
# Of the jobs of one description, the newest can be the one to go back to.
_LOOKED_AT = 5


class OwnJobs(NamedTuple):
    """The jobs of one cluster that were started for one resource by one description.

    Attributes:
        jobs: The jobs of the cluster.
        origin: The resource.
        properties: Its properties, which describe the jobs.
    """

    jobs: JobsOfCluster
    origin: Origin
    properties: Properties

    def ids(self) -> list[str]:
        """Return their ids, the newest first, up to the one that the request may itself have started.

        Raises:
            NeptuneError: What `Jobs.list` raises, and that it does not name all jobs.
        """
        listed = self.jobs.list(self.properties)
        description, now = self.properties.description, self.origin.asked_at
        own = [job_id for job_id in listed if job_ids.is_of(job_id, self.origin, description)]
        if not own and len(listed) >= LONGEST_LIST:
            raise NeptuneError(f"Neptune lists no more than {LONGEST_LIST:,} jobs, and the resource's may be another.")
        # A request that is replayed must not take the job of a later one for its own.
        known = [job_id for job_id in own if now is None or job_ids.asked_at(job_id) <= now]
        return sorted(known, key=job_ids.asked_at, reverse=True)

    def unreported(self, *, may_be_stopping: bool) -> str:
        """Return the id of the job of a creation that was never answered, if it runs; empty if there is none.

        Args:
            may_be_stopping: Whether a job is taken for it that has been cancelled already.

        Raises:
            NeptuneError: What `ids` and `Jobs.get` raise.
        """
        states = ("running", "stopping") if may_be_stopping else ("running",)
        newest = next((job_id for job_id in self.ids() if not self._is_old(job_id)), "")
        return newest if newest and self._is(newest, *states) else ""

    def unreported_besides(self, reported: str) -> list[str]:
        """Return the ids of those that came after the job that CloudFormation knows, and still run.

        Args:
            reported: The id of that job.

        Raises:
            NeptuneError: What `ids` and `Jobs.get` raise.
        """
        since = job_ids.asked_at(reported)
        others = [it for it in self.ids() if it != reported and not self._is_old(it)]
        later = [it for it in others if (job_ids.asked_at(it) or since) >= since]
        return [job_id for job_id in later if self._is(job_id, "running")]

    def to_go_back_to(self, current: str) -> str:
        """Return the id of a job that does what its description says, or has done so; empty if there is none.

        When CloudFormation rolls a replacement back, the job that was replaced is still there. A job that was replaced
        long ago was let go of on purpose.

        Args:
            current: The id of the job that the resource has.

        Raises:
            NeptuneError: What `ids` and `Jobs.get` raise.
        """
        if self._is_old(current):
            return ""
        # What has completed may have lost its artifacts when it was cleaned up.
        states = ("running", "failed") if self.properties[CLEAN] else ("running", "failed", "completed")
        return next((job_id for job_id in self.ids()[:_LOOKED_AT] if self._is(job_id, *states)), "")

    def _is_old(self, job_id: str) -> bool:
        asked_at, now = job_ids.asked_at(job_id), self.origin.asked_at
        return bool(asked_at) and now is not None and now - asked_at >= _UNREPORTED_SECONDS

    def _is(self, job_id: str, *states: str) -> bool:
        try:
            job = self.jobs.get(job_id, self.properties)
        except JobNotFound:
            return False
        if not job.has_ended:
            return ("stopping" if job.is_stopping else "running") in states
        return ("completed" if job.has_completed else "failed" if job.failure else "stopped") in states
