"""What a start may say of another job, by its id.

The refusals are those of the Neptune User Guide's "Neptune ML management API errors and exceptions". It has no words
for a data processing job that is not there, but these for a wrong id, and none for a transform job that has not
completed: these follow its words for a training job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from simulator.kinds.kind import KindName


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that the API answers.

    Attributes:
        code: Its name in the service model.
        message: Its `detailedMessage`.
    """

    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A parameter's reference to a job that is to have completed.

    Attributes:
        kind: That job's kind.
        unfinished: The answer if it has not completed.
        unknown: The answer if it is not there.
    """

    kind: KindName
    unfinished: Refusal
    unknown: Refusal


TO_DATA_PROCESSING: Final = Reference(
    kind="dataprocessing",
    unfinished=Refusal("BadRequestException", "Provided MLDataProcessing job is not completed."),
    unknown=Refusal(
        "InvalidParameterException", "Invalid ID provided. Please check whether a resource with the given ID exists."
    ),
)
TO_MODEL_TRAINING: Final = Reference(
    kind="modeltraining",
    unfinished=Refusal("BadRequestException", "Provided ModelTraining job has not completed."),
    unknown=Refusal("BadRequestException", "Provided MLModelTraining job doesn't exist."),
)
TO_MODEL_TRANSFORM: Final = Reference(
    kind="modeltransform",
    unfinished=Refusal("BadRequestException", "Provided ModelTransform job has not completed."),
    unknown=Refusal("BadRequestException", "Provided ModelTransformJob doesn't exist."),
)
