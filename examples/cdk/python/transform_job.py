"""`Custom::NeptuneMLModelTransformJob` as a construct."""

from aws_cdk import CustomResource, Duration
from constructs import Construct

RESOURCE_TYPE = "Custom::NeptuneMLModelTransformJob"


class ModelTransformJob(Construct):
    """A Neptune ML model transform job that is cancelled when it goes from the stack.

    Give it dependencies on what the provider needs to cancel the job, so that it goes first: the cluster's instances
    and the rule that lets the provider's function in (`job.node.add_dependency(instance)`).

    Args:
        scope: The stack, or a construct in it.
        construct_id: Its id there.
        service_token: The provider's function: the output `ServiceToken` of the provider's stack.
        endpoint: The Neptune cluster, as host or host:port, such as `cluster.attr_endpoint`.
        job_id: Id of the job, which has to exist.
        neptune_iam_role_arn: Role that Neptune is to use; by default the cluster's.
        clean: Whether cancelling the job also deletes its artifacts.
        wait_for_stop: Whether a deletion waits until the job has stopped.
        service_timeout: How long an operation may take, an hour at most.

    Attributes:
        job_id: Id of the job.
        status: Its status when the stack was last updated.
        output_location: Where its artifacts are; empty where Neptune names none.
        base_processing_job_arn: Its SageMaker processing job, likewise.
        remote_model_transform_job_arn: Its SageMaker transform job, likewise.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        service_token: str,
        endpoint: str,
        job_id: str,
        neptune_iam_role_arn: str | None = None,
        clean: bool = False,
        wait_for_stop: bool = True,
        service_timeout: Duration | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        properties = {
            "Endpoint": endpoint,
            "Id": job_id,
            "NeptuneIamRoleArn": neptune_iam_role_arn,
            "Clean": clean,
            "WaitForStop": wait_for_stop,
        }
        resource = CustomResource(
            self,
            "Resource",
            resource_type=RESOURCE_TYPE,
            service_token=service_token,
            service_timeout=service_timeout,
            properties={name: value for name, value in properties.items() if value is not None},
        )
        self.job_id = resource.get_att_string("Id")
        self.status = resource.get_att_string("Status")
        self.output_location = resource.get_att_string("OutputLocation")
        self.base_processing_job_arn = resource.get_att_string("BaseProcessingJobArn")
        self.remote_model_transform_job_arn = resource.get_att_string("RemoteModelTransformJobArn")
