"""The kinds of Neptune ML jobs: for each, its calls, its statuses, its attributes and its properties, as data."""

from provider.kinds.model_transform_job import MODEL_TRANSFORM_JOB

__all__ = ["MODEL_TRANSFORM_JOB"]
