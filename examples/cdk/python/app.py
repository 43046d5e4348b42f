"""Two stacks: `movies` starts a model transform job, `movies-existing` adopts one that was started elsewhere.

Synthesize them with `npx --yes aws-cdk@2 synth`, and deploy the first one with:

    npx --yes aws-cdk@2 deploy movies \
        --parameters Endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com \
        --parameters DataProcessingJobId=movies-data --parameters MlModelTrainingJobId=movies-model \
        --parameters Artifacts=s3://mybucket/movies
"""

from aws_cdk import App, CfnOutput, CfnParameter, Duration, Fn, Stack
from constructs import Construct
from transform_job import ModelTransformJob

# The provider's stack has to be deployed with StartJobs=true, for the first of the two.
PROVIDER = "neptune-ml-provider-ServiceToken"


class MoviesStack(Stack):
    """Creating this stack runs a job until it has completed; deleting the stack cancels it if it still runs."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Runs a Neptune ML model transform job")
        endpoint = CfnParameter(self, "Endpoint", description="The Neptune cluster, as host or host:port")
        data = CfnParameter(self, "DataProcessingJobId", description="Id of a completed data processing job")
        model = CfnParameter(self, "MlModelTrainingJobId", description="Id of a completed model training job")
        artifacts = CfnParameter(self, "Artifacts", description="Where to put the artifacts, as s3://bucket/folder")
        job = ModelTransformJob(
            self,
            "TransformJob",
            service_token=Fn.import_value(PROVIDER),
            endpoint=endpoint.value_as_string,
            data_processing_job_id=data.value_as_string,
            ml_model_training_job_id=model.value_as_string,
            model_transform_output_s3_location=artifacts.value_as_string,
            wait_for_completion=True,
        )
        CfnOutput(self, "JobId", value=job.job_id, description="Id of the job, which the provider has made")
        CfnOutput(self, "OutputLocation", value=job.output_location, description="Where the job's artifacts are")


class ExistingJobStack(Stack):
    """Deleting this stack cancels a job that runs already when the stack is created."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Cancels a Neptune ML model transform job when it is deleted")
        endpoint = CfnParameter(self, "Endpoint", description="The Neptune cluster, as host or host:port")
        job_id = CfnParameter(self, "JobId", description="Id of the model transform job; it has to exist")
        job = ModelTransformJob(
            self,
            "TransformJob",
            service_token=Fn.import_value(PROVIDER),
            endpoint=endpoint.value_as_string,
            job_id=job_id.value_as_string,
            clean=True,
            service_timeout=Duration.minutes(30),
        )
        CfnOutput(self, "OutputLocation", value=job.output_location, description="Where the job's artifacts are")


app = App()
MoviesStack(app, "movies")
ExistingJobStack(app, "movies-existing")
app.synth()
