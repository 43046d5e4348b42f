"""The resource's properties: the one definition that parses, validates and documents them.

The names are the Neptune Data API's parameters (`CancelMLModelTransformJob`) in CloudFormation's spelling.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from provider.hosts import NEPTUNE_HOSTS, is_allowed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

RESOURCE_TYPE = "Custom::NeptuneMLModelTransformJob"
DEFAULT_PORT = 8182
MAX_ID_BYTES = 1024  # CloudFormation's limit of a physical resource id
MAX_SERVICE_TIMEOUT = 3600

_SHOWN_CHARACTERS = 80
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.I | re.A
)
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:\S+")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs")  # control, format and unpaired surrogate characters


class InvalidProperties(ValueError):
    """The properties of a resource are wrong; the message says which, what they hold and what they should hold."""


@dataclass(frozen=True)
class Endpoint:
    """Where a cluster is reached.

    Attributes:
        scheme: `https`, or `http` for a host that the operator allowed.
        host: The host name, in lower case.
        port: The TCP port.
    """

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The endpoint as boto3's `endpoint_url`."""
        return f"{self.scheme}://{self.host}:{self.port}"


@dataclass(frozen=True)
class Operator:
    """What the provider's operator lays down for every resource.

    Attributes:
        default_endpoint: The `Endpoint` of a resource that has none; empty if there is no default.
        allowed_hosts: Hosts besides Neptune's own that an `Endpoint` may name.
    """

    default_endpoint: str = ""
    allowed_hosts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Property:
    """The definition of one property.

    Attributes:
        name: As written in a template.
        type: Its CloudFormation type.
        parse: Turns what CloudFormation sent into the value, or raises `ValueError` with what it should be.
        update: What a change of it means for the resource.
        description: For the reference page.
        required: Whether a template must give it.
        default: What the reference page says of a template that does not give it.
        pattern: A regular expression that every right value matches, for checks before a deployment.
        used_by_delete: Whether a Delete needs it; what it does not need must not block the deletion of a stack.
    """

    name: str
    type: Literal["String", "Boolean", "Integer"]
    parse: Callable[[object, Operator], Any]
    update: Literal["No interruption", "Replacement", "Not supported"]
    description: str
    required: bool = False
    default: str = ""
    pattern: str = ""
    used_by_delete: bool = True


