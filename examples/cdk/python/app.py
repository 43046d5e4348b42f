"""A stack for a model transform job that runs already.

Synthesize it with `cdk synth`, and deploy it with:

    cdk deploy --parameters JobId=movies-2026-01 \
        --parameters Endpoint=mycluster.cluster-abc123.us-east-1.neptune.amazonaws.com
"""

from aws_cdk import App, CfnOutput, CfnParameter, Duration, Fn, Stack
from constructs import Construct
from transform_job import ModelTransformJob


class MoviesStack(Stack):
    """Deleting this stack cancels the job."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(scope, construct_id, description="Cancels a Neptune ML model transform job when it is deleted")
        job_id = CfnParameter(self, "JobId", description="Id of the model transform job; it has to exist")
        endpoint = CfnParameter(self, "Endpoint", description="The Neptune cluster, as host or host:port")
        job = ModelTransformJob(
            self,
            "TransformJob",
            service_token=Fn.import_value("neptune-ml-provider-ServiceToken"),
            endpoint=endpoint.value_as_string,
            job_id=job_id.value_as_string,
            clean=True,
            service_timeout=Duration.minutes(30),
        )
        CfnOutput(self, "OutputLocation", value=job.output_location, description="Where the job's artifacts are")


app = App()
MoviesStack(app, "movies")
app.synth()
