"""What an acceptance test tries: a stack with one job, which it starts or adopts, and then cancels."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from operate.command import PROVIDER, WrongArguments
from provider.kinds import KINDS, MODEL_TRANSFORM_JOB
from provider.kinds.common import ENDPOINT, ID
from provider.schema import InvalidProperties

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from operate.provider_stack import ProviderStack
    from provider.kinds.kind import Kind
    from provider.values import Endpoint

LOGICAL_ID: Final = "Job"
"""The logical ID of the job's resource."""
OUTPUTS: Final = {"Ref": {"Ref": LOGICAL_ID}} | {name: {"Fn::GetAtt": [LOGICAL_ID, name]} for name in ("Id", "Status")}
"""The stack's outputs."""
_TRUE = "true"


DEFAULT_MINUTES: Final = "30"
VARIABLES: Final = {
    "ENDPOINT": "The cluster: host, host:port or https://host:port.",
    "JOB": "The ID of a running job. The stack adopts the job, and CANCELS it.",
    "PROPERTIES": "A JSON file with the properties of a job. The stack starts that job, and cancels it.",
    "TYPE": f"The resource type of JOB or PROPERTIES. Default: {MODEL_TRANSFORM_JOB.resource_type}.",
    "STACK": f"The provider's stack. Default: {PROVIDER}.",
    "MINUTES": f"The longest time that one operation may take. Default: {DEFAULT_MINUTES}.",
    "REPORT": "A file to write the report to. The report is also printed.",
    "YES": "Do not ask for confirmation.",
}
"""The variables of `make accept`, each with what it is for."""


@dataclass(frozen=True)
class Trial:
    """A stack with one job.

    Attributes:
        kind: The kind of job.
        properties: The resource's properties, without `ServiceToken` and `ServiceTimeout`.
        endpoint: The cluster.
        adopted: The ID of the job that the stack adopts; empty if the stack starts one.
        timeout_seconds: The resource's `ServiceTimeout`.
    """

    kind: Kind
    properties: Mapping[str, object]
    endpoint: Endpoint
    adopted: str
    timeout_seconds: int

    @property
    def starts(self) -> bool:
        """Whether the stack starts a job."""
        return not self.adopted

    @property
    def cleans(self) -> bool:
        """Whether the job's artifacts are deleted with the job."""
        return str(self.properties.get("Clean", "")).lower() == _TRUE

    def template(self, provider: ProviderStack) -> str:
        """Write the stack's template, as JSON."""
        properties = {
            "ServiceToken": {"Fn::ImportValue": f"{provider.name}-ServiceToken"},
            "ServiceTimeout": self.timeout_seconds,
            **self.properties,
        }
        return json.dumps(
            {
                "Description": "An acceptance test of the Neptune ML provider. This stack can be deleted.",
                "Resources": {LOGICAL_ID: {"Type": self.kind.resource_type, "Properties": properties}},
                "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()},
            }
        )

    def check(self, provider: ProviderStack) -> None:
        """Raise `WrongArguments` if the provider's parameters forbid this kind of job, or starting one."""
        if provider.parameters.get(self.kind.parameter, _TRUE) != _TRUE:
            raise WrongArguments(f"The provider does not allow {self.kind.noun}s: its {self.kind.parameter} is false.")
        if self.starts and provider.parameters.get("StartJobs") != _TRUE:
            raise WrongArguments(
                "The provider does not start jobs: its parameter StartJobs is not true. Specify a running job with "
                f"JOB=..., or run: make deploy STACK={provider.name} PARAMETERS=StartJobs=true"
            )


def described(*, endpoint: str, job: str, file: Path | None, resource_type: str, timeout: int) -> Trial:
    """Make a trial from what the operator has specified.

    Args:
        endpoint: The cluster.
        job: The ID of a job to adopt; empty: the stack starts one.
        file: A JSON file with the properties of a job to start; `None`: the stack adopts one.
        resource_type: The type of the resource; empty: that of transform jobs.
        timeout: The resource's `ServiceTimeout`, in seconds.

    Raises:
        WrongArguments: Something is missing or invalid, or both jobs are given.
    """
    if job and file:
        raise WrongArguments("Specify only one of JOB and PROPERTIES.")
    missing = [*([] if endpoint else ["ENDPOINT"]), *([] if job or file else ["one of JOB and PROPERTIES"])]
    if missing:
        raise WrongArguments(_usage(missing))
    kind = _kind(resource_type)
    own = {"Clean": True, **_read(file)} if file else {ID.name: job}
    properties = {ENDPOINT.name: endpoint, **own}
    try:
        ENDPOINT.type.parse(endpoint)
    except ValueError as error:  # its own message is for a template
        raise WrongArguments(f"ENDPOINT is {endpoint!r}; it should be host, host:port or https://host:port.") from error
    try:
        parsed = kind.schema.parse(properties)
    except InvalidProperties as error:
        raise WrongArguments(str(error)) from error
    return Trial(kind, properties, parsed[ENDPOINT], str(properties.get(ID.name, "")), timeout)


def _usage(missing: Sequence[str]) -> str:
    lines = [f"  {name + ('=1' if name == 'YES' else '=...'):18}{text}" for name, text in VARIABLES.items()]
    return "\n".join([f"`make accept` still needs {' and '.join(missing)}.", "", *lines])


def _kind(resource_type: str) -> Kind:
    kinds = {kind.resource_type: kind for kind in KINDS}
    try:
        return kinds[resource_type or MODEL_TRANSFORM_JOB.resource_type]
    except KeyError as error:
        raise WrongArguments(f"TYPE is {resource_type!r}; it should be one of {', '.join(kinds)}.") from error


def _read(file: Path) -> dict[str, object]:
    try:
        properties = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise WrongArguments(f"PROPERTIES={file} cannot be read: {error}") from error
    if not isinstance(properties, dict):
        raise WrongArguments(f'PROPERTIES={file} should contain one object with properties, {{"Name": value, ...}}.')
    return properties
