"""The properties of lookups, which return the attributes of a job without owning it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provider import values
from provider.identity import Identity
from provider.kinds import common
from provider.kinds.data_processing_job import DATA_PROCESSING_JOB
from provider.kinds.endpoint import ENDPOINT
from provider.kinds.model_training_job import MODEL_TRAINING_JOB
from provider.kinds.model_transform_job import MODEL_TRANSFORM_JOB
from provider.schema import Property, Schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from provider.kinds.kind import Kind

KINDS: Mapping[str, Kind] = {
    kind.resource_type.removeprefix("Custom::NeptuneML"): kind
    for kind in (DATA_PROCESSING_JOB, MODEL_TRAINING_JOB, MODEL_TRANSFORM_JOB, ENDPOINT)
}
"""The kinds of jobs that can be looked up, by `JobType`."""


def _kind(value: object) -> str:
    if value not in KINDS:
        *others, last = KINDS
        raise ValueError(f"{', '.join(others)} or {last}")
    return str(value)


def _identity(value: object) -> Identity:
    identity = Identity.parse(value) if isinstance(value, str) else None
    if identity is None:
        raise ValueError("the Ref of a Neptune ML resource, such as mycluster.….amazonaws.com:8182/movies")
    return identity


JOB_TYPE = Property(
    name="JobType",
    type=values.ValueType("String", _kind, f"^({'|'.join(KINDS)})$"),
    update="Replacement",
    required=True,
    description=f"What is looked up: {', '.join(f'`{it}`' for it in KINDS)}.",
)
JOB = Property(
    name="Job",
    type=values.ValueType("String", _identity, r"^(http://)?[a-z0-9.-]+:[0-9]{1,5}/[^/\s]+$"),
    update="Replacement",
    description="The `Ref` of the resource that has the job. Specify either `Job`, or `Endpoint` and `Id`.",
)
CLUSTER = common.ENDPOINT._replace(
    required=False,
    description="The Neptune cluster that has the job: `host`, `host:port` or `https://host:port`. It goes with `Id`.",
)
ID = common.ID._replace(default_text="", description="The ID of the job in that cluster. It goes with `Endpoint`.")

LOOKUP = Schema("Custom::NeptuneMLJobLookup", (JOB_TYPE, JOB, CLUSTER, ID, common.NEPTUNE_IAM_ROLE_ARN))
"""The resource type of a lookup, and its own properties."""
