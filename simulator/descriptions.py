"""Jobs as the Neptune Data API describes them.

The members are those of `GetMLModelTransformJobOutput` and `MlResourceDefinition` in botocore's service model
`neptunedata`, 2023-08-01. It does not say what the values look like: they have the shape of SageMaker's. Nor does it
say when a member is there: here, a SageMaker job is described from when it has begun, for it has neither name nor ARN
before, and its output location is given when it is created; the models are described when there are any.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from simulator.artifacts import BASE_PROCESSING, REMOTE_MODEL_TRANSFORM
from simulator.jobs import JobStatus

if TYPE_CHECKING:
    from simulator.jobs import Job

REGION: Final = "us-east-1"
ACCOUNT: Final = "123456789012"
_SAGEMAKER: Final = f"arn:aws:sagemaker:{REGION}:{ACCOUNT}"
_MAX_NAME: Final = 63


def job_arn(job: Job) -> str:
    """Return the ARN that `StartMLModelTransformJob` answers for `job`."""
    return f"arn:aws:neptune-db:{REGION}:{ACCOUNT}:cluster-SIMULATOR/modeltransform/{job.id}"


def describe(job: Job, now: float) -> dict[str, object]:
    """Return what `GetMLModelTransformJob` answers for `job` at `now`, in seconds of the simulator's clock."""
    status = job.status(now)
    base, remote = job.phases(now)
    described: dict[str, object] = {
        "status": status,
        "id": job.id,
        "baseProcessingJob": _resource(job, base, BASE_PROCESSING, "processing-job", "ProcessingJobs"),
    }
    if remote is not None:
        described["remoteModelTransformJob"] = _resource(
            job, remote, REMOTE_MODEL_TRANSFORM, "transform-job", "TransformJobs"
        )
    if status is JobStatus.COMPLETED:
        model = _sagemaker_name(job, "model")
        described["models"] = [{"name": model, "arn": f"{_SAGEMAKER}:model/{model}"}]
    return described


def _resource(job: Job, status: JobStatus, role: str, resource: str, log_group: str) -> dict[str, str]:
    name = _sagemaker_name(job, role)
    failure = {"failureReason": job.plan.fails_with or ""} if status is JobStatus.FAILED else {}
    return {
        "name": name,
        "arn": f"{_SAGEMAKER}:{resource}/{name}",
        "status": status,
        "outputLocation": str(job.output / role),
        "cloudwatchLogUrl": (
            f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
            f"#logStream:group=/aws/sagemaker/{log_group};prefix={name};streamFilter=typeLogStreamPrefix"
        ),
        **failure,
    }


def _sagemaker_name(job: Job, role: str) -> str:
    """Return a name that SageMaker would take: letters, digits and single hyphens, at most 63 of them."""
    end = f"-{role}-{job.token}"
    return re.sub(r"[^A-Za-z0-9]+", "-", job.id)[: _MAX_NAME - len(end)].rstrip("-") + end
