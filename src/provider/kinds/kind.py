"""What the provider knows about a kind of job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from provider.schema import Schema

if TYPE_CHECKING:
    from provider.look import Status
    from provider.schema import Property


START, GET, CANCEL = "start", "get", "cancel"
"""The names by which rows refer to the calls."""


class Call(NamedTuple):
    """A call of the Neptune Data API.

    Attributes:
        name: The name by which rows refer to it.
        method: The method of boto3's `neptunedata` client.
        action: The IAM action that it needs.
    """

    name: str
    method: str
    action: str


class Attribute(NamedTuple):
    """An attribute that `Fn::GetAtt` returns.

    Attributes:
        name: Its name.
        paths: Where the answer of the kind's `get` has its value. The first path that exists counts; values from the
            items of a list are joined with commas.
        description: For the reference page.
    """

    name: str
    paths: tuple[tuple[str, ...], ...]
    description: str


def indefinite(noun: str) -> str:
    """Return a noun with its article: `a job`, `an endpoint`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class Words(NamedTuple):
    """The words that messages and reference pages use for a kind of job.

    Attributes:
        thing: The short noun.
        starts: The verb for starting one.
        started: Its participle.
        cancelled: The participle for cancelling one.
        completed: What `WaitForCompletion` waits for, as a predicate.
        not_completed: Its negation.
        stopped: What `WaitForStop` waits for, as a predicate.
        not_stopped: Its negation.
    """

    thing: str = "job"
    starts: str = "starts"
    started: str = "started"
    cancelled: str = "cancelled"
    completed: str = "has completed"
    not_completed: str = "has not completed"
    stopped: str = "has stopped"
    not_stopped: str = "has not stopped"

    @property
    def a_thing(self) -> str:
        """The short noun with its article."""
        return indefinite(self.thing)

    def named(self, job_id: str) -> str:
        """Return the subject of a message about one of them."""
        return f"The {self.thing} {job_id}"


class Kind(NamedTuple):
    """A kind of job.

    Attributes:
        resource_type: The type of its resources, `Custom::...`.
        noun: The full noun.
        start: The call that starts a job.
        get: The call that looks one up.
        cancel: The call that cancels one.
        statuses: Neptune's names for its statuses, and their meanings.
        arns: Where the answer of `get` names the job's parts in SageMaker. A change of these shows that the job has
            changed.
        attributes: The attributes that `Fn::GetAtt` returns, except `Id` and `Status`.
        failure_reasons: Where that answer says why the job failed. The first path that exists counts.
        log_urls: Where it names the job's log. The first path that exists counts.
        properties: The rows of its properties.
        adopts: The row of the property that names a job to adopt.
        either: Groups of rows. The description of a job needs one whole group.
        words: The words for such a job.
        update: The parameter of `start` that changes an existing job, if "No interruption" applies to a row that
            describes the job. Empty if not. Neptune may refuse requests for such a job until its status has changed.
    """

    resource_type: str
    noun: str
    start: Call
    get: Call
    cancel: Call
    statuses: tuple[tuple[str, Status], ...]
    arns: tuple[tuple[str, ...], ...]
    attributes: tuple[Attribute, ...]
    failure_reasons: tuple[tuple[str, ...], ...]
    log_urls: tuple[tuple[str, ...], ...]
    properties: tuple[Property[Any], ...]
    adopts: Property[Any]
    either: tuple[tuple[Property[Any], ...], ...] = ()
    words: Words = Words()
    update: str = ""

    @property
    def parameter(self) -> str:
        """The template's parameter that enables this kind."""
        return f"{self.resource_type.removeprefix('Custom::NeptuneML')}s"

    def meaning_of(self, word: str) -> Status | None:
        """Return the meaning of Neptune's name for a status, in any letter case; `None` if it is unknown."""
        return next((status for it, status in self.statuses if it.lower() == word.lower()), None)

    def names_of(self, *statuses: Status) -> tuple[str, ...]:
        """Return Neptune's names for statuses."""
        return tuple(it for it, status in self.statuses if status in statuses)

    @property
    def schema(self) -> Schema:
        """The properties of its resource type, without those of CloudFormation's protocol."""
        return Schema(self.resource_type, self.properties, self.adopts, self.either, self.words.thing)
