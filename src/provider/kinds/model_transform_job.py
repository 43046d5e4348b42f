"""Model transform jobs, which `StartMLModelTransformJob` starts."""

from __future__ import annotations

from provider import values
from provider.kinds import common
from provider.kinds.common import describing
from provider.kinds.kind import CANCEL, GET, START, Attribute, Call, Kind

MODEL_TRANSFORM_OUTPUT_S3_LOCATION = describing(
    "ModelTransformOutputS3Location",
    values.S3_URL,
    "The S3 location for the job's artifacts, such as `s3://bucket/folder`.",
    required=True,
)
DATA_PROCESSING_JOB_ID = describing(
    "DataProcessingJobId",
    values.JOB_ID,
    "The ID of the completed data processing job that prepared the graph. Requires `MlModelTrainingJobId`.",
)
ML_MODEL_TRAINING_JOB_ID = describing(
    "MlModelTrainingJobId",
    values.JOB_ID,
    "The ID of the completed model training job whose models this job uses. Requires `DataProcessingJobId`.",
)
TRAINING_JOB_NAME = describing(
    "TrainingJobName",
    values.STRING,
    "The name of a completed SageMaker training job, instead of the IDs of the two Neptune ML jobs.",
)

MODEL_TRANSFORM_JOB = Kind(
    resource_type="Custom::NeptuneMLModelTransformJob",
    noun="model transform job",
    start=Call(START, "start_ml_model_transform_job", "neptune-db:StartMLModelTransformJob"),
    get=Call(GET, "get_ml_model_transform_job", "neptune-db:GetMLModelTransformJobStatus"),
    cancel=Call(CANCEL, "cancel_ml_model_transform_job", "neptune-db:CancelMLModelTransformJob"),
    statuses=common.JOB_STATUSES,
    arns=(("baseProcessingJob", "arn"), ("remoteModelTransformJob", "arn")),
    attributes=(
        Attribute(
            "OutputLocation",
            (("remoteModelTransformJob", "outputLocation"), ("baseProcessingJob", "outputLocation")),
            "The S3 URL of the job's artifacts.",
        ),
        Attribute("BaseProcessingJobArn", (("baseProcessingJob", "arn"),), "The ARN of the SageMaker processing job."),
        Attribute(
            "RemoteModelTransformJobArn",
            (("remoteModelTransformJob", "arn"),),
            "The ARN of the SageMaker transform job.",
        ),
        Attribute(
            "ModelNames",
            (("models", "name"),),
            "The names of the resulting SageMaker models, separated by commas (`!Split` makes a list).",
        ),
        Attribute("ModelArns", (("models", "arn"),), "The ARNs of those models, separated by commas."),
    ),
    failure_reasons=(("remoteModelTransformJob", "failureReason"), ("baseProcessingJob", "failureReason")),
    log_urls=(("remoteModelTransformJob", "cloudwatchLogUrl"), ("baseProcessingJob", "cloudwatchLogUrl")),
    properties=(
        common.ENDPOINT,
        common.ID,
        MODEL_TRANSFORM_OUTPUT_S3_LOCATION,
        DATA_PROCESSING_JOB_ID,
        ML_MODEL_TRAINING_JOB_ID,
        TRAINING_JOB_NAME,
        common.SAGEMAKER_IAM_ROLE_ARN,
        describing(
            "BaseProcessingInstanceType",
            values.INSTANCE_TYPE,
            "The type of the ML instance that prepares the job, such as `ml.r5.4xlarge`.",
            default_text="Neptune's recommendation for the graph's size",
        ),
        describing(
            "BaseProcessingInstanceVolumeSizeInGB",
            values.INTEGER,
            "The volume size of that ML instance, in gigabytes.",
            default_text="Neptune's recommendation for the graph's size",
        ),
        common.SUBNETS,
        common.SECURITY_GROUP_IDS,
        common.VOLUME_ENCRYPTION_KMS_KEY,
        common.S3_OUTPUT_ENCRYPTION_KMS_KEY,
        describing(
            "CustomModelTransformParameters",
            values.MAP,
            "The location of a custom model's code.",
            members=(
                describing(
                    "SourceS3DirectoryPath",
                    values.S3_URL,
                    "The S3 location of the Python module that implements the model.",
                    required=True,
                ),
                describing(
                    "TransformEntryPointScript",
                    values.STRING,
                    "The script in that module that computes the artifacts.",
                    default_text="`transform.py`",
                ),
            ),
        ),
        common.NEPTUNE_IAM_ROLE_ARN,
        common.WAIT_FOR_COMPLETION,
        common.CLEAN,
        common.WAIT_FOR_STOP,
    ),
    adopts=common.ID,
    either=((DATA_PROCESSING_JOB_ID, ML_MODEL_TRAINING_JOB_ID), (TRAINING_JOB_NAME,)),
)
