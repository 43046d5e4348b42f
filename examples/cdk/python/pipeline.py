"""A whole pipeline: from an exported graph to an endpoint. Deploy it with `npx aws-cdk@2 deploy`."""

import cdk_neptune_ml as ml
from aws_cdk import App, CfnOutput, CfnParameter, Duration, Stack

app = App()
stack = Stack(app, "movies-pipeline")


def parameter(name: str, description: str) -> str:
    """Declare a parameter of the stack."""
    return CfnParameter(stack, name, description=description).value_as_string


provider = ml.NeptuneMlProvider.from_stack_name(parameter("ProviderStack", "Name of the stack of the provider"))
common = {"provider": provider, "endpoint": parameter("Endpoint", "The Neptune cluster, as host or host:port")}
exported = parameter("ExportLocation", "The exported graph, as s3://bucket/folder")
output = parameter("OutputLocation", "Where the jobs put what they make, as s3://bucket/folder")

data = ml.NeptuneMlDataProcessingJob(
    stack, "DataProcessingJob", **common, wait_for=Duration.hours(1),
    input_data_s3_location=ml.S3Location.from_url(exported),
    processed_data_s3_location=ml.S3Location.from_url(f"{output}/processed"),
)  # fmt: skip
training = ml.NeptuneMlModelTrainingJob(
    stack, "TrainingJob", **common, wait_for=Duration.hours(12),
    data_processing=data, train_model_s3_location=ml.S3Location.from_url(f"{output}/trained"),
)  # fmt: skip
transform = ml.NeptuneMlModelTransformJob(
    stack, "TransformJob", **common, wait_for=Duration.hours(1), data_processing=data, model_training=training,
    model_transform_output_s3_location=ml.S3Location.from_url(f"{output}/transformed"),
)  # fmt: skip
endpoint = ml.NeptuneMlEndpoint(
    stack, "InferenceEndpoint", **common, wait_for=Duration.hours(1), model_transform=transform
)
CfnOutput(stack, "ModelLocation", value=training.output_location)
CfnOutput(stack, "EndpointId", value=endpoint.job_id)
app.synth()
