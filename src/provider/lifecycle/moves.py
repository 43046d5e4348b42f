"""Whether another name in `Endpoint` means another cluster, which may have a job of the same id, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.hosts import problem_of
from provider.lifecycle.terms import RequestFailed, Waiting
from provider.neptune import JobNotFound, NeptuneError

if TYPE_CHECKING:
    from provider.hosts import Hosts
    from provider.identity import Identity
    from provider.kinds.kind import Words
    from provider.lifecycle.asking import Asking
    from provider.lifecycle.terms import Progress
    from provider.neptune import Job
    from provider.schema import Properties


class Moving(NamedTuple):
    """An Update of `Endpoint`, for a job that the resource has adopted.

    Attributes:
        asking: How clusters are asked.
        words: What messages say of the job.
        clusters: The hosts that may be asked.
        current: The job, by the name of its cluster that its resource goes by.
        wanted: The job of the same id, by the name that is new.
        patience: For how long a cluster may be silent, in seconds.
    """

    asking: Asking
    words: Words
    clusters: Hosts
    current: Identity
    wanted: Identity
    patience: float

    def compare(self, properties: Properties, progress: Progress) -> tuple[Identity, Job] | Waiting:
        """Tell which of the two the resource has now.

        Args:
            properties: The resource's properties.
            progress: What earlier looks have found out.

        Returns:
            The first if both are one job, else the second; and what the second is like. `Waiting` while Neptune cannot
            be asked.

        Raises:
            RequestFailed: There is no second, or Neptune cannot tell whether it is the first.
        """
        current, wanted, thing = self.current, self.wanted, self.words.thing
        try:
            new = self.asking.look(wanted, properties)
        except JobNotFound as error:
            raise RequestFailed(f"{error} Check Id and Endpoint.") from error
        except NeptuneError as error:
            return self._again(wanted, error, progress)
        if problem := problem_of(current.endpoint, self.clusters):
            raise RequestFailed(
                f"{self.words.named(current.id)} is at {current.endpoint.host}, which should be {problem}"
            )
        try:
            old = self.asking.look(current, properties)
        except JobNotFound:
            return wanted, new
        except NeptuneError as error:
            try:
                return self._again(current, error, progress)
            except RequestFailed:
                raise RequestFailed(
                    f"Whether {wanted} is the same {thing} as {current} cannot be told. {error} If that cluster is "
                    "gone for good, retain this resource (DeletionPolicy and UpdateReplacePolicy: Retain), and declare "
                    f"the {thing} in a new one."
                ) from error
        if not (old.arns and new.arns) and not (old.has_ended or new.has_ended):
            raise RequestFailed(
                f"Endpoint is another host, {wanted.endpoint.host}, and Neptune does not say yet whether its {thing} "
                f"{wanted.id} is the same as at {current.endpoint.host}. Try again when the {thing} has its "
                "SageMaker jobs."
            )
        return (current if old.arns & new.arns else wanted), new

    def _again(self, identity: Identity, error: NeptuneError, progress: Progress) -> Waiting:
        failure = f"{self.words.named(identity.id)} could not be looked up."
        return self.asking.again(failure, error, progress, patience=self.patience)
