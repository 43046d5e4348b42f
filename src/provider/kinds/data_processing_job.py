"""Data processing jobs, which `StartMLDataProcessingJob` starts."""

from __future__ import annotations

from provider import values
from provider.kinds import common
from provider.kinds.common import describing
from provider.kinds.kind import CANCEL, GET, START, Attribute, Call, Kind

DATA_PROCESSING_JOB = Kind(
    resource_type="Custom::NeptuneMLDataProcessingJob",
    noun="data processing job",
    start=Call(START, "start_ml_data_processing_job", "neptune-db:StartMLDataProcessingJob"),
    get=Call(GET, "get_ml_data_processing_job", "neptune-db:GetMLDataProcessingJobStatus"),
    cancel=Call(CANCEL, "cancel_ml_data_processing_job", "neptune-db:CancelMLDataProcessingJob"),
    statuses=common.JOB_STATUSES,
    arns=(("processingJob", "arn"),),
    attributes=(
        Attribute("OutputLocation", (("processingJob", "outputLocation"),), "The S3 URL of the processed data."),
        Attribute("ProcessingJobArn", (("processingJob", "arn"),), "The ARN of the SageMaker processing job."),
        Attribute("ProcessingJobName", (("processingJob", "name"),), "The name of the SageMaker processing job."),
    ),
    failure_reasons=(("processingJob", "failureReason"),),
    log_urls=(("processingJob", "cloudwatchLogUrl"),),
    properties=(
        common.ENDPOINT,
        common.ID,
        describing(
            "InputDataS3Location",
            values.S3_URL,
            "The S3 location of the exported graph, such as `s3://bucket/folder`.",
            required=True,
        ),
        describing(
            "ProcessedDataS3Location",
            values.S3_URL,
            "The S3 location for the processed data, such as `s3://bucket/folder`.",
            required=True,
        ),
        describing(
            "PreviousDataProcessingJobId",
            values.JOB_ID,
            "The ID of a completed data processing job that processed an earlier version of the data.",
        ),
        describing(
            "ModelType",
            values.STRING,
            "The model type: `heterogeneous` or `kge`.",
            default_text="depends on the data",
        ),
        describing(
            "ConfigFileName",
            values.STRING,
            "The file that specifies how to load the exported data for training.",
            default_text="`training-data-configuration.json`",
        ),
        describing(
            "ProcessingInstanceType",
            values.INSTANCE_TYPE,
            "The type of the ML instance, such as `ml.r5.4xlarge`.",
            default_text="the smallest `ml.r5` type whose memory is ten times the size of the exported data",
        ),
        describing(
            "ProcessingInstanceVolumeSizeInGB",
            values.INTEGER,
            "The volume size of the ML instance, in gigabytes.",
            default_text="depends on the size of the data",
        ),
        describing(
            "ProcessingTimeOutInSeconds",
            values.INTEGER,
            "The job's timeout, in seconds.",
            default_text="`86400` (one day)",
        ),
        common.SAGEMAKER_IAM_ROLE_ARN,
        common.SUBNETS,
        common.SECURITY_GROUP_IDS,
        common.VOLUME_ENCRYPTION_KMS_KEY,
        common.S3_OUTPUT_ENCRYPTION_KMS_KEY,
        common.NEPTUNE_IAM_ROLE_ARN,
        common.WAIT_FOR_COMPLETION,
        common.CLEAN,
        common.WAIT_FOR_STOP,
    ),
    adopts=common.ID,
)
