"""The hosts that the function may connect to."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Self

if TYPE_CHECKING:
    from collections.abc import Iterable

    from provider.values import Endpoint

# From botocore's partitions.json. GovCloud has the suffix of the commercial partition.
PARTITIONS = {
    "": "amazonaws.com",
    "cn-": "amazonaws.com.cn",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eu-isoe-": "cloud.adc-e.uk",
    "us-isof-": "csp.hci.ic.gov",
}
"""The suffix of the host names in each of AWS's partitions, by the beginning of its Regions' names."""


def _domain(prefix: str, suffix: str) -> str:
    """Match what follows `.neptune` in the host names of a partition's clusters.

    Outside the commercial partition, the Region may come first, as in China. Inside, any label would also match
    `x.neptune.s3.amazonaws.com`, a bucket that anyone may own.
    """
    region = rf"(\.{prefix}[a-z0-9-]+)?" if prefix else ""
    return rf"{region}\.{re.escape(suffix)}"


_NEPTUNE = rf".+\.neptune({'|'.join(_domain(prefix, suffix) for prefix, suffix in PARTITIONS.items())})"


class Hosts(NamedTuple):
    """The allowed hosts for one purpose. A pattern matches a whole host name in lower case, without a port.

    Attributes:
        own: AWS's own hosts, over HTTPS only.
        more: The hosts that the operator also allows, over HTTPS or plain HTTP.
    """

    own: re.Pattern[str]
    more: re.Pattern[str]

    @classmethod
    def of_clusters(cls, more: Iterable[str] = ()) -> Self:
        """Return the hosts that an `Endpoint` may name: Neptune's own, and more.

        Args:
            more: Host names that the operator allows. A name with a leading dot allows every host under it.
        """
        return cls(re.compile(_NEPTUNE), _pattern(more))

    @classmethod
    def of_responses(cls, region: str, more: Iterable[str] = ()) -> Self:
        """Return the hosts that accept the responses of a Region's custom resources.

        A custom resource's function is in its stack's Region. So is CloudFormation's bucket for responses, whose name
        contains the Region without dashes. Anyone may own a bucket with another name.

        Args:
            region: The function's Region.
            more: Host names that the operator allows. A name with a leading dot allows every host under it.
        """
        return cls(
            _bucket(f"cloudformation-custom-resource-response-{region.replace('-', '')}", region), _pattern(more)
        )

    @classmethod
    def of_signals(cls, region: str, more: Iterable[str] = ()) -> Self:
        """Return the hosts that accept the signals of a Region's wait conditions.

        The name of CloudFormation's bucket for signals contains the Region, with dashes (CloudFormation User Guide,
        "Access CloudFormation using an interface endpoint").

        Args:
            region: The function's Region.
            more: Host names that the operator allows. A name with a leading dot allows every host under it.
        """
        return cls(_bucket(f"cloudformation-waitcondition-{region}", region), _pattern(more))


def _bucket(name: str, region: str) -> re.Pattern[str]:
    """Match the host names of a bucket in a Region of Amazon S3."""
    suffix = PARTITIONS[max(filter(region.startswith, PARTITIONS), key=len)]
    return re.compile(rf"{re.escape(name)}\.s3([.-]{re.escape(region)})?\.{re.escape(suffix)}")


def _pattern(names: Iterable[str]) -> re.Pattern[str]:
    """Match any of the names; without names, match nothing."""
    hosts = (f".+{re.escape(name)}" if name.startswith(".") else re.escape(name) for name in map(str.lower, names))
    return re.compile("|".join(hosts) or r"(?!)")


def problem_of(endpoint: Endpoint, clusters: Hosts) -> str:
    """Return what an endpoint should be; empty if the function may connect to it.

    Args:
        endpoint: The endpoint.
        clusters: The hosts that an `Endpoint` may name.
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
