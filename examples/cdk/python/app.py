"""Two stacks: `movies` starts a model transform job, and `movies-existing` adopts one that was started elsewhere.

Synthesize them with `npx --yes aws-cdk@2 synth`, and deploy the first with:

    npx --yes aws-cdk@2 deploy movies \
        --parameters Endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com \
        --parameters DataProcessingJobId=movies-data --parameters MlModelTrainingJobId=movies-model \
        --parameters Artifacts=s3://mybucket/movies
"""

from aws_cdk import App, CfnOutput, CfnParameter, Duration, Fn, Stack
from constructs import Construct
from transform_job import ModelTransformJob

# To start jobs, the provider must be deployed with StartJobs=true.
PROVIDER = "neptune-ml-provider-ServiceToken"


class MoviesStack(Stack):
    """Creating the stack runs a job until it has completed. Deleting the stack cancels it if it is still running."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Runs a Neptune ML model transform job")
        endpoint = CfnParameter(self, "Endpoint", description="The Neptune cluster: host or host:port")
        data = CfnParameter(self, "DataProcessingJobId", description="Id of a completed data processing job")
        model = CfnParameter(self, "MlModelTrainingJobId", description="Id of a completed model training job")
        artifacts = CfnParameter(self, "Artifacts", description="S3 location for the artifacts")
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
        CfnOutput(self, "JobId", value=job.get_att_string("Id"))
        CfnOutput(self, "OutputLocation", value=job.get_att_string("OutputLocation"))


class ExistingJobStack(Stack):
    """Deleting the stack cancels a job that was started elsewhere."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Cancels a Neptune ML model transform job on deletion")
        endpoint = CfnParameter(self, "Endpoint", description="The Neptune cluster: host or host:port")
        job_id = CfnParameter(self, "JobId", description="Id of an existing model transform job")
        job = ModelTransformJob(
            self,
            "TransformJob",
            service_token=Fn.import_value(PROVIDER),
            endpoint=endpoint.value_as_string,
            id=job_id.value_as_string,
            clean=True,
            service_timeout=Duration.minutes(30),
        )
        CfnOutput(self, "OutputLocation", value=job.get_att_string("OutputLocation"))


app = App()
MoviesStack(app, "movies")
ExistingJobStack(app, "movies-existing")
app.synth()
