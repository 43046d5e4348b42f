"""How long Neptune is asked again when it cannot be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.kinds.common import ENDPOINT
from provider.lifecycle.terms import RequestFailed, Waiting
from provider.neptune import Unavailable, Unreachable
from provider.observability import logger
from provider.schema import InvalidProperties

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider.clock import Clock
    from provider.identity import Identity
    from provider.lifecycle.terms import JobsOfCluster, Progress, Request
    from provider.neptune import Job, NeptuneError
    from provider.schema import Properties, Schema
    from provider.values import Endpoint

# A Create or an Update rides out a Neptune that throttles, fails or restarts for a moment, and no more: a cluster that
# cannot be reached is rather a mistake in the template.
ADOPTION_PATIENCE_SECONDS = 45.0
# A failover or an engine's upgrade takes minutes; a deletion that gave up before would leave its job to run on.
DELETION_PATIENCE_SECONDS = 600.0


class Asking(NamedTuple):
    """The clusters, and the patience with them.

    Attributes:
        connect: Gives the jobs of a cluster.
        clock: The time.
        is_patient: Whether a Neptune that cannot be reached may be back in a moment.
    """

    connect: Callable[[Endpoint], JobsOfCluster]
    clock: Clock
    is_patient: bool

    def look(self, identity: Identity, properties: Properties) -> Job:
        """Look a job up; raises what `Jobs.get` raises."""
        return self.connect(identity.endpoint).get(identity.id, properties)

    def again(
        self,
        failure: str,
        error: NeptuneError,
        progress: Progress,
        *,
        patience: float = ADOPTION_PATIENCE_SECONDS,
        leaves: str = "",
    ) -> Waiting:
        """Have a request wait for a Neptune that may be back in a moment, or give it up.

        Args:
            failure: What could not be done, one sentence.
            error: Why.
            progress: What is known so far.
            patience: For how long Neptune may be silent, in seconds.
            leaves: See `RequestFailed`.

        Returns:
            That it waits.

        Raises:
            RequestFailed: It is given up.
        """
        now = self.clock.wall()
        since = now if progress.silent_since is None else progress.silent_since
        may_pass = isinstance(error, Unavailable) or (self.is_patient and isinstance(error, Unreachable))
        if not may_pass or now - since >= patience:
            raise RequestFailed(f"{failure} {error}", leaves) from error
        logger.warning("Neptune cannot be asked; asking again", error=str(error))
        return Waiting(f"{failure} {error}", progress._replace(silent_since=since), leaves)


def patience_with_update(schema: Schema, current: Identity | None, wanted: Identity, request: Request) -> float:
    """Say how long an Update waits for the cluster that it names.

    A rollback is an Update, too, and a cluster that restarts must not fail it. It may be one if it is in the cluster of
    the resource's job. And if the `Endpoint` before was not that one: it was another name of the same cluster, or has
    failed, as properties have that are wrong.

    Args:
        schema: The resource's properties.
        current: The job that it has; `None` if it has none.
        wanted: The job that it is to have.
        request: The Update.

    Returns:
        Seconds.
    """
    if current is None:
        return ADOPTION_PATIENCE_SECONDS
    try:
        before = schema.parse(request.old_properties)[ENDPOINT]
    except InvalidProperties:
        return DELETION_PATIENCE_SECONDS
    is_new = wanted.endpoint != current.endpoint and before == current.endpoint
    return ADOPTION_PATIENCE_SECONDS if is_new else DELETION_PATIENCE_SECONDS
