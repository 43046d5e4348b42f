"""What starts a job of each kind, and no more than that takes."""

from __future__ import annotations

from simulator.kinds import KINDS
from simulator.model import OPERATIONS

STARTS = {
    name: {
        parameter: "s3://bucket/location" if parameter.endswith("S3Location") else "training-1"
        for parameter in (
            *getattr(OPERATIONS["POST", f"/ml/{name}"].input_shape, "required_members", ()),
            *min(kind.alternatives, key=len, default=()),
        )
    }
    for name, kind in KINDS.items()
}
