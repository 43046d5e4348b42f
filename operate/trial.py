"""What an acceptance tries: a stack with one job, which it starts or adopts, and then cancels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from operate.command import WrongArguments
from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from provider.kinds.common import ENDPOINT, ID
from provider.schema import InvalidProperties

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from operate.provider_stack import ProviderStack
    from provider.kinds.kind import Kind
    from provider.values import Endpoint

LOGICAL_ID: Final = "Job"
"""The job's resource in the stack."""
OUTPUTS: Final = {"Ref": {"Ref": LOGICAL_ID}} | {name: {"Fn::GetAtt": [LOGICAL_ID, name]} for name in ("Id", "Status")}
"""The stack's outputs."""
_TRUE = "true"


class WrongTrial(WrongArguments):
    """The trial cannot be made as it is described; the message says what to give."""


@dataclass(frozen=True)
class Trial:
    """A stack with one job.

    Attributes:
        kind: The kind of the job.
        properties: The resource's properties, apart from those of CloudFormation's protocol.
        endpoint: The cluster.
        adopted: The id of the job that the stack adopts; empty if it starts one.
        timeout_seconds: The resource's `ServiceTimeout`.
    """

    kind: Kind
    properties: Mapping[str, object]
    endpoint: Endpoint
    adopted: str
    timeout_seconds: int

    @property
    def starts(self) -> bool:
        """Whether a job is started."""
        return not self.adopted

    @property
    def cleans(self) -> bool:
        """Whether the job's artifacts are deleted with it."""
        return str(self.properties.get("Clean", "")).lower() == _TRUE

    def template(self, provider: ProviderStack) -> str:
        """Write the stack's template.

        Args:
            provider: The provider that is tried.

        Returns:
            The template.
        """
        properties = {
            "ServiceToken": {"Fn::ImportValue": f"{provider.name}-ServiceToken"},
            "ServiceTimeout": self.timeout_seconds,
            **self.properties,
        }
        return json.dumps(
            {
                "Description": "An acceptance of the Neptune ML provider; it may be deleted",
                "Resources": {LOGICAL_ID: {"Type": self.kind.resource_type, "Properties": properties}},
                "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
            }
        )

    def check(self, provider: ProviderStack) -> None:
        """See whether the provider may do what is tried.

        Args:
            provider: The provider.

        Raises:
            WrongTrial: It may not.
        """
        if provider.parameters.get(self.kind.parameter, _TRUE) != _TRUE:
            raise WrongTrial(f"The provider has no {self.kind.noun}s: its parameter {self.kind.parameter} is false.")
        if self.starts and provider.parameters.get("StartJobs") != _TRUE:
            raise WrongTrial(
                "The provider starts no jobs: its parameter StartJobs is not true. Name a running job with JOB=..., or "
                f"switch it on: make deploy STACK={provider.name} PARAMETERS=StartJobs=true"
            )


def described(
    *, endpoint: str, job: str, training_job: str, output: str, file: Path | None, resource_type: str, timeout: int
) -> Trial:
    """Make a trial of what the operator has given.

    Args:
        endpoint: The cluster.
        job: The id of a job to adopt.
        training_job: The SageMaker training job of a transform job to start.
        output: Where that puts its artifacts, `s3://...`.
        file: JSON with the properties of a job to start, in place of the two before.
        resource_type: The type of the resource; empty: that of transform jobs.
        timeout: The resource's `ServiceTimeout`, in seconds.

    Returns:
        The trial.

    Raises:
        WrongTrial: It is not described, or in two ways, or wrongly.
    """
    if not endpoint:
        raise WrongTrial("Which cluster? Give ENDPOINT=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com.")
    ways = {"JOB": bool(job), "TRAINING_JOB and OUTPUT": bool(training_job or output), "PROPERTIES": file is not None}
    if sum(ways.values()) != 1:
        given = [name for name, is_given in ways.items() if is_given]
        raise WrongTrial(
            (f"Give one of {', '.join(given)}, not all." if given else "Which job?")
            + " JOB=id adopts a running job, which is then CANCELLED; TRAINING_JOB=name OUTPUT=s3://bucket/folder, or "
            "PROPERTIES=file.json, starts one and cancels it."
        )
    kind = _kind(resource_type)
    if job:
        own: Mapping[str, object] = {ID.name: job}
    elif file:
        own = {"Clean": True, **_read(file)}
    else:
        if kind is not MODEL_TRANSFORM_JOB:
            raise WrongTrial(f"TRAINING_JOB and OUTPUT describe a model transform job; for a {kind.noun}, PROPERTIES.")
        own = {"Clean": True, "TrainingJobName": training_job, "ModelTransformOutputS3Location": output}
    properties = {ENDPOINT.name: endpoint, **own}
    try:
        ENDPOINT.type.parse(endpoint)
    except ValueError as error:  # whose own words are for a template
        raise WrongTrial(f"ENDPOINT is {endpoint!r}; it should be host, host:port or https://host:port.") from error
    try:
        parsed = kind.schema.parse(properties)
    except InvalidProperties as error:
        raise WrongTrial(str(error)) from error
    return Trial(kind, properties, parsed[ENDPOINT], str(properties.get(ID.name, "")), timeout)


def _kind(resource_type: str) -> Kind:
    kinds = {kind.resource_type: kind for kind in KINDS}
    try:
        return kinds[resource_type or MODEL_TRANSFORM_JOB.resource_type]
    except KeyError as error:
        raise WrongTrial(f"TYPE cannot be {resource_type!r}: it is one of {', '.join(kinds)}.") from error


def _read(file: Path) -> dict[str, object]:
    try:
        properties = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise WrongTrial(f"PROPERTIES={file} cannot be read: {error}") from error
    if not isinstance(properties, dict):
        raise WrongTrial(f'PROPERTIES={file} should hold an object of properties, {{"Name": value, ...}}.')
    return properties
