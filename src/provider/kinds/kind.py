"""What there is to know of a kind of job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from provider.schema import Property


GET, CANCEL = "get", "cancel"
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
        paths: Where it stands in the answer of the kind's `get`; the first that is there counts.
        description: For the reference page.
    """

    name: str
    paths: tuple[tuple[str, ...], ...]
    description: str


class Kind(NamedTuple):
    """A kind of job.

    Attributes:
        resource_type: The type of its resources, `Custom::...`.
        noun: What messages call such a job.
        get: The call that looks a job up.
        cancel: The call that cancels one.
        running: The statuses of a job that runs.
        stopping: The statuses of a job that has been cancelled and still runs.
        ended: The statuses of a job that runs no more.
        arns: Where the answer of `get` names the job's SageMaker jobs, by which two names of a cluster are told from
            two clusters.
        attributes: What `Fn::GetAtt` returns, apart from `Id` and `Status`.
        properties: Its rows of properties.
    """

    resource_type: str
    noun: str
    get: Call
    cancel: Call
    running: tuple[str, ...]
    stopping: tuple[str, ...]
    ended: tuple[str, ...]
    arns: tuple[tuple[str, ...], ...]
    attributes: tuple[Attribute, ...]
    properties: tuple[Property[Any], ...]
