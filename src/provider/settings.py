"""What the operator set when deploying the provider: the template's parameters, as environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Settings:
    """The provider's settings.

    Attributes:
        region: The function's AWS Region.
        default_endpoint: The cluster of a resource that names none; empty for no default.
        allowed_hosts: Hosts that the function may speak to besides AWS's own; a leading dot allows every host below.
        neptune_resource_arn: What the function's policy lets it use in Neptune, for messages.
        poll_rule_prefix: How the names of the function's EventBridge rules begin.
        is_local: Whether `sam local invoke` runs the function: a person waits, and nobody delivers an event again.
    """

    region: str
    default_endpoint: str
    allowed_hosts: tuple[str, ...]
    neptune_resource_arn: str
    poll_rule_prefix: str
    is_local: bool = False

    @property
    def answer_pauses(self) -> tuple[float, ...]:
        """How long to wait before each further attempt to deliver an answer, in seconds."""
        return () if self.is_local else (0.5, 1.0, 2.0, 4.0)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings.

        Args:
            environment: The environment variables that `template.yaml` sets, and `AWS_REGION`, which Lambda sets.

        Returns:
            The settings, with the template's defaults for what is missing.
        """
        region = environment.get("AWS_REGION") or "us-east-1"
        return cls(
            region=region,
            default_endpoint=environment.get("DEFAULT_ENDPOINT", "").strip(),
            allowed_hosts=tuple(
                filter(None, (host.strip() for host in environment.get("ALLOWED_HOSTS", "").split(",")))
            ),
            neptune_resource_arn=environment.get("NEPTUNE_RESOURCE_ARN") or f"arn:aws:neptune-db:{region}:*:*/*",
            poll_rule_prefix=environment.get("POLL_RULE_PREFIX") or "neptune-ml-transform-",
            is_local=environment.get("AWS_SAM_LOCAL") == "true",
        )
