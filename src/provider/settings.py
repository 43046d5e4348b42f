"""The settings of a deployed provider: the template's parameters, which the function has as environment variables."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from provider.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Mapping


class Settings(NamedTuple):
    """The provider's settings.

    Attributes:
        region: The function's AWS Region.
        clusters: The hosts that an `Endpoint` may name.
        responses: The hosts that accept responses.
        signals: The hosts that accept signals.
        neptune_resource_arn: The Neptune resources that the function's policy allows, for messages.
        waiting_queue_url: The URL of the queue in which requests wait; empty if there is none.
        journal_table: The name of the journal's table; empty if there is none.
        kinds: The names of the allowed resource types, without `Custom::NeptuneML`; empty if all are allowed.
        may_start: Whether the provider may start jobs, rather than only adopt existing ones.
        answer_pauses: The pauses before each further attempt to deliver a response, in seconds.
        is_local: Whether `sam local invoke` runs the function. Then a person is waiting, and no event is redelivered.
    """

    region: str
    clusters: Hosts
    responses: Hosts
    signals: Hosts
    neptune_resource_arn: str
    waiting_queue_url: str
    journal_table: str
    kinds: frozenset[str]
    may_start: bool
    answer_pauses: tuple[float, ...]
    is_local: bool

    def provides(self, resource_type: str) -> bool:
        """Tell whether the operator allows a resource type, `Custom::...`."""
        return not self.kinds or resource_type.removeprefix("Custom::NeptuneML") in self.kinds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings, with the template's defaults for those that are missing.

        Args:
            environment: The environment variables that `template.yaml` sets, and `AWS_REGION`, which Lambda sets.
        """
        region = environment.get("AWS_REGION") or "us-east-1"
        is_local = environment.get("AWS_SAM_LOCAL") == "true"
        stand_ins = _names(environment.get("RESPONSE_HOSTS"))
        return cls(
            region=region,
            clusters=Hosts.of_clusters(_names(environment.get("ALLOWED_HOSTS"))),
            responses=Hosts.of_responses(region, stand_ins),
            signals=Hosts.of_signals(region, stand_ins),
            neptune_resource_arn=environment.get("NEPTUNE_RESOURCE_ARN") or f"arn:aws:neptune-db:{region}:*:*/*",
            # SAM sets this to the logical ID of the queue.
            waiting_queue_url="" if is_local else environment.get("WAITING_QUEUE_URL", ""),
            journal_table=environment.get("JOURNAL_TABLE", ""),
            kinds=frozenset(_names(environment.get("KINDS"))),
            may_start=environment.get("START_JOBS") == "true",
            answer_pauses=() if is_local else (0.5, 1.0, 2.0, 4.0),
            is_local=is_local,
        )


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]
