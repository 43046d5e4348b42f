"""`Custom::NeptuneMLModelTransformJob` as a construct."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import CustomResource, Duration, Fn
from constructs import Construct

RESOURCE_TYPE = "Custom::NeptuneMLModelTransformJob"


@dataclass(frozen=True)
class CustomModelTransformParameters:
    """Where the code of a custom model is.

    Attributes:
        source_s3_directory_path: The S3 location of the Python module that implements the model.
        transform_entry_point_script: The script of that module that computes the artifacts; by default `transform.py`.
    """

    source_s3_directory_path: str
    transform_entry_point_script: str | None = None


class ModelTransformJob(Construct):
    """A Neptune ML model transform job that is cancelled when it goes from the stack.

    It is started with the resource, or, if `job_id` is given, was started elsewhere and is adopted.

    Give it dependencies on what the provider needs to start and to cancel the job, and on whatever else could fail, so
    that it comes last and goes first: the cluster's instances and the rule that lets the provider's function in
    (`job.node.add_dependency(instance)`).

    Args:
        scope: The stack, or a construct in it.
        construct_id: Its id there.
        service_token: The provider's function: the output `ServiceToken` of the provider's stack.
        endpoint: The Neptune cluster, as host or host:port, such as `cluster.attr_endpoint`.
        model_transform_output_s3_location: Where a job to be started puts its artifacts, `s3://bucket/folder`.
        data_processing_job_id: The completed data processing job whose graph a job to be started transforms.
        ml_model_training_job_id: The completed model training job whose models it uses.
        training_job_name: A completed SageMaker training job, in place of the two before.
        sagemaker_iam_role_arn: Role with which SageMaker runs it; by default the cluster's.
        base_processing_instance_type: Instance that prepares it; by default what Neptune recommends.
        base_processing_instance_volume_size_in_gb: Size of that instance's disk, likewise.
        subnets: Ids of the subnets of the cluster's VPC in which it runs.
        security_group_ids: Security groups with which it runs.
        volume_encryption_kms_key: Key with which SageMaker encrypts its disks.
        s3_output_encryption_kms_key: Key with which SageMaker encrypts its artifacts.
        custom_model_transform_parameters: Where the code of a custom model is.
        job_id: Id of a job to adopt, which has to exist; then nothing that describes a job may be given.
        neptune_iam_role_arn: Role that Neptune is to use; by default the cluster's.
        wait_for_completion: Whether a creation waits until the job has completed, and fails if it fails.
        completion_handle: Handle of a wait condition that waits for the job, for up to 12 hours: `handle.ref`. It is
            signalled when the job has completed; then leave `wait_for_completion` away.
        clean: Whether cancelling the job also deletes its artifacts.
        wait_for_stop: Whether a deletion waits until the job has stopped.
        service_timeout: How long an operation may take, an hour at most.

    Attributes:
        job_id: Id of the job.
        status: Its status when the stack was last updated.
        output_location: Where its artifacts are; empty where Neptune names none.
        base_processing_job_arn: Its SageMaker processing job, likewise.
        remote_model_transform_job_arn: Its SageMaker transform job, likewise.
        model_names: The SageMaker models that it has made; one empty name where there are none.
        model_arns: Their ARNs, likewise.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service_token: str,
        endpoint: str,
        model_transform_output_s3_location: str | None = None,
        data_processing_job_id: str | None = None,
        ml_model_training_job_id: str | None = None,
        training_job_name: str | None = None,
        sagemaker_iam_role_arn: str | None = None,
        base_processing_instance_type: str | None = None,
        base_processing_instance_volume_size_in_gb: int | None = None,
        subnets: Sequence[str] | None = None,
        security_group_ids: Sequence[str] | None = None,
        volume_encryption_kms_key: str | None = None,
        s3_output_encryption_kms_key: str | None = None,
        custom_model_transform_parameters: CustomModelTransformParameters | None = None,
        job_id: str | None = None,
        neptune_iam_role_arn: str | None = None,
        wait_for_completion: bool = False,
        completion_handle: str | None = None,
        clean: bool = False,
        wait_for_stop: bool = True,
        service_timeout: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        custom_model = custom_model_transform_parameters
        resource = CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=service_token,
            service_timeout=service_timeout,
            properties=_given(
                Endpoint=endpoint,
                Id=job_id,
                ModelTransformOutputS3Location=model_transform_output_s3_location,
                DataProcessingJobId=data_processing_job_id,
                MlModelTrainingJobId=ml_model_training_job_id,
                TrainingJobName=training_job_name,
                SagemakerIamRoleArn=sagemaker_iam_role_arn,
                BaseProcessingInstanceType=base_processing_instance_type,
                BaseProcessingInstanceVolumeSizeInGB=base_processing_instance_volume_size_in_gb,
                Subnets=subnets,
                SecurityGroupIds=security_group_ids,
                VolumeEncryptionKMSKey=volume_encryption_kms_key,
                S3OutputEncryptionKMSKey=s3_output_encryption_kms_key,
                CustomModelTransformParameters=custom_model
                and _given(
                    SourceS3DirectoryPath=custom_model.source_s3_directory_path,
                    TransformEntryPointScript=custom_model.transform_entry_point_script,
                ),
                NeptuneIamRoleArn=neptune_iam_role_arn,
                WaitForCompletion=wait_for_completion,
                CompletionHandle=completion_handle,
                Clean=clean,
                WaitForStop=wait_for_stop,
            ),
        )
        self.job_id = resource.get_att_string("Id")
        self.status = resource.get_att_string("Status")
        self.output_location = resource.get_att_string("OutputLocation")
        self.base_processing_job_arn = resource.get_att_string("BaseProcessingJobArn")
        self.remote_model_transform_job_arn = resource.get_att_string("RemoteModelTransformJobArn")
        self.model_names = Fn.split(",", resource.get_att_string("ModelNames"))
        self.model_arns = Fn.split(",", resource.get_att_string("ModelArns"))


def _given(**properties: object) -> dict[str, object]:
    return {name: value for name, value in properties.items() if value is not None}
