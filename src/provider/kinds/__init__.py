"""The kinds of Neptune ML jobs and endpoints: their calls, statuses, attributes and properties, as data."""

from provider.kinds.data_processing_job import DATA_PROCESSING_JOB
from provider.kinds.endpoint import ENDPOINT
from provider.kinds.model_training_job import MODEL_TRAINING_JOB
from provider.kinds.model_transform_job import MODEL_TRANSFORM_JOB

__all__ = ["DATA_PROCESSING_JOB", "ENDPOINT", "KINDS", "MODEL_TRAINING_JOB", "MODEL_TRANSFORM_JOB"]

KINDS = (DATA_PROCESSING_JOB, MODEL_TRAINING_JOB, MODEL_TRANSFORM_JOB, ENDPOINT)
"""All of them, in the order in which a pipeline has them."""
