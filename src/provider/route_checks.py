"""The checks of the routes that the provider needs. Each is a resource of the provider's own stack.

Only `template.yaml` uses them; they are not part of the reference.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from provider.custom_resource.waiting import CannotWait
from provider.hosts import problem_of
from provider.journal.entry import Entry, Outcome, Record, RequestType
from provider.journal.errors import Conflict, JournalUnavailable
from provider.kinds.kind import Words
from provider.lifecycle import Asked, Patience, Told, Waiting
from provider.lifecycle.patience import LIMITS, Fault, Phase
from provider.neptune import Denied, JobNotFound, NeptuneError, RequestRefused
from provider.observability import logger
from provider.schema import Properties, shown
from provider.values import ENDPOINT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from provider.clock import Clock
    from provider.custom_resource.waiting import WaitingQueue
    from provider.hosts import Hosts
    from provider.lifecycle.terms import Journal
    from provider.neptune import Jobs
    from provider.values import Endpoint

OPEN = "open"
"""The result of a check that succeeded."""

_NO_JOB_ID = "route-check"
_PROOF_DIGITS = 16


class Closed(Exception):
    """A route check failed."""

    def __init__(self, problem: str, fault: Fault | None = Fault.SILENCE) -> None:
        super().__init__(problem)
        self.fault = fault  # `None` if it is not temporary


class RouteChecks(NamedTuple):
    """The meaning of a check's requests.

    The physical ID is made from the checked properties. `Fn::GetAtt` returns the `Result`: `open`, or a warning.

    Attributes:
        clusters: The hosts that may be checked.
        connect: Returns the jobs of a cluster, of a kind that the function may look up.
        queue: The waiting queue.
        journal: The journal.
        clock: The time.
        may_start: Whether the provider starts jobs, which requires the journal.
    """

    clusters: Hosts
    connect: Callable[[Endpoint], Jobs]
    queue: WaitingQueue
    journal: Journal
    clock: Clock
    may_start: bool

    @property
    def words(self) -> Words:
        """The words that messages use for a check. It starts nothing that could be cancelled."""
        return Words(thing="check")

    def look(
        self,
        asked: Asked,
        so_far: Patience,
        *,
        send: Callable[[str], bool],  # noqa: ARG002 - a check closes no job
        check: Callable[[Told], str],  # noqa: ARG002 - its answer is short
        ended: str = "",
        known: str = "",  # noqa: ARG002 - the check runs again
    ) -> Told | Waiting:
        """Check a route.

        A Delete does nothing: the template retains its checks, so nothing waits for the response. An Update to the
        properties that the physical ID is made from is a rollback, which must not fail because a cluster is
        restarting. Then the result is a warning.

        Args:
            asked: The request.
            so_far: The patience from earlier looks.
            send: Unused.
            check: Unused.
            ended: Why the check may not wait any longer; empty if it may.
            known: Unused.

        Returns:
            The result, or that the check has to be repeated because the problem may be temporary.
        """
        if asked.is_delete:
            return Told(Outcome.SUCCESS, asked.physical_id)
        proof = _proof(asked.properties)
        try:
            if ended:  # a call that hung would hang again
                raise Closed(so_far.words or ended)  # noqa: TRY301
            self._check(asked.properties)
        except Closed as closed:
            now = self.clock.wall()
            is_known = so_far.silent_since is not None and so_far.fault is closed.fault
            if closed.fault is not None:
                since = so_far.silent_since if is_known else now
                patience = Patience(silent_since=since, fault=closed.fault, words=str(closed))
                if not (ended or now >= asked.until or patience.is_over(Phase.CHECK, now, LIMITS)):
                    logger.info("The route check has not succeeded yet", problem=str(closed))
                    return Waiting(str(closed), patience)
            is_rollback = asked.physical_id == proof
            if self._is_needed(asked.properties.get("Route")) and not is_rollback:
                return Told(Outcome.FAILED, "", str(closed))
            logger.warning("A route check failed", problem=str(closed))
            return Told(Outcome.SUCCESS, proof, attributes={"Result": f"Warning: {closed}"})
        return Told(Outcome.SUCCESS, proof, attributes={"Result": OPEN})

    def _is_needed(self, route: object) -> bool:
        return self.may_start if route == "Journal" else route != "WaitingQueue"

    def _check(self, properties: Mapping[str, object]) -> None:
        match properties.get("Route"):
            case "Responses":
                pass  # without a route, the response cannot arrive
            case "WaitingQueue":
                self._check_queue()
            case "Journal":
                self._check_journal()
            case "Cluster":
                self._check_cluster(properties.get("Endpoint"))
            case route:
                raise Closed(
                    f"Route is {shown(route)}; it should be Responses, WaitingQueue, Journal or Cluster.", fault=None
                )

    def _check_queue(self) -> None:
        try:
            self.queue.check()
        except CannotWait as error:
            raise Closed(
                f"{error} Until then, a request that waits longer than 14 minutes for its job fails, and so does any "
                "creation with CompletionHandle."
            ) from error

    def _check_journal(self) -> None:
        """Read and write an entry that belongs to no resource."""
        key, now = "route-check|journal", self.clock.wall()
        seen = Record(1, RequestType.DELETE, None, now)
        try:
            _, revision = self.journal.read(key)
            self.journal.write(key, Entry("check", requests={"check": seen}), revision)
        except Conflict:
            pass  # another check wrote it
        except JournalUnavailable as error:
            raise Closed(
                f"{error} Until then, the provider starts and updates no jobs, but still cancels them.",
                Fault.JOURNAL,
            ) from error

    def _check_cluster(self, value: object) -> None:
        """Look up a job that does not exist. That requires the route and the permission, and changes nothing."""
        try:
            endpoint = ENDPOINT.parse(value)
            problem = problem_of(endpoint, self.clusters)
        except ValueError as error:
            raise Closed(f"CheckedEndpoint is {shown(value)}; it should be {error}.", fault=None) from error
        if problem:
            raise Closed(f"CheckedEndpoint is {shown(value)}; it should be {problem}", fault=None)
        try:
            self.connect(endpoint).get(_NO_JOB_ID, Properties({}))
        except JobNotFound:
            pass
        except RequestRefused as error:
            logger.info("The cluster is reachable, but refused the request", words=str(error))
        except NeptuneError as error:
            is_denied = isinstance(error, Denied)
            hint = "Neptune can take up to ten minutes to apply a change to IAM permissions." if is_denied else ""
            #: To deploy before the cluster is available, leave `CheckedEndpoint` empty.
            raise Closed(
                f"The function cannot use the cluster in CheckedEndpoint. {error} {hint}".rstrip(),
                Fault.DENIAL if is_denied else Fault.SILENCE,
            ) from error


def _proof(properties: Mapping[str, object]) -> str:
    digest = sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()
    return f"route/{digest[:_PROOF_DIGITS]}"
