"""Which hosts the function may speak to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider.values import Endpoint

# Amazon Neptune Data API reference, endpoints: cluster and instance endpoints, and those of the China Regions.
_NEPTUNE = r".+\.neptune\.amazonaws\.com(\.cn)?"
# S3 in the commercial and GovCloud, the China and the European Sovereign Cloud partitions (botocore's partitions.json,
# dnsSuffix).
_S3_SUFFIX = r"\.amazonaws\.(com|com\.cn|eu)"


class Hosts(NamedTuple):
    """Hosts of one purpose; a pattern matches a whole host name in lower case, without a port.

    Attributes:
        own: Those of AWS, which are spoken to over HTTPS.
        more: Those that the operator allows besides, also over plain HTTP.
    """

    own: re.Pattern[str]
    more: re.Pattern[str]

    @classmethod
    def of_clusters(cls, more: Iterable[str] = ()) -> Self:
        """Make the hosts that an `Endpoint` may name.

        Args:
            more: Host names that the operator allows; one with a leading dot allows every host below it.

        Returns:
            Neptune's own hosts, and those.
        """
        return cls(re.compile(_NEPTUNE), _pattern(more))

    @classmethod
    def of_responses(cls, region: str, more: Iterable[str] = ()) -> Self:
        """Make the hosts that may be answered.

        A custom resource's function is in its stack's Region, and so is the bucket that takes its answers, whose name
        has the Region without dashes: of a bucket with another name nobody knows whose it is.

        Args:
            region: The function's Region.
            more: Host names that the operator allows; one with a leading dot allows every host below it.

        Returns:
            The hosts where CloudFormation takes the answers of the Region's custom resources, and those.
        """
        return cls(
            _bucket(f"cloudformation-custom-resource-response-{region.replace('-', '')}", region), _pattern(more)
        )

    @classmethod
    def of_signals(cls, region: str, more: Iterable[str] = ()) -> Self:
        """Make the hosts that may be signalled.

        The handles of a stack's wait conditions are in its Region, too, whose name the bucket's has as it is
        (CloudFormation User Guide, "Access CloudFormation using an interface endpoint").

        Args:
            region: The function's Region.
            more: Host names that the operator allows; one with a leading dot allows every host below it.

        Returns:
            The hosts where CloudFormation takes the signals of the Region's wait conditions, and those.
        """
        return cls(_bucket(f"cloudformation-waitcondition-{region}", region), _pattern(more))


def _bucket(name: str, region: str) -> re.Pattern[str]:
    """Match the hosts of a bucket in Amazon S3."""
    return re.compile(rf"{re.escape(name)}\.s3([.-]{re.escape(region)})?{_S3_SUFFIX}")


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Match any of the names; none of them matches nothing."""
    hosts = (f".+{re.escape(name)}" if name.startswith(".") else re.escape(name) for name in map(str.lower, names))
    return re.compile("|".join(hosts) or r"(?!)")


def problem_of(endpoint: Endpoint, clusters: Hosts) -> str:
    """Tell why the function may not speak to a cluster.

    Args:
        endpoint: The cluster.
        clusters: The hosts that an `Endpoint` may name.

    Returns:
        What the endpoint should be; empty if it is right.
    """
    if clusters.more.fullmatch(endpoint.host):
        return ""
    if not clusters.own.fullmatch(endpoint.host):
        return (
            "a host below .neptune.amazonaws.com or .neptune.amazonaws.com.cn; the provider's operator can allow "
            "others (its AllowedHosts parameter)."
        )
    if endpoint.scheme == "http":
        return "an https:// endpoint; http:// is only for hosts that the provider's AllowedHosts names."
    return ""
