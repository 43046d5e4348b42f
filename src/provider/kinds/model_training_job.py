"""Model training jobs, which `StartMLModelTrainingJob` starts."""

from __future__ import annotations

from provider import values
from provider.kinds import common
from provider.kinds.common import describing
from provider.kinds.kind import CANCEL, GET, START, Attribute, Call, Kind

MODEL_TRAINING_JOB = Kind(
    resource_type="Custom::NeptuneMLModelTrainingJob",
    noun="model training job",
    start=Call(START, "start_ml_model_training_job", "neptune-db:StartMLModelTrainingJob"),
    get=Call(GET, "get_ml_model_training_job", "neptune-db:GetMLModelTrainingJobStatus"),
    cancel=Call(CANCEL, "cancel_ml_model_training_job", "neptune-db:CancelMLModelTrainingJob"),
    statuses=common.JOB_STATUSES,
    arns=(("processingJob", "arn"), ("hpoJob", "arn"), ("modelTransformJob", "arn")),
    attributes=(
        Attribute(
            "OutputLocation",
            (
                ("modelTransformJob", "outputLocation"),
                ("hpoJob", "outputLocation"),
                ("processingJob", "outputLocation"),
            ),
            "The S3 URL of the job's artifacts.",
        ),
        Attribute("ProcessingJobArn", (("processingJob", "arn"),), "The ARN of the SageMaker processing job."),
        Attribute("HpoJobArn", (("hpoJob", "arn"),), "The ARN of the SageMaker hyperparameter tuning job."),
        Attribute(
            "ModelTransformJobArn",
            (("modelTransformJob", "arn"),),
            "The ARN of the SageMaker job that computes the model's artifacts.",
        ),
        Attribute(
            "ModelNames",
            (("mlModels", "name"),),
            "The names of the resulting SageMaker models, separated by commas (`!Split` makes a list).",
        ),
        Attribute("ModelArns", (("mlModels", "arn"),), "The ARNs of those models, separated by commas."),
    ),
    failure_reasons=(
        ("modelTransformJob", "failureReason"),
        ("hpoJob", "failureReason"),
        ("processingJob", "failureReason"),
    ),
    log_urls=(
        ("modelTransformJob", "cloudwatchLogUrl"),
        ("hpoJob", "cloudwatchLogUrl"),
        ("processingJob", "cloudwatchLogUrl"),
    ),
    properties=(
        common.ENDPOINT,
        common.ID,
        describing(
            "DataProcessingJobId",
            values.JOB_ID,
            "The ID of the completed data processing job that prepared the training data.",
            required=True,
        ),
        describing(
            "TrainModelS3Location",
            values.S3_URL,
            "The S3 location for the model's artifacts, such as `s3://bucket/folder`.",
            required=True,
        ),
        describing(
            "PreviousModelTrainingJobId",
            values.JOB_ID,
            "The ID of a completed model training job whose models this job updates with newer data.",
        ),
        describing(
            "BaseProcessingInstanceType",
            values.INSTANCE_TYPE,
            "The type of the ML instance that prepares and manages training, such as `ml.r5.xlarge`.",
            default_text="Neptune's recommendation for the graph's size",
        ),
        describing(
            "TrainingInstanceType",
            values.INSTANCE_TYPE,
            "The type of the ML instances for training.",
            default_text="`ml.p3.2xlarge`",
        ),
        describing(
            "TrainingInstanceVolumeSizeInGB",
            values.INTEGER,
            "The volume size of the training instances, in gigabytes.",
            default_text="Neptune's recommendation for the graph's size",
        ),
        describing(
            "TrainingTimeOutInSeconds",
            values.INTEGER,
            "The timeout of each training job, in seconds.",
            default_text="`86400` (one day)",
        ),
        describing(
            "MaxHPONumberOfTrainingJobs",
            values.INTEGER,
            "The maximum number of training jobs for hyperparameter tuning. For a good model, use at least 10.",
            default_text="`2`",
        ),
        describing(
            "MaxHPOParallelTrainingJobs",
            values.INTEGER,
            "The maximum number of parallel training jobs for hyperparameter tuning.",
            default_text="`2`",
        ),
        describing(
            "EnableManagedSpotTraining",
            values.BOOLEAN,
            "Whether training uses Spot Instances.",
            default_text="`false`",
        ),
        describing(
            "CustomModelTrainingParameters",
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
                    "TrainingEntryPointScript",
                    values.STRING,
                    "The script in that module that trains the model.",
                    default_text="`training.py`",
                ),
                describing(
                    "TransformEntryPointScript",
                    values.STRING,
                    "The script in that module that computes the artifacts.",
                    default_text="`transform.py`",
                ),
            ),
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
