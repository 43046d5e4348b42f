"""The Python example's stacks, and one more in which a job has every property and every attribute."""

import os
import runpy

# Both stand in an environment of their own.
from aws_cdk import App, CfnOutput, Duration, Fn, Stack  # type: ignore[import-not-found]
from transform_job import CustomModelTransformParameters, ModelTransformJob  # type: ignore[import-not-found]

runpy.run_path("app.py")  # synthesizes the example's own stacks

every = App(outdir=f"{os.environ['CDK_OUTDIR']}/every")
stack = Stack(every, "every")
job = ModelTransformJob(
    stack,
    "Job",
    service_token="token",
    endpoint="endpoint",
    model_transform_output_s3_location="output",
    data_processing_job_id="data",
    ml_model_training_job_id="model",
    training_job_name="training",
    sagemaker_iam_role_arn="sagemaker-role",
    base_processing_instance_type="instance",
    base_processing_instance_volume_size_in_gb=7,
    subnets=["subnet"],
    security_group_ids=["group"],
    volume_encryption_kms_key="volume-key",
    s3_output_encryption_kms_key="output-key",
    custom_model_transform_parameters=CustomModelTransformParameters("directory", "script"),
    job_id="job",
    neptune_iam_role_arn="neptune-role",
    wait_for_completion=True,
    completion_handle="handle",
    clean=True,
    wait_for_stop=False,
    service_timeout=Duration.minutes(1),
)
for name, value in {
    "Id": job.job_id,
    "Status": job.status,
    "OutputLocation": job.output_location,
    "BaseProcessingJobArn": job.base_processing_job_arn,
    "RemoteModelTransformJobArn": job.remote_model_transform_job_arn,
    "ModelNames": Fn.join(",", job.model_names),
    "ModelArns": Fn.join(",", job.model_arns),
}.items():
    CfnOutput(stack, name, value=value)
every.synth()
