"""How a job is found that a request started and could not report."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.kinds.common import CLEAN
from provider.neptune import LONGEST_LIST, JobNotFound
from provider.observability import logger

if TYPE_CHECKING:
    from provider.job_id import Origin
    from provider.lifecycle.terms import JobsOfCluster
    from provider.schema import Properties

# A request ends within an hour, and what follows from its failure comes soon. What is older than this, or is not the
# newest, was reported once and let go of on purpose (`DeletionPolicy: Retain`).
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
        """Return their ids, the newest first; raises what `Jobs.list` raises."""
        listed = self.jobs.list(self.properties)
        if len(listed) >= LONGEST_LIST:
            logger.warning("Neptune lists no more jobs than this; there may be others", count=len(listed))
        description = self.properties.description
        own = [job_id for job_id in listed if job_ids.is_of(job_id, self.origin, description)]
        return sorted(own, key=job_ids.asked_at, reverse=True)

    def unreported(self) -> str:
        """Return the id of the job of a creation that was never answered; empty if there is none.

        Raises:
            NeptuneError: What `Jobs.list` raises.
        """
        for newest in self.ids()[:1]:
            asked_at, now = job_ids.asked_at(newest), self.origin.asked_at
            if not asked_at or now is None or now - asked_at < _UNREPORTED_SECONDS:
                return newest
        return ""

    def unreported_besides(self, reported: str) -> list[str]:
        """Return the ids of those that came after the job that CloudFormation knows, and still run.

        Args:
            reported: The id of that job.

        Raises:
            NeptuneError: What `Jobs.list` and `Jobs.get` raise.
        """
        since = job_ids.asked_at(reported)
        later = [it for it in self.ids() if it != reported and (job_ids.asked_at(it) or since) >= since]
        return [job_id for job_id in later if self._is(job_id, "running")]

    def to_go_back_to(self) -> str:
        """Return the id of a job that does what its description says, or has done so; empty if there is none.

        When CloudFormation rolls a replacement back, the job that was replaced is still there.

        Raises:
            NeptuneError: What `Jobs.list` and `Jobs.get` raise.
        """
        # What has completed may have lost its artifacts when it was cleaned up.
        states = ("running",) if self.properties[CLEAN] else ("running", "completed")
        return next((job_id for job_id in self.ids()[:_LOOKED_AT] if self._is(job_id, *states)), "")

    def _is(self, job_id: str, *states: str) -> bool:
        try:
            job = self.jobs.get(job_id, self.properties)
        except JobNotFound:
            return False
        runs = not (job.has_ended or job.is_stopping)
        return ("running" in states and runs) or ("completed" in states and job.has_completed)
