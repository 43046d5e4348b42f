"""The kinds of Neptune ML's resources, as data: a row says all that one kind does differently from another.

What a start takes, and what is required of it, is in the service model.
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
"""A kind, as the URIs of its operations and the guide's commands have it."""

KIND_NAMES: Final[tuple[KindName, ...]] = get_args(KindName)
MAX_NAME: Final = 63
"""The most characters that most of SageMaker's names can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One of the SageMaker resources that a job is made of, one after the other.

    Attributes:
        member: The member of the answer of `get` that describes it.
        role: What it is called in SageMaker's names and in its output location.
        resource: What it is called in SageMaker's ARNs.
        log_group: Its log group in CloudWatch, below `/aws/sagemaker/`.
        artifact: The file that it leaves behind; None: it has no output.
        max_name: The most characters that its name can have.
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
        name: Its name.
        title: What messages call one.
        life: Its statuses.
        alternatives: Of these parameters, those of one row are required.
        output: The parameter that says where its artifacts go; None: it has none.
        phases: What it is made of.
        models: The member of the answer of `get` that lists its models when it has completed; None: it makes none.
        config: The member of the answer of `get` that names its configuration; None: it has none.
        references: The parameters that name another job, which is to have completed, with that one's kind.
        unfinished: The refusal of a start that names one which has not completed.
        make_id: Makes an id for one that is started without.
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


# The refusals are those of the Neptune User Guide's "Neptune ML management API errors and exceptions"; it has no words
# for a transform job that has not completed: these follow its words for a training job.
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
# A processing job makes a training strategy, a hyperparameter tuning job (HPO) trains models after it, and a transform
# job computes the artifacts of the best one: Neptune User Guide, "Training a model using Neptune ML". SageMaker allows
# 32 characters for a tuning job's name.
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
# `update` makes a creation the update of an endpoint that there is. Neither Neptune's guide nor the service model says
# what may be updated when: here, as in SageMaker, what is in service, or out of it. They do not say what an endpoint's
# `clean` deletes, either: it has no artifacts of its own here, so nothing. The guide says that an id which is not given
# is a timestamped name.
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
    """Return the kind of that name; raises a `ValueError` if there is none."""
    for kind in KINDS.values():
        if kind.name == name:
            return kind
    raise ValueError(f"{name!r} is not a kind: {', '.join(KINDS)}")
