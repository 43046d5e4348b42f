"""Leave of botocore's data what the function needs: a fifth of the time to its first call went into reading the rest.

`src/Makefile` runs this on the package: `python prune.py DIRECTORY SERVICE...`. Other services go, and of those that
stay the documentation. They are written uncompressed, so that the same bytes come of every version of zlib.
"""

import gzip
import json
import shutil
import sys
from pathlib import Path
from typing import Any


def prune(data: Path, services: list[str]) -> None:
    """Prune botocore's data.

    Args:
        data: The directory `botocore/data` of the package.
        services: The services that the function calls, as botocore names their directories.
    """
    for service in data.iterdir():
        if service.is_dir() and service.name not in services:
            shutil.rmtree(service)
    for file in data.rglob("*.json.gz"):
        _write(file.with_suffix(""), json.loads(gzip.decompress(file.read_bytes()), object_hook=_without_documentation))
        file.unlink()
    endpoints = data / "endpoints.json"
    regions = json.loads(endpoints.read_text())
    for partition in regions["partitions"]:
        partition["services"] = {name: it for name, it in partition["services"].items() if name in services}
    _write(endpoints, regions)


def _without_documentation(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if name != "documentation" or not isinstance(value, str)}


def _write(file: Path, content: object) -> None:
    file.write_text(json.dumps(content, separators=(",", ":")))


if __name__ == "__main__":
    prune(Path(sys.argv[1]), sys.argv[2:])
