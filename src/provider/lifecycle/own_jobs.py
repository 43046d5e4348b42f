"""The jobs that the provider has started for one resource, as Neptune lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider import job_id as job_ids
from provider.kinds.common import CLEAN
from provider.neptune import LONGEST_LIST, JobNotFound, NeptuneError

if TYPE_CHECKING:
    from provider.job_id import Origin
    from provider.lifecycle.terms import JobsOfCluster
    from provider.neptune import Job
    from provider.schema import Properties

# A request ends within an hour, and what follows from its failure comes soon. What is older than this was reported
# once, and let go of on purpose (`DeletionPolicy: Retain`).
_UNREPORTED_SECONDS = 86400
# The same, where it is not known what came before: an update may take its hour, and CloudFormation as long to come to
# its rollback, while other resources of the stack are still updated or rolled back first.
_SAME_UPDATE_SECONDS = 7200
# Of the jobs of one description, the newest can be the one to go back to.
_LOOKED_AT = 5


class OwnJobs(NamedTuple):
    """The jobs of one cluster that were started for one resource by one description.

    Attributes:
        jobs: The jobs of the cluster.
        origin: The resource, and the request that asks for them.
        properties: Its properties, which describe the jobs.
    """

    jobs: JobsOfCluster
    origin: Origin
    properties: Properties

    def unreported(self, *, may_be_stopping: bool, changes_in_place: bool = False) -> list[str]:
        """Return the ids of those that run, of which one may be that of a creation that was never answered.

        Args:
            may_be_stopping: Whether one counts that has been cancelled already.
            changes_in_place: Whether much of what is asked of such a job is not in its description: one of the same
                description that was retained is then likely to be another, and only the last two hours count.

        Raises:
            NeptuneError: What `Jobs.list` and `Jobs.get` raise, and that not all jobs are listed.
        """
        young = self._all(_SAME_UPDATE_SECONDS if changes_in_place else _UNREPORTED_SECONDS)
        return [it for it in young if self._runs(it, may_be_stopping=may_be_stopping)]

    def unreported_since(self, reported: str) -> list[str]:
        """Return the ids of those that run and came after the job that CloudFormation knows.

        Args:
            reported: The id of that job.

        Raises:
            NeptuneError: What `Jobs.list` and `Jobs.get` raise, and that not all jobs are listed.
        """
        since = job_ids.asked_at(reported) or (self.origin.asked_at or 0) - _SAME_UPDATE_SECONDS
        later = [it for it in self._all() if it != reported and (job_ids.asked_at(it) or since) >= since]
        return [it for it in later if self._runs(it)]

    def to_go_back_to(self, current: str, wanted: str) -> str:
        """Return the id of a job that does what its description says, or has done so; empty if there is none.

        When CloudFormation rolls a replacement back, the job that was replaced is still there, and one of the two is
        young. A job that was replaced long ago was let go of on purpose.

        Args:
            current: The id of the job that the resource has.
            wanted: That of the job that the request would start; it is not gone back to.

        Raises:
            NeptuneError: What `Jobs.list` and `Jobs.get` raise.
        """
        replaced_at = job_ids.asked_at(current)
        for job_id in self._listed()[:_LOOKED_AT]:
            is_young = not self._is_old(job_id) or not self._is_old(current)
            if job_id == wanted or not is_young or (job := self._look(job_id)) is None:
                continue
            # What has failed was there before it was replaced; later, it is what a replacement came to.
            has_failed_before = job.has_failed and job_ids.asked_at(job_id) < replaced_at
            # What has completed may have lost its artifacts when it was cleaned up.
            has_results = job.has_completed and not self.properties[CLEAN]
            if has_failed_before or has_results or not (job.has_ended or job.has_failed or job.is_stopping):
                return job_id
        return ""

    def _all(self, within_seconds: float = _UNREPORTED_SECONDS) -> list[str]:
        """Return the ids of those that are not old."""
        return [job_id for job_id in self._listed(wholly=True) if not self._is_old(job_id, within_seconds)]

    def _listed(self, *, wholly: bool = False) -> list[str]:
        """Return the ids of all, the newest first."""
        listed = self.jobs.list(self.properties)
        description, now = self.properties.description, self.origin.asked_at
        own = [job_id for job_id in listed if job_ids.is_of(job_id, self.origin, description)]
        if wholly and not own and len(listed) >= LONGEST_LIST:
            raise NeptuneError(
                f"Neptune lists no more than {LONGEST_LIST:,} of them, and the resource's may be another. If it has "
                "none, retain the resource."
            )
        # A request that is replayed must not take the job of a later one for its own.
        known = [job_id for job_id in own if now is None or job_ids.asked_at(job_id) <= now]
        return sorted(known, key=job_ids.asked_at, reverse=True)

    def _is_old(self, job_id: str, within_seconds: float = _UNREPORTED_SECONDS) -> bool:
        asked_at, now = job_ids.asked_at(job_id), self.origin.asked_at
        return bool(asked_at) and now is not None and now - asked_at >= within_seconds

    def _runs(self, job_id: str, *, may_be_stopping: bool = False) -> bool:
        job = self._look(job_id)
        return job is not None and not job.has_ended and (may_be_stopping or not job.is_stopping)

    def _look(self, job_id: str) -> Job | None:
        try:
            return self.jobs.get(job_id, self.properties)
        except JobNotFound:
            return None
