"""What there is to know of a kind of job; endpoints are one, too."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulator.kinds.references import Reference
    from simulator.lives import Life

KindName: TypeAlias = Literal["dataprocessing", "modeltraining", "modeltransform", "endpoints"]
"""A kind, as the URIs of its operations and the guide's commands have it."""

KIND_NAMES: Final[tuple[KindName, ...]] = get_args(KindName)
MAX_NAME: Final = 63
"""The most characters that most of SageMaker's names can have."""


@dataclass(frozen=True, slots=True)
class Structure:
    """The members of a JSON object.

    Attributes:
        members: Their types: `str`, `int`, `bool`, `list` (of strings), or another structure.
        required: Those that must be there.
    """

    members: Mapping[str, type | Structure]
    required: tuple[str, ...] = ()


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


def _uuid() -> str:
    return str(uuid.uuid4())


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of job.

    Attributes:
        name: Its name.
        title: What messages call one.
        life: Its statuses.
        body: The body of the request that starts one.
        alternatives: Of these parameters, those of one row are required.
        output: The parameter that says where its artifacts go; None: it has none.
        phases: What it is made of.
        models: The member of the answer of `get` that lists its models when it has completed; None: it makes none.
        config: The member of the answer of `get` that names its configuration; None: it has none.
        references: The parameters that name another job.
        make_id: Makes an id for one that is started without.
    """

    name: KindName
    title: str
    life: Life
    body: Structure
    alternatives: tuple[tuple[str, ...], ...] = ()
    output: str | None = None
    phases: tuple[Phase, ...]
    models: str | None = None
    config: str | None = None
    references: Mapping[str, Reference]
    make_id: Callable[[], str] = _uuid
