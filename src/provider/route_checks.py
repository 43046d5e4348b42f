"""Checks of the routes that the provider needs: resources of its own stack, each of which proves one.

They are for `template.yaml` alone, and no part of the reference.
"""

from __future__ import annotations

import json
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from provider.custom_resource.waiting import CannotWait
from provider.hosts import problem_of
from provider.kinds.kind import Words
from provider.lifecycle import Done, RequestFailed
from provider.neptune import JobNotFound, NeptuneError, RequestRefused
from provider.observability import logger
from provider.schema import Properties, shown
from provider.values import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.clock import Clock
    from provider.custom_resource.waiting import WaitingQueue
    from provider.hosts import Hosts
    from provider.lifecycle import JobsOfCluster, Request
    from provider.values import Endpoint

OPEN = "open"
"""The result of a check that found nothing wrong."""

# A role that has just been made, and a rule of a security group, take effect some seconds later.
PATIENCE_SECONDS = 30.0
_PAUSE_SECONDS = 3.0

_NO_JOB_ID = "route-check"
_PROOF_DIGITS = 16


class RouteChecks(NamedTuple):
    """What the requests of a check mean.

    The physical id is made of the properties that were checked. `Fn::GetAtt` gives the `Result`: `open`, or a warning.

    Attributes:
        clusters: The hosts that may be checked.
        connect: Gives the jobs of a cluster, of a kind that the function may ask for.
        queue: The queue.
        clock: The time.
    """

    clusters: Hosts
    connect: Callable[[Endpoint], JobsOfCluster]
    queue: WaitingQueue
    clock: Clock

    @property
    def words(self) -> Words:
        """What messages say of a check: it starts nothing that could be cancelled."""
        return Words(thing="check")

    def create(self, request: Request) -> Done:
        """Check a route.

        Args:
            request: The Create.

        Returns:
            The result.

        Raises:
            RequestFailed: The provider cannot do without this route, and has none.
        """
        return Done(_proof(request.properties), {"Result": self._check(request.properties)})

    def update(self, request: Request) -> Done:
        """Check a route again: something has changed.

        What was checked before, and not replaced since, is what CloudFormation rolls back to. A rollback must not fail
        because a cluster restarts, so that the result is a warning then.

        Args:
            request: The Update.

        Returns:
            The result.

        Raises:
            RequestFailed: As for a Create.
        """
        try:
            return self.create(request)
        except RequestFailed as failed:
            if request.physical_id != _proof(request.properties):
                raise
            logger.warning("The route that was there before is not there; the rollback goes on", problem=str(failed))
            return Done(request.physical_id, {"Result": f"Warning: {failed}"})

    def delete(self, request: Request) -> Done:
        """Do nothing, for there is nothing: the template retains its checks, so that nobody waits for this answer.

        Args:
            request: The Delete.

        Returns:
            That it is done.
        """
        return Done(request.physical_id or "")

    def without_neptune(self, _request: Request) -> Done | None:
        """Tell what an Update comes to whose time is over: a check that has no result has failed."""

    def end_of_search(self, _request: Request) -> Done | None:
        """Tell what a Delete comes to whose time is over: it takes none."""

    def leaves(self, _request: Request) -> str:
        """Tell what a Create leaves: nothing."""
        return ""

    # --- the checks ---------------------------------------------------------------------------------------------------

    def _check(self, properties: Mapping[str, object]) -> str:
        match properties.get("Route"):
            case "Responses":
                return OPEN  # if there is no route, nobody is going to read it
            case "WaitingQueue":
                return self._check_queue()
            case "Cluster":
                return self._check_cluster(properties.get("Endpoint"))
            case route:
                raise RequestFailed(f"Route is {shown(route)}; it should be Responses, WaitingQueue or Cluster.")

    def _check_queue(self) -> str:
        try:
            self._patiently(self.queue.check)
        except CannotWait as error:
            logger.warning("Requests cannot wait in the queue", problem=str(error))
            return (
                f"Warning: {error} Until then, a request that waits longer than 14 minutes for its job fails, and so "
                "does any creation with CompletionHandle."
            )
        return OPEN

    def _check_cluster(self, value: object) -> str:
        try:
            endpoint = ENDPOINT.parse(value)
            problem = problem_of(endpoint, self.clusters)
        except ValueError as error:
            raise RequestFailed(f"CheckedEndpoint is {shown(value)}; it should be {error}.") from error
        if problem:
            raise RequestFailed(f"CheckedEndpoint is {shown(value)}; it should be {problem}")
        try:
            self._patiently(partial(self._ask, self.connect(endpoint)))
        except NeptuneError as error:
            raise RequestFailed(f"The provider cannot use the cluster of CheckedEndpoint. {error}") from error
        return OPEN

    def _ask(self, jobs: JobsOfCluster) -> None:
        """Ask for a job that there is not: to hear so takes the route and the permission, and changes nothing."""
        try:
            jobs.get(_NO_JOB_ID, Properties({}))
        except JobNotFound:
            pass
        except RequestRefused as error:
            logger.info("The cluster can be asked, and refuses", words=str(error))

    def _patiently(self, look: Callable[[], None]) -> None:
        """Look until there is nothing wrong, and for half a minute at most; raises what the last look raised."""
        until = self.clock.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                return look()
            except (CannotWait, NeptuneError) as error:
                if self.clock.monotonic() + _PAUSE_SECONDS > until:
                    raise
                logger.info("The route is not there yet", problem=str(error))
            self.clock.sleep(_PAUSE_SECONDS)


def _proof(properties: Mapping[str, object]) -> str:
    digest = sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()
    return f"route/{digest[:_PROOF_DIGITS]}"
