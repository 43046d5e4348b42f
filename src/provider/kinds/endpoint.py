"""Inference endpoints, which `CreateMLEndpoint` creates.

Neptune's guide shows no answer with a status: these are those of the SageMaker endpoint that Neptune creates
(`EndpointStatus` in the SageMaker API Reference). AWS's notebook client, too, waits for `InService` and `Failed`.
"""

from __future__ import annotations

from provider import values
from provider.kinds import common
from provider.kinds.common import describing
from provider.kinds.kind import CANCEL, GET, START, Attribute, Call, Kind, Words
from provider.look import Status

ML_MODEL_TRAINING_JOB_ID = describing(
    "MlModelTrainingJobId",
    values.JOB_ID,
    "The ID of the completed model training job whose model the endpoint serves.",
    update="No interruption",
)
ML_MODEL_TRANSFORM_JOB_ID = describing(
    "MlModelTransformJobId",
    values.JOB_ID,
    "The ID of the completed model transform job whose model the endpoint serves.",
    update="No interruption",
)

ENDPOINT = Kind(
    resource_type="Custom::NeptuneMLEndpoint",
    noun="endpoint",
    words=Words(
        thing="endpoint",
        starts="creates",
        started="created",
        cancelled="deleted",
        completed="is in service",
        not_completed="is not in service",
        stopped="is gone",
        not_stopped="is not gone",
    ),
    start=Call(START, "create_ml_endpoint", "neptune-db:CreateMLEndpoint"),
    get=Call(GET, "get_ml_endpoint", "neptune-db:GetMLEndpointStatus"),
    cancel=Call(CANCEL, "delete_ml_endpoint", "neptune-db:DeleteMLEndpoint"),
    update="update",
    statuses=(
        ("Creating", Status.RUNS),
        ("Updating", Status.RUNS),
        ("SystemUpdating", Status.RUNS),
        ("RollingBack", Status.RUNS),
        ("Deleting", Status.STOPPING),
        ("InService", Status.READY),
        ("Failed", Status.BROKEN),
        ("OutOfService", Status.BROKEN),
        ("UpdateRollbackFailed", Status.BROKEN),
    ),
    arns=(("endpoint", "arn"), ("endpointConfig", "arn")),
    attributes=(
        Attribute("EndpointName", (("endpoint", "name"),), "The name of the SageMaker endpoint."),
        Attribute("EndpointArn", (("endpoint", "arn"),), "The ARN of the SageMaker endpoint."),
        Attribute(
            "EndpointConfigName",
            (("endpointConfig", "name"),),
            "The name of the SageMaker endpoint configuration. An update in place creates another one.",
        ),
        Attribute("EndpointConfigArn", (("endpointConfig", "arn"),), "The ARN of that configuration."),
    ),
    failure_reasons=(("endpoint", "failureReason"),),
    log_urls=(("endpoint", "cloudwatchLogUrl"),),
    properties=(
        common.ENDPOINT,
        common.ID,
        ML_MODEL_TRAINING_JOB_ID,
        ML_MODEL_TRANSFORM_JOB_ID,
        describing(
            "ModelName",
            values.STRING,
            "The model type: `rgcn` for a heterogeneous graph; `kge`, `transe`, `distmult` or `rotate` for a knowledge "
            "graph.",
            update="No interruption",
            default_text="`rgcn` or `kge`, depending on the data",
        ),
        describing(
            "InstanceType",
            values.INSTANCE_TYPE,
            "The type of the ML instances.",
            update="No interruption",
            default_text="`ml.m5.xlarge`",
        ),
        describing(
            "InstanceCount",
            values.COUNT,  # as of SageMaker's production variants: Neptune's pages name a default only
            "The minimum number of ML instances.",
            update="No interruption",
            default_text="`1`",
        ),
        common.VOLUME_ENCRYPTION_KMS_KEY,
        common.NEPTUNE_IAM_ROLE_ARN,
        common.WAIT_FOR_COMPLETION,
        common.CLEAN,
        common.WAIT_FOR_STOP,
    ),
    adopts=common.ID,
    either=((ML_MODEL_TRAINING_JOB_ID,), (ML_MODEL_TRANSFORM_JOB_ID,)),
)
