"""`Custom::NeptuneMLModelTransformJob` as a construct."""

from collections.abc import Mapping, Sequence
from typing import Required, TypedDict, Unpack

from aws_cdk import CustomResource, Duration
from constructs import Construct

# --- generated: properties, by `make docs` ---
_NAMES = {
    "completion_handle": "CompletionHandle",
    "endpoint": "Endpoint",
    "id": "Id",
    "model_transform_output_s3_location": "ModelTransformOutputS3Location",
    "data_processing_job_id": "DataProcessingJobId",
    "ml_model_training_job_id": "MlModelTrainingJobId",
    "training_job_name": "TrainingJobName",
    "sagemaker_iam_role_arn": "SagemakerIamRoleArn",
    "base_processing_instance_type": "BaseProcessingInstanceType",
    "base_processing_instance_volume_size_in_gb": "BaseProcessingInstanceVolumeSizeInGB",
    "subnets": "Subnets",
    "security_group_ids": "SecurityGroupIds",
    "volume_encryption_kms_key": "VolumeEncryptionKMSKey",
    "s3_output_encryption_kms_key": "S3OutputEncryptionKMSKey",
    "custom_model_transform_parameters": "CustomModelTransformParameters",
    "source_s3_directory_path": "SourceS3DirectoryPath",
    "transform_entry_point_script": "TransformEntryPointScript",
    "neptune_iam_role_arn": "NeptuneIamRoleArn",
    "wait_for_completion": "WaitForCompletion",
    "clean": "Clean",
    "wait_for_stop": "WaitForStop",
}


class CustomModelTransformParameters(TypedDict, total=False):
    """The location of a custom model's code."""

    source_s3_directory_path: Required[str]
    """The S3 location of the Python module that implements the model."""
    transform_entry_point_script: str
    """The script in that module that computes the artifacts. Default: `transform.py`."""


class Properties(TypedDict, total=False):
    """The properties of a model transform job."""

    completion_handle: str
    """The `Ref` of an `AWS::CloudFormation::WaitConditionHandle`, which is signalled when the job has completed, or
    fails. A wait condition can wait longer than an hour. Cannot be combined with `WaitForCompletion: true`. Default: no
    signal."""
    endpoint: Required[str]
    """The Neptune cluster that runs the job: `host`, `host:port` or `https://host:port`. The default port is 8182. For
    an adopted job, change it only together with `Id`."""
    id: str
    """The id of an existing job to adopt. It cannot contain white space, control characters or slashes. Together with
    the cluster's name, it can have at most 1,024 bytes. Default: the provider generates one."""
    model_transform_output_s3_location: str
    """The S3 location for the job's artifacts, such as `s3://bucket/folder`."""
    data_processing_job_id: str
    """The id of the completed data processing job that prepared the graph. Requires `MlModelTrainingJobId`."""
    ml_model_training_job_id: str
    """The id of the completed model training job whose models this job uses. Requires `DataProcessingJobId`."""
    training_job_name: str
    """The name of a completed SageMaker training job, instead of the ids of the two Neptune ML jobs."""
    sagemaker_iam_role_arn: str
    """The ARN of the IAM role that SageMaker uses to run the job. Default: the role set in the cluster's parameter
    group."""
    base_processing_instance_type: str
    """The type of the ML instance that prepares the job, such as `ml.r5.4xlarge`. Default: Neptune's recommendation for
    the graph's size."""
    base_processing_instance_volume_size_in_gb: int
    """The volume size of that ML instance, in gigabytes. Default: Neptune's recommendation for the graph's size."""
    subnets: Sequence[str]
    """The ids of the job's subnets, in the cluster's VPC."""
    security_group_ids: Sequence[str]
    """The ids of the job's security groups."""
    volume_encryption_kms_key: str
    """The KMS key that encrypts the volumes of the ML instances."""
    s3_output_encryption_kms_key: str
    """The KMS key that encrypts the job's artifacts in Amazon S3."""
    custom_model_transform_parameters: CustomModelTransformParameters
    """The location of a custom model's code."""
    neptune_iam_role_arn: str
    """The ARN of the IAM role that Neptune uses to access SageMaker and Amazon S3. Default: the role set in the
    cluster's parameter group."""
    wait_for_completion: bool
    """Whether creating or replacing the job waits until it has completed, and fails if the job fails or is stopped.
    Default: false."""
    clean: bool
    """Whether Neptune also deletes the job's artifacts in Amazon S3 when the job is cancelled. If the job has already
    ended, Neptune decides. Default: false."""
    wait_for_stop: bool
    """Whether a deletion waits until the job has stopped. If `false`, it succeeds when Neptune accepts the request.
    Default: true."""


# --- end of properties ---


class ModelTransformJob(CustomResource):
    """A Neptune ML model transform job that a stack starts, or adopts (`id`), and cancels when it is deleted.

    To have the job created last and deleted first, add dependencies on whatever the provider needs to reach the
    cluster, and on whatever else could fail: `job.node.add_dependency(instance)`. For the job's attributes, call
    `job.get_att_string("OutputLocation")`, for example.

    Args:
        scope: The stack, or a construct in it.
        construct_id: The construct's id.
        service_token: The output `ServiceToken` of the provider's stack.
        service_timeout: The maximum duration of an operation, by default an hour, which is the limit.
        properties: The properties of the job.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service_token: str,
        service_timeout: Duration | None = None,
        **properties: Unpack[Properties],
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            resource_type="Custom::NeptuneMLModelTransformJob",
            service_token=service_token,
            service_timeout=service_timeout,
            properties=_named(properties),
        )


def _named(properties: Mapping[str, object]) -> dict[str, object]:
    return {
        _NAMES[name]: _named(value) if isinstance(value, Mapping) else value
        for name, value in properties.items()
        if value is not None
    }
