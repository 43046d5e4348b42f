"""The kinds of Neptune ML's resources, as data: each row has everything that distinguishes one kind.

The service model has the parameters of a start, and which of them are required.
"""

from __future__ import annotations

import secrets
import time
import uuid
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

from simulator import lives

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.lives import Life

KindName: TypeAlias = Literal["dataprocessing", "modeltraining", "modeltransform", "endpoints"]
"""A kind, as in the URIs of its operations and the guide's commands."""

KIND_NAMES: Final[tuple[KindName, ...]] = get_args(KindName)
MAX_NAME: Final = 63
"""The longest that most of SageMaker's names can be, in characters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One of the SageMaker resources that a job consists of, in sequence.

    Attributes:
        member: The member that describes the resource in the answer of `get`.
        role: The phase's part of SageMaker's names and of the output location.
        resource: The resource's type in SageMaker's ARNs.
        log_group: The log group in CloudWatch, below `/aws/sagemaker/`.
        artifact: The name of the output file; None: no output.
        max_name: The longest that the resource's name can be, in characters.
    """

    member: str
    role: str
    resource: str
    log_group: str
    artifact: str | None
    max_name: int = MAX_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job; endpoints are one, too.

    Attributes:
        name: The name.
        title: A job of this kind, as messages name it.
        life: The statuses.
        alternatives: Groups of parameters, one of which is required.
        output: The parameter with the location of the artifacts; None: no artifacts.
        phases: The SageMaker resources.
        models: The member that lists a completed job's models in the answer of `get`; None: no models.
        config: The member that names the configuration in the answer of `get`; None: no configuration.
        references: The parameters that name another job, with the kind of that job, which has to be completed.
        unfinished: The error of a start that names a job of this kind which has not completed.
        make_id: Makes an ID for a job that is started without one.
    """

    name: KindName
    title: str
    life: Life = lives.JOB
    alternatives: tuple[tuple[str, ...], ...] = ()
    output: str | None = None
    phases: tuple[Phase, ...]
    models: str | None = None
    config: str | None = None
    references: Mapping[str, KindName] = field(default_factory=dict)
    unfinished: str = ""
    make_id: Callable[[], str] = lambda: str(uuid.uuid4())


def _timestamped() -> str:
    return f"{time.strftime('%Y-%m-%d-%H-%M-%S', time.gmtime())}-{secrets.token_hex(4)}"


# The errors are those of the Neptune User Guide's "Neptune ML management API errors and exceptions". It has none for a
# transform job that has not completed; this one follows that for a training job.
DATA_PROCESSING: Final = Kind(
    name="dataprocessing",
    title="Data processing job",
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
    references={"previousDataProcessingJobId": "dataprocessing"},
    unfinished="Provided MLDataProcessing job is not completed.",
)
# A processing job makes a training strategy, a hyperparameter tuning job (HPO) trains models with it, and a transform
# job computes the artifacts of the best model: Neptune User Guide, "Training a model using Neptune ML". In SageMaker, a
# tuning job's name has at most 32 characters.
MODEL_TRAINING: Final = Kind(
    name="modeltraining",
    title="Model training job",
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
    references={"dataProcessingJobId": "dataprocessing", "previousModelTrainingJobId": "modeltraining"},
    unfinished="Provided ModelTraining job has not completed.",
)
MODEL_TRANSFORM: Final = Kind(
    name="modeltransform",
    title="Model transform job",
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
    references={"dataProcessingJobId": "dataprocessing", "mlModelTrainingJobId": "modeltraining"},
    unfinished="Provided ModelTransform job has not completed.",
)
# With `update`, a creation updates an existing endpoint. Neither Neptune's guide nor the service model says when that
# is allowed: here, as in SageMaker, the endpoint has to be in service, or out of service. Nor do they say what an
# endpoint's `clean` deletes: here, nothing. The guide says that the default ID is a timestamped name.
ENDPOINTS: Final = Kind(
    name="endpoints",
    title="Endpoint",
    life=lives.ENDPOINT,
    alternatives=(("mlModelTrainingJobId",), ("mlModelTransformJobId",)),
    phases=(Phase(member="endpoint", role="endpoint", resource="endpoint", log_group="Endpoints", artifact=None),),
    config="endpointConfig",
    references={"mlModelTrainingJobId": "modeltraining", "mlModelTransformJobId": "modeltransform"},
    make_id=_timestamped,
)
KINDS: Final[Mapping[KindName, Kind]] = MappingProxyType(
    {kind.name: kind for kind in (DATA_PROCESSING, MODEL_TRAINING, MODEL_TRANSFORM, ENDPOINTS)}
)
"""All kinds, by their names."""


def kind_named(name: str) -> Kind:
    """Return the kind with this name; raises a `ValueError` if there is none."""
    for kind in KINDS.values():
        if kind.name == name:
            return kind
    raise ValueError(f"{name!r} is not a kind: {', '.join(KINDS)}")
