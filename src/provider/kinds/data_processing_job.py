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
    running=("InProgress",),
    stopping=("Stopping",),
    completed=("Completed",),
    failed=("Failed",),
    ended=("Stopped", "Completed", "Failed"),
    arns=(("processingJob", "arn"),),
    attributes=(
        Attribute(
            "OutputLocation", (("processingJob", "outputLocation"),), "Where the processed data is, an `s3://` URL."
        ),
        Attribute("ProcessingJobArn", (("processingJob", "arn"),), "The ARN of the job's SageMaker processing job."),
        Attribute("ProcessingJobName", (("processingJob", "name"),), "The name of that job."),
    ),
    failure_reasons=(("processingJob", "failureReason"),),
    log_urls=(("processingJob", "cloudwatchLogUrl"),),
    properties=(
        common.ENDPOINT,
        common.ID,
        describing(
            "InputDataS3Location",
            values.S3_URL,
            "Where the exported graph is in Amazon S3, `s3://bucket/folder`.",
            required=True,
        ),
        describing(
            "ProcessedDataS3Location",
            values.S3_URL,
            "Where the job puts the processed data in Amazon S3, `s3://bucket/folder`.",
            required=True,
        ),
        describing(
            "PreviousDataProcessingJobId",
            values.JOB_ID,
            "The id of a completed data processing job of an earlier version of the data.",
        ),
        describing(
            "ModelType",
            values.STRING,
            "The type of the model, `heterogeneous` or `kge`.",
            default_text="what fits the data",
        ),
        describing(
            "ConfigFileName",
            values.STRING,
            "The file that describes how the exported data is loaded for the training.",
            default_text="`training-data-configuration.json`",
        ),
        describing(
            "ProcessingInstanceType",
            values.STRING,
            "The type of the ML instance that processes the data, such as `ml.r5.4xlarge`.",
            default_text="the smallest `ml.r5` whose memory is ten times the size of the exported data",
        ),
        describing(
            "ProcessingInstanceVolumeSizeInGB",
            values.INTEGER,
            "The size of that instance's disk, in gigabytes.",
            default_text="what Neptune chooses by the size of the data",
        ),
        describing(
            "ProcessingTimeOutInSeconds",
            values.INTEGER,
            "After how many seconds Neptune ends the job.",
            default_text="`86400`, a day",
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
