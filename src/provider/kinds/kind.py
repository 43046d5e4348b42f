"""What there is to know of a kind of job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from provider.schema import Schema

if TYPE_CHECKING:
    from provider.schema import Property


START, GET, CANCEL = "start", "get", "cancel"
"""What rows call the calls."""


class Call(NamedTuple):
    """A call of the Neptune Data API.

    Attributes:
        name: What rows call it.
        method: The method of boto3's `neptunedata` client.
        action: The IAM action that it needs.
    """

    name: str
    method: str
    action: str


class Attribute(NamedTuple):
    """What `Fn::GetAtt` returns under a name.

    Attributes:
        name: The name.
        paths: Where it stands in the answer of the kind's `get`; the first that is there counts. What stands in the
            items of a list is joined with commas.
        description: For the reference page.
    """

    name: str
    paths: tuple[tuple[str, ...], ...]
    description: str


def indefinite(noun: str) -> str:
    """Return a noun with its article: `a job`, `an endpoint`."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


class Words(NamedTuple):
    """What messages and reference pages say of a kind of job.

    Attributes:
        thing: What they call one for short.
        starts: What a resource does to have one; for reference pages.
        started: What has been done to one then; for reference pages.
        cancelled: What has been done to one that was to end.
        completed: What is true of one that a resource may wait for.
        not_completed: What is true of it before.
        stopped: What is true of one whose deletion is over.
        not_stopped: What is true of it before.
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
        """What they call any such."""
        return indefinite(self.thing)

    def named(self, job_id: str) -> str:
        """Return how a message begins that is about one of them."""
        return f"The {self.thing} {job_id}"


class Kind(NamedTuple):
    """A kind of job.

    Attributes:
        resource_type: The type of its resources, `Custom::...`.
        noun: What messages call such a job in full.
        start: The call that starts a job.
        get: The call that looks one up.
        cancel: The call that cancels one.
        running: The statuses of a job that runs.
        stopping: The statuses of a job that has been cancelled and still runs.
        completed: The statuses of a job that has done its work.
        failed: The statuses of a job that has failed.
        ended: The statuses of a job of which nothing runs any more, those of completed and failed ones among them. None
            if such a job has to be cancelled whatever has become of it, and is gone then.
        arns: Where the answer of `get` names what the job is made of in SageMaker, by which a change is seen.
        attributes: What `Fn::GetAtt` returns, apart from `Id` and `Status`.
        failure_reasons: Where that answer says why the job failed; the first that is there counts.
        log_urls: Where it names the job's log; the first that is there counts.
        properties: Its rows of properties.
        adopts: The row that names a job to adopt.
        either: Groups of rows, of which a job that is to be started needs one as a whole.
        words: What messages and reference pages say of such a job.
        update: The parameter of `start` that makes it change a job that there is, if rows say "No interruption" of what
            describes it; empty if none does.
        changing: The statuses of a job that becomes another one by itself, and of which Neptune may refuse whatever is
            asked of it before that.
    """

    resource_type: str
    noun: str
    start: Call
    get: Call
    cancel: Call
    running: tuple[str, ...]
    stopping: tuple[str, ...]
    completed: tuple[str, ...]
    failed: tuple[str, ...]
    ended: tuple[str, ...]
    arns: tuple[tuple[str, ...], ...]
    attributes: tuple[Attribute, ...]
    failure_reasons: tuple[tuple[str, ...], ...]
    log_urls: tuple[tuple[str, ...], ...]
    properties: tuple[Property[Any], ...]
    adopts: Property[Any]
    either: tuple[tuple[Property[Any], ...], ...] = ()
    words: Words = Words()
    update: str = ""
    changing: tuple[str, ...] = ()

    @property
    def parameter(self) -> str:
        """The parameter of the template that lets the provider have such jobs."""
        return f"{self.resource_type.removeprefix('Custom::NeptuneML')}s"

    @property
    def schema(self) -> Schema:
        """The properties of its resource type, apart from those of CloudFormation's protocol."""
        return Schema(self.resource_type, self.properties, self.adopts, self.either, self.words.thing)
