"""Data processing jobs: `StartMLDataProcessingJob` and its siblings."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from simulator import lives
from simulator.kinds.kind import Kind, Phase, Structure
from simulator.kinds.references import TO_DATA_PROCESSING

DATA_PROCESSING: Final = Kind(
    name="dataprocessing",
    title="Data processing job",
    life=lives.JOB,
    body=Structure(
        MappingProxyType(
            {
                "id": str,
                "previousDataProcessingJobId": str,
                "inputDataS3Location": str,
                "processedDataS3Location": str,
                "sagemakerIamRoleArn": str,
                "neptuneIamRoleArn": str,
                "processingInstanceType": str,
                "processingInstanceVolumeSizeInGB": int,
                "processingTimeOutInSeconds": int,
                "modelType": str,
                "configFileName": str,
                "subnets": list,
                "securityGroupIds": list,
                "volumeEncryptionKMSKey": str,
                "s3OutputEncryptionKMSKey": str,
            }
        ),
        required=("inputDataS3Location", "processedDataS3Location"),
    ),
    output="processedDataS3Location",
    phases=(
        Phase(
            member="processingJob",
            role="processing",
            resource="processing-job",
            log_group="ProcessingJobs",
            artifact="processed-graph.json",
        ),
    ),
    references=MappingProxyType({"previousDataProcessingJobId": TO_DATA_PROCESSING}),
)
