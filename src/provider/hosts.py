"""Which hosts the function may speak to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

# Amazon Neptune Data API reference, endpoints: cluster and instance endpoints, and those of the China Regions.
NEPTUNE_HOSTS = (".neptune.amazonaws.com", ".neptune.amazonaws.com.cn")

# Where CloudFormation's pre-signed response URLs point: S3 in the commercial and GovCloud, the China and the European
# Sovereign Cloud partitions (botocore's partitions.json, dnsSuffix).
RESPONSE_HOSTS = (".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu")


def is_allowed(host: str, allowed: Iterable[str]) -> bool:
    """Tell whether a host is one of the allowed ones.

    Args:
        host: A host name in any letter case, without a port.
        allowed: Host names; one with a leading dot allows every host below it.

    Returns:
        Whether one of `allowed` covers the host.
    """
    host = host.lower()
    return any(
        host.endswith(name) and len(host) > len(name) if name.startswith(".") else host == name
        for name in map(str.lower, allowed)
    )
