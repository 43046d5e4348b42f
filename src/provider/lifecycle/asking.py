"""How long Neptune is asked again when it cannot be asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.lifecycle.terms import RequestFailed, Waiting
from provider.neptune import Unavailable, Unreachable
from provider.observability import logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from provider.clock import Clock
    from provider.identity import Identity
    from provider.lifecycle.terms import JobsOfCluster, Progress
    from provider.neptune import Job, NeptuneError
    from provider.schema import Properties
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
