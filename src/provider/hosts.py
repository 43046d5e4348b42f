"""Which hosts the function may speak to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider.values import Endpoint

# AWS's partitions: how their Regions' names begin, and below which name all hosts of their services are (botocore's
# partitions.json). GovCloud's are those of the commercial partition.
PARTITIONS = {
    "": "amazonaws.com",
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}
"""The suffixes of AWS's host names, by the beginning of a Region's name."""


def _domain(prefix: str, suffix: str) -> str:
    """Match what follows `.neptune` in the hosts of a partition's clusters.

    Outside of the commercial partition the Region may come there, as it does in China. In that partition it does not,
    and any label would match `x.neptune.s3.amazonaws.com`, which is anybody's bucket.
    """
    region = rf"(\.{prefix}[a-z0-9-]+)?" if prefix else ""
    return rf"{region}\.{re.escape(suffix)}"


_NEPTUNE = rf".+\.neptune({'|'.join(_domain(prefix, suffix) for prefix, suffix in PARTITIONS.items())})"


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
    """Match the hosts of a Region's bucket in Amazon S3."""
    suffix = PARTITIONS[max(filter(region.startswith, PARTITIONS), key=len)]
    return re.compile(rf"{re.escape(name)}\.s3([.-]{re.escape(region)})?\.{re.escape(suffix)}")


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
            "a host under .neptune.amazonaws.com (or its equivalent in another AWS partition, such as "
            ".neptune.cn-north-1.amazonaws.com.cn); the provider's operator can allow others with its AllowedHosts "
            "parameter."
        )
    if endpoint.scheme == "http":
        return "an https:// endpoint; http:// is only for hosts in the provider's AllowedHosts parameter."
    return ""
