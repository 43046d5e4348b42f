"""Take out of botocore's data what the function does not read: parsing it was a fifth of the time to its first call.

`src/Makefile` runs this on the package. The documentation goes, and the endpoints of services that the package does not
have. What stays is written uncompressed, so that its bytes do not depend on a version of zlib.
"""

import gzip
import json
import sys
from pathlib import Path
from typing import Any


def prune(data: Path) -> None:
    """Prune botocore's data.

    Args:
        data: The directory `botocore/data` of the package, with the services that it needs.
    """
    for file in data.rglob("*.json.gz"):
        _write(file.with_suffix(""), json.loads(gzip.decompress(file.read_bytes()), object_hook=_without_documentation))
        file.unlink()
    endpoints = data / "endpoints.json"
    regions = json.loads(endpoints.read_text())
    for partition in regions["partitions"]:
        partition["services"] = {name: it for name, it in partition["services"].items() if (data / name).is_dir()}
    _write(endpoints, regions)


def _without_documentation(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != "documentation" or not isinstance(value, str)}


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    prune(Path(sys.argv[1]))
