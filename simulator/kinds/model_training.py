"""Model training jobs: `StartMLModelTrainingJob` and its siblings.

A processing job makes a training strategy, a hyperparameter tuning job (HPO) trains models after it, and a transform
job computes the artifacts of the best one: Neptune User Guide, "Training a model using Neptune ML". SageMaker allows
32 characters for a tuning job's name.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from simulator import lives
from simulator.kinds.kind import Kind, Phase, Structure
from simulator.kinds.references import TO_DATA_PROCESSING, TO_MODEL_TRAINING

MODEL_TRAINING: Final = Kind(
    name="modeltraining",
    title="Model training job",
    life=lives.JOB,
    body=Structure(
        MappingProxyType(
            {
                "id": str,
                "previousModelTrainingJobId": str,
                "dataProcessingJobId": str,
                "trainModelS3Location": str,
                "sagemakerIamRoleArn": str,
                "neptuneIamRoleArn": str,
                "baseProcessingInstanceType": str,
                "trainingInstanceType": str,
                "trainingInstanceVolumeSizeInGB": int,
                "trainingTimeOutInSeconds": int,
                "maxHPONumberOfTrainingJobs": int,
                "maxHPOParallelTrainingJobs": int,
                "subnets": list,
                "securityGroupIds": list,
                "volumeEncryptionKMSKey": str,
                "s3OutputEncryptionKMSKey": str,
                "enableManagedSpotTraining": bool,
                "customModelTrainingParameters": Structure(
                    MappingProxyType(
                        {
                            "sourceS3DirectoryPath": str,
                            "trainingEntryPointScript": str,
                            "transformEntryPointScript": str,
                        }
                    ),
                    required=("sourceS3DirectoryPath",),
                ),
            }
        ),
        required=("dataProcessingJobId", "trainModelS3Location"),
    ),
    output="trainModelS3Location",
    phases=(
        Phase(
            member="processingJob",
            role="processing",
            resource="processing-job",
            log_group="ProcessingJobs",
            artifact="model-hpo-configuration.json",
        ),
        Phase(
            member="hpoJob",
            role="hpo",
            resource="hyper-parameter-tuning-job",
            log_group="TrainingJobs",
            artifact="model.tar.gz",
            max_name=32,
        ),
        Phase(
            member="modelTransformJob",
            role="model-transform",
            resource="transform-job",
            log_group="TransformJobs",
            artifact="model.tar.gz",
        ),
    ),
    models="mlModels",
    references=MappingProxyType(
        {"dataProcessingJobId": TO_DATA_PROCESSING, "previousModelTrainingJobId": TO_MODEL_TRAINING}
    ),
)