def _string(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError("a non-empty string")


def _boolean(value: object, _: Operator) -> bool:
    text = str(value).lower() if isinstance(value, (str, bool)) else ""
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def _service_timeout(value: object, _: Operator) -> int:
    text = str(value) if isinstance(value, (str, int)) else ""
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MAX_SERVICE_TIMEOUT:
        raise ValueError(f"a whole number of seconds from 1 to {MAX_SERVICE_TIMEOUT}")
    return int(text)


def _id(value: object, _: Operator) -> str:
    text = _string(value)
    hidden = any(character.isspace() or unicodedata.category(character) in _HIDDEN_CATEGORIES for character in text)
    if hidden or "/" in text or "\\" in text or text in (".", ".."):
        raise ValueError("a job id without white space, control characters and slashes, and neither '.' nor '..'")
    if len(text.encode()) > MAX_ID_BYTES:
        raise ValueError(f"a job id of at most {MAX_ID_BYTES:,} bytes (it has {len(text.encode()):,})")
    return text


def _arn(value: object, _: Operator) -> str:
    text = _string(value)
    if not _ARN.fullmatch(text):
        raise ValueError("an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name")
    return text


def _role_arn(value: object, _: Operator) -> str:
    text = _string(value)
    if not _ROLE_ARN.fullmatch(text):
        raise ValueError("the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML")
    return text


def _endpoint(value: object, operator: Operator) -> Endpoint:
    form = "host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint"
    text = _string(value)
    scheme, separator, rest = text.rpartition("://")
    scheme = scheme.lower() if separator else "https"
    try:
        split = urlsplit(f"//{rest}")
        host, port = (split.hostname or "").lower(), split.port
    except ValueError:
        raise ValueError(form) from None
    if port is None:
        port = DEFAULT_PORT
    written = f"{host}:{port}" if ":" in rest else host
    if scheme not in ("https", "http") or rest.lower() != written or not _HOST_NAME.fullmatch(host) or port < 1:
        raise ValueError(form)
    if is_allowed(host, operator.allowed_hosts):
        return Endpoint(scheme, host, port)
    if not is_allowed(host, NEPTUNE_HOSTS):
        raise ValueError(
            "a host below .neptune.amazonaws.com or .neptune.amazonaws.com.cn; "
            "the provider's operator can allow others (its AllowedHosts parameter)"
        )
    if scheme == "http":
        raise ValueError("an https:// endpoint; http:// is only for hosts that the provider's AllowedHosts names")
    return Endpoint(scheme, host, port)


def _property(name: str, **definition: Any) -> Any:  # noqa: ANN401 - the field's own annotation gives its type
    return field(metadata={"property": Property(name=name, **definition)})


@dataclass(frozen=True, kw_only=True)
class Properties:
    """A resource's properties, validated.

    Attributes:
        service_token: The provider function, which CloudFormation invokes.
        service_timeout: CloudFormation's time limit for one operation, in seconds.
        endpoint: The cluster.
        id: The model transform job's id.
        neptune_iam_role_arn: The role that Neptune is to use; `None` for the cluster's own.
        clean: Whether cancelling the job deletes its Neptune ML artifacts in S3.
        wait_for_stop: Whether a deletion is answered only when the job has stopped.
    """

    service_token: str = _property(
        "ServiceToken",
        type="String",
        parse=_arn,
        update="Not supported",
        required=True,
        pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$",
        used_by_delete=False,
        description="The ARN of the provider function: the `ServiceToken` output of the provider's stack.",
    )
    service_timeout: int = _property(
        "ServiceTimeout",
        type="Integer",
        parse=_service_timeout,
        update="No interruption",
        default="3600",
        used_by_delete=False,
        description=(
            "The longest that one operation on this resource may take, in seconds, from 1 to 3600. "
            "A job that has not stopped by then fails the deletion, which can be retried."
        ),
    )
    endpoint: Endpoint = _property(  # noqa: RUF009 - a field, given its metadata
        "Endpoint",
        type="String",
        parse=_endpoint,
        update="No interruption",
        default="the provider's `DefaultEndpoint`; required if it has none",
        pattern=r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
        description=(
            "The Neptune cluster that runs the job: `host`, `host:port` or `https://host:port`. "
            "The port is 8182 if none is given. `!GetAtt Cluster.Endpoint` fits."
        ),
    )
    id: str = _property(
        "Id",
        type="String",
        parse=_id,
        update="Replacement",
        required=True,
        pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
        description=(
            "The id of the model transform job: at most 1,024 bytes, without white space, control characters or "
            "slashes. The job must exist when the resource is created."
        ),
    )
    neptune_iam_role_arn: str | None = _property(
        "NeptuneIamRoleArn",
        type="String",
        parse=_role_arn,
        update="No interruption",
        default="the role that the cluster's parameter group names",
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
        description="The ARN of the IAM role with which Neptune reaches SageMaker and Amazon S3, passed on to Neptune.",
    )
    clean: bool = _property(
        "Clean",
        type="Boolean",
        parse=_boolean,
        update="No interruption",
        default="false",
        description="Whether cancelling the job also deletes its Neptune ML artifacts in Amazon S3.",
    )
    wait_for_stop: bool = _property(
        "WaitForStop",
        type="Boolean",
        parse=_boolean,
        update="No interruption",
        default="true",
        description=(
            "Whether a deletion succeeds only when the job has stopped. "
            "With `false` it succeeds as soon as Neptune has accepted the cancellation."
        ),
    )


_DEFINITIONS: Mapping[str, Property] = {
    attribute.name: attribute.metadata["property"] for attribute in fields(Properties)
}
_DEFAULTS: Mapping[str, object] = {
    "service_token": "",
    "service_timeout": MAX_SERVICE_TIMEOUT,
    "neptune_iam_role_arn": None,
    "clean": False,
    "wait_for_stop": True,
}


def definitions() -> Sequence[Property]:
    """Return the definition of every property, in the order of the reference page."""
    return tuple(_DEFINITIONS.values())


def parse(raw: Mapping[str, object], operator: Operator) -> Properties:
    """Validate the properties of a resource that is created or updated.

    Args:
        raw: `ResourceProperties` as CloudFormation sends them: every scalar a string. Real booleans and numbers are
            taken too.
        operator: What the provider's operator laid down.

    Returns:
        The validated properties.

    Raises:
        InvalidProperties: A property is missing, unknown or wrong. The message names all of them.
    """
    known = [definition.name for definition in _DEFINITIONS.values()]
    unknown = [_unknown(name, known) for name in raw if name not in known]
    return _parse(raw, operator, tuple(_DEFINITIONS), unknown)


def parse_for_delete(raw: Mapping[str, object], operator: Operator) -> Properties:
    """Validate only what a Delete uses, so that nothing else can block the deletion of a stack.

    Args:
        raw: `ResourceProperties` as CloudFormation sends them.
        operator: What the provider's operator laid down.

    Returns:
        The properties; those that a Delete does not use have their defaults.

    Raises:
        InvalidProperties: A property that the Delete needs is missing or wrong.
    """
    return _parse(raw, operator, [name for name, it in _DEFINITIONS.items() if it.used_by_delete], [])


def _parse(raw: Mapping[str, object], operator: Operator, attributes: Sequence[str], problems: list[str]) -> Properties:
    values = dict(_DEFAULTS)
    for attribute in attributes:
        definition = _DEFINITIONS[attribute]
        value = raw.get(definition.name)
        if definition.name == "Endpoint" and value is None:
            value = operator.default_endpoint or None
        if value is None:
            if attribute not in _DEFAULTS or definition.required:
                problems.append(_missing(definition))
            continue
        try:
            values[attribute] = definition.parse(value, operator)
        except ValueError as error:
            problems.append(f"{definition.name} is {_shown(value)}; it should be {error}.")
    if problems:
        raise InvalidProperties(" ".join(problems))
    return Properties(**values)  # type: ignore[arg-type] # each value was parsed for its field


def _missing(definition: Property) -> str:
    if definition.name == "Endpoint":
        return (
            "Endpoint is missing, and the provider has no default; it should be !GetAtt Cluster.Endpoint, for example."
        )
    return f"{definition.name} is missing; {RESOURCE_TYPE} requires it."


def _unknown(name: str, known: Sequence[str]) -> str:
    lower = {candidate.lower(): candidate for candidate in known}
    nearest = difflib.get_close_matches(name[:_SHOWN_CHARACTERS].lower(), lower, n=1, cutoff=0.5)
    hint = f"did you mean {lower[nearest[0]]}?" if nearest else f"it has {', '.join(known)}."
    return f"{_shown(name)} is not a property of {RESOURCE_TYPE}; {hint}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        text = ascii(value) if any(unicodedata.category(c) in _HIDDEN_CATEGORIES for c in value) else f"'{value}'"
        return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}...'"
    if isinstance(value, (dict, list)):
        return "a map" if isinstance(value, dict) else "a list"
    return repr(value)[:_SHOWN_CHARACTERS]
