"""Model transform jobs, which `StartMLModelTransformJob` starts."""

from __future__ import annotations

from provider.kinds import common
from provider.kinds.kind import CANCEL, GET, Attribute, Call, Kind

MODEL_TRANSFORM_JOB = Kind(
    resource_type="Custom::NeptuneMLModelTransformJob",
    noun="model transform job",
    get=Call(GET, "get_ml_model_transform_job", "neptune-db:GetMLModelTransformJobStatus"),
    cancel=Call(CANCEL, "cancel_ml_model_transform_job", "neptune-db:CancelMLModelTransformJob"),
    running=("InProgress",),
    stopping=("Stopping",),
    ended=("Stopped", "Completed", "Failed"),
    arns=(("baseProcessingJob", "arn"), ("remoteModelTransformJob", "arn")),
    attributes=(
        Attribute(
            "OutputLocation",
            (("remoteModelTransformJob", "outputLocation"), ("baseProcessingJob", "outputLocation")),
            "Where the job's artifacts are, an `s3://` URL.",
        ),
        Attribute(
            "BaseProcessingJobArn", (("baseProcessingJob", "arn"),), "The ARN of the job's SageMaker processing job."
        ),
        Attribute(
            "RemoteModelTransformJobArn",
            (("remoteModelTransformJob", "arn"),),
            "The ARN of the job's SageMaker transform job.",
        ),
    ),
    properties=(common.ENDPOINT, common.ID, common.NEPTUNE_IAM_ROLE_ARN, common.CLEAN, common.WAIT_FOR_STOP),
)
