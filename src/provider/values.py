"""The types of property values, and how to read each from what CloudFormation sends."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

T_co = TypeVar("T_co", covariant=True)

DEFAULT_PORT = 8182
LONGEST_TIMEOUT_SECONDS = 3600
A_HANDLE = "the Ref of an AWS::CloudFormation::WaitConditionHandle"
HIDDEN_CATEGORIES = ("Cc", "Cf", "Cs")  # control, format and unpaired surrogate characters

_HOST_NAME = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:\S+")
_ROLE_ARN = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+")
_S3_URL = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?")
_LARGEST_INTEGER = 2**31 - 1  # of the Neptune Data API


class ValueType(NamedTuple, Generic[T_co]):
    """A type of values.

    Attributes:
        name: Its CloudFormation name.
        parse: Converts what CloudFormation sent, where every scalar is a string. Raises `ValueError`, whose message
            says what the value should be.
        pattern: A regular expression that every valid value matches, for checks before a deployment.
    """

    name: Literal["String", "Boolean", "Integer", "Array of String", "Map"]
    parse: Callable[[object], T_co]
    pattern: str = ""


class Endpoint(NamedTuple):
    """The address of a cluster.

    Attributes:
        scheme: `https`, or `http` for a host that the operator allowed.
        host: The host name, in lower case.
        port: The TCP port.
    """

    scheme: str
    host: str
    port: int


def _string(value: object) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError("a non-empty string")


def _boolean(value: object) -> bool:
    text = str(value).lower() if isinstance(value, (str, bool)) else ""
    if text not in ("true", "false"):
        raise ValueError("true or false")
    return text == "true"


def _time_limit(value: object) -> int:
    digits = str(value).lstrip("0") if isinstance(value, (str, int)) else ""
    if not re.fullmatch(r"[0-9]{1,4}", digits) or int(digits) > LONGEST_TIMEOUT_SECONDS:
        raise ValueError(f"a whole number of seconds from 1 to {LONGEST_TIMEOUT_SECONDS}")
    return int(digits)


def _integer(value: object, least: int = 0) -> int:
    digits = str(value) if isinstance(value, (str, int)) else ""
    if not re.fullmatch(r"[0-9]{1,10}", digits) or not least <= int(digits) <= _LARGEST_INTEGER:
        raise ValueError(f"a whole number from {least} to {_LARGEST_INTEGER}")
    return int(digits)


def _count(value: object) -> int:
    return _integer(value, least=1)


def _strings(value: object) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not value or not all(isinstance(it, str) and it for it in value):
        raise ValueError("a list of one or more non-empty strings")
    return tuple(value)


def _map(value: object) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise ValueError("a map")


def _s3_url(value: object) -> str:
    text = _string(value)
    if not _S3_URL.fullmatch(text):
        raise ValueError("an S3 location, such as s3://bucket/folder")
    return text


def _job_id(value: object) -> str:
    text = _string(value)
    hidden = any(character.isspace() or unicodedata.category(character) in HIDDEN_CATEGORIES for character in text)
    if hidden or "/" in text or "\\" in text or text in (".", ".."):
        raise ValueError("an ID as Neptune lists it, without whitespace, control characters or slashes")
    return text


def _arn(value: object) -> str:
    text = _string(value)
    if not _ARN.fullmatch(text):
        raise ValueError("an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name")
    return text


def _role_arn(value: object) -> str:
    text = _string(value)
    if not _ROLE_ARN.fullmatch(text):
        raise ValueError("the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML")
    return text


def _instance_type(value: object) -> str:
    text = _string(value)
    if not re.fullmatch(r"ml\.\S+", text):
        raise ValueError("an Amazon SageMaker instance type, such as ml.r5.xlarge")
    return text


def _handle(value: object) -> str:
    if not isinstance(value, str) or not value.startswith(("https://", "http://")):
        raise ValueError(A_HANDLE)
    return value


def _endpoint(value: object) -> Endpoint:
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
    return Endpoint(scheme, host, port)


STRING = ValueType("String", _string)
BOOLEAN = ValueType("Boolean", _boolean)
INTEGER = ValueType("Integer", _integer, r"^[0-9]{1,10}$")
COUNT = ValueType("Integer", _count, r"^[0-9]{1,10}$")
STRINGS = ValueType("Array of String", _strings)
MAP = ValueType("Map", _map)
S3_URL = ValueType("String", _s3_url, r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$")
TIMEOUT = ValueType("Integer", _time_limit)
JOB_ID = ValueType("String", _job_id, r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$")
ARN = ValueType("String", _arn, r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$")
ROLE_ARN = ValueType("String", _role_arn, r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$")
INSTANCE_TYPE = ValueType("String", _instance_type, r"^ml\.\S+$")
HANDLE = ValueType("String", _handle, r"^https?://\S+$")
ENDPOINT = ValueType(
    "String", _endpoint, r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?$"
)
