"""Jobs as the Neptune Data API describes them.

The members are those of `GetMLModelTransformJobOutput` and its siblings, `MlResourceDefinition` and
`MlConfigDefinition` in botocore's service model `neptunedata`. The model does not say what the values look like: here,
they look like SageMaker's. Nor does it say when a member is present: here, a SageMaker job is described once it has
begun, because it has no name and no ARN before; models are described once they exist; and an endpoint always has a
configuration, because SageMaker creates it before the endpoint, and a new one for each update.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simulator.kinds import MAX_NAME

if TYPE_CHECKING:
    from simulator.jobs import Job
    from simulator.kinds import Phase
    from simulator.lives import Status

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
_SAGEMAKER: Final = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"


def job_arn(job: Job) -> str:
    """Return the ARN in the answer to the start of a job."""
    return f"arn:aws:neptune-db:{REGION}:{ACCOUNT}:cluster-SIMULATOR/{job.kind.name}/{job.id}"


def describe(job: Job, now: float) -> dict[str, object]:
    """Return the API's description of a job at a time, in seconds of the simulator's clock."""
    described: dict[str, object] = {"status": job.status(now), "id": job.id}
    for phase, status in zip(job.kind.phases, job.phases(now), strict=True):
        if status is not None:
            described[phase.member] = _resource(job, phase, status)
    if job.kind.models is not None and job.completed(now):
        described[job.kind.models] = [_configuration(job, "model", "model")]
    if job.kind.config is not None:
        role = f"config-{job.revision}" if job.revision else "config"
        described[job.kind.config] = _configuration(job, "endpoint-config", role)
    return described


def _resource(job: Job, phase: Phase, status: Status) -> dict[str, str]:
    name = _sagemaker_name(job, phase.role, phase.max_name)
    output = {} if phase.artifact is None else {"outputLocation": f"{job.output}/{phase.role}"}
    failure = {"failureReason": job.plan.fails_with or ""} if status == job.kind.life.failed else {}
    return {
        "name": name,
        "arn": f"{_SAGEMAKER}:{phase.resource}/{name}",
        "status": status,
        **output,
        "cloudwatchLogUrl": (
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
            f"#logStream:group=/aws/sagemaker/{phase.log_group};prefix={name};streamFilter=typeLogStreamPrefix"
        ),
        **failure,
    }


def _configuration(job: Job, resource: str, role: str) -> dict[str, str]:
    name = _sagemaker_name(job, role, MAX_NAME)
    return {"name": name, "arn": f"{_SAGEMAKER}:{resource}/{name}"}


def _sagemaker_name(job: Job, role: str, length: int) -> str:
    """Return a name that SageMaker would take: letters, digits and single hyphens, at most so many of them."""
    end = f"-{role}-{job.token}"
    return re.sub(r"[^A-Za-z0-9]+", "-", job.id)[: length - len(end)].rstrip("-") + end
