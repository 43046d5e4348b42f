"""Inference endpoints: `CreateMLEndpoint` and its siblings.

`update` makes a creation the update of an endpoint that there is. Neither Neptune's guide nor the service model says
what may be updated when: here, as in SageMaker, what is in service, or out of it. They do not say what an endpoint's
`clean` deletes, either: it has no artifacts of its own here, so nothing. The guide says that an id which is not given
is a timestamped name.
"""

from __future__ import annotations

import secrets
import time
from types import MappingProxyType
from typing import Final

from simulator import lives
from simulator.kinds.kind import Kind, Phase, Structure
from simulator.kinds.references import TO_MODEL_TRAINING, TO_MODEL_TRANSFORM


def _timestamped() -> str:
    return f"{time.strftime('%Y-%m-%d-%H-%M-%S', time.gmtime())}-{secrets.token_hex(4)}"


ENDPOINTS: Final = Kind(
    name="endpoints",
    title="Endpoint",
    life=lives.ENDPOINT,
    body=Structure(
        MappingProxyType(
            {
                "id": str,
                "mlModelTrainingJobId": str,
                "mlModelTransformJobId": str,
                "update": bool,
                "neptuneIamRoleArn": str,
                "modelName": str,
                "instanceType": str,
                "instanceCount": int,
                "volumeEncryptionKMSKey": str,
            }
        )
    ),
    alternatives=(("mlModelTrainingJobId",), ("mlModelTransformJobId",)),
    phases=(Phase(member="endpoint", role="endpoint", resource="endpoint", log_group="Endpoints", artifact=None),),
    config="endpointConfig",
    references=MappingProxyType(
        {"mlModelTrainingJobId": TO_MODEL_TRAINING, "mlModelTransformJobId": TO_MODEL_TRANSFORM}
    ),
    make_id=_timestamped,
)
