"""Model transform jobs: `StartMLModelTransformJob` and its siblings."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from simulator import lives
from simulator.kinds.kind import Kind, Phase, Structure
from simulator.kinds.references import TO_DATA_PROCESSING, TO_MODEL_TRAINING

MODEL_TRANSFORM: Final = Kind(
    name="modeltransform",
    title="Model transform job",
    life=lives.JOB,
    body=Structure(
        MappingProxyType(
            {
                "id": str,
                "dataProcessingJobId": str,
                "mlModelTrainingJobId": str,
                "trainingJobName": str,
                "modelTransformOutputS3Location": str,
                "sagemakerIamRoleArn": str,
                "neptuneIamRoleArn": str,
                "customModelTransformParameters": Structure(
                    MappingProxyType({"sourceS3DirectoryPath": str, "transformEntryPointScript": str}),
                    required=("sourceS3DirectoryPath",),
                ),
                "baseProcessingInstanceType": str,
                "baseProcessingInstanceVolumeSizeInGB": int,
                "subnets": list,
                "securityGroupIds": list,
                "volumeEncryptionKMSKey": str,
                "s3OutputEncryptionKMSKey": str,
            }
        ),
        required=("modelTransformOutputS3Location",),
    ),
    alternatives=(("dataProcessingJobId", "mlModelTrainingJobId"), ("trainingJobName",)),
    output="modelTransformOutputS3Location",
    phases=(
        Phase(
            member="baseProcessingJob",
            role="base-processing",
            resource="processing-job",
            log_group="ProcessingJobs",
            artifact="processed-graph.json",
        ),
        Phase(
            member="remoteModelTransformJob",
            role="remote-model-transform",
            resource="transform-job",
            log_group="TransformJobs",
            artifact="model.tar.gz",
        ),
    ),
    models="models",
    references=MappingProxyType({"dataProcessingJobId": TO_DATA_PROCESSING, "mlModelTrainingJobId": TO_MODEL_TRAINING}),
)
