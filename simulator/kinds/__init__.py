"""The kinds of Neptune ML's resources, as data: a row says all that one kind does differently from another.

Parameters and answers are those of botocore's service model `neptunedata`, 2023-08-01; a test holds them against it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from simulator.kinds.data_processing import DATA_PROCESSING
from simulator.kinds.endpoints import ENDPOINTS
from simulator.kinds.kind import KIND_NAMES, MAX_NAME, Kind, KindName, Phase, Structure
from simulator.kinds.model_training import MODEL_TRAINING
from simulator.kinds.model_transform import MODEL_TRANSFORM

if TYPE_CHECKING:
    from collections.abc import Mapping

KINDS: Final[Mapping[KindName, Kind]] = MappingProxyType(
    {kind.name: kind for kind in (DATA_PROCESSING, MODEL_TRAINING, MODEL_TRANSFORM, ENDPOINTS)}
)
"""All kinds, by their names."""

__all__ = [
    "DATA_PROCESSING",
    "ENDPOINTS",
    "KINDS",
    "KIND_NAMES",
    "MAX_NAME",
    "MODEL_TRAINING",
    "MODEL_TRANSFORM",
    "Kind",
    "KindName",
    "Phase",
    "Structure",
    "kind_named",
]


def kind_named(name: str) -> Kind:
    """Return the kind of that name.

    Raises:
        ValueError: If there is none.
    """
    for kind in KINDS.values():
        if kind.name == name:
            return kind
    raise ValueError(f"{name!r} is not a kind: {', '.join(KINDS)}")
