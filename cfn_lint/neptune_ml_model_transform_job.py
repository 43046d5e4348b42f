"""cfn-lint rules for `Custom::NeptuneMLModelTransformJob`: mistakes show before a deployment.

This file needs nothing but cfn-lint. Put it into a directory of its own and name that directory:

    cfn-lint --append-rules DIRECTORY -- template.yaml
"""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, NamedTuple

from cfnlint.rules import CloudFormationLintRule, RuleMatch  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from cfnlint.template import Template  # type: ignore[import-untyped]

RESOURCE_TYPE = "Custom::NeptuneMLModelTransformJob"

Path = list[str | int]


class Property(NamedTuple):
    """A property of the resource type.

    Attributes:
        type: Its CloudFormation type.
        required: Whether a template must give it.
        pattern: What every right value matches; empty if any text may be right.
        expected: What it should be, in words.
    """

    type: str
    required: bool
    pattern: str
    expected: str


# generated: rules (by `python -m tools.reference`, from the provider's own definition)
PROPERTIES = {
    "ServiceToken": Property(
        type="String",
        required=True,
        pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$",
        expected="the ARN of the provider function: the ServiceToken output of the provider's stack",
    ),
    "ServiceTimeout": Property(
        type="Integer",
        required=False,
        pattern=r"",
        expected="a whole number of seconds from 1 to 3600",
    ),
    "Endpoint": Property(
        type="String",
        required=True,
        pattern=r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
        expected="the Neptune cluster that runs the job: host, host:port or https://host:port",
    ),
    "Id": Property(
        type="String",
        required=True,
        pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
        expected="the id of the job, without white space, control characters or slashes; with the cluster's name it has at most 1,024 bytes",  # noqa: E501
    ),
    "NeptuneIamRoleArn": Property(
        type="String",
        required=False,
        pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
        expected="the ARN of the IAM role with which Neptune reaches SageMaker and Amazon S3, passed on to Neptune",
    ),
    "Clean": Property(
        type="Boolean",
        required=False,
        pattern=r"",
        expected="true or false",
    ),
    "WaitForStop": Property(
        type="Boolean",
        required=False,
        pattern=r"",
        expected="true or false",
    ),
}
ATTRIBUTES = ("Id", "Status", "OutputLocation", "BaseProcessingJobArn", "RemoteModelTransformJobArn")
MAX_SERVICE_TIMEOUT = 3600
# end of rules

_SUBSTITUTION = re.compile(r"\$\{\s*([^!\s}][^}]*?)\s*\}")


class NeptuneMLModelTransformJobProperties(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks the properties: their names, those that are missing, and every value that is written in the template."""

    id = "E9382"
    shortdesc = f"Properties of {RESOURCE_TYPE}"
    description = "Unknown and missing properties, and values that the provider would refuse"
    source_url = "https://docs.aws.amazon.com/neptune/latest/data-api/API_CancelMLModelTransformJob.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every resource of the type.

        Args:
            cfn: The template.

        Returns:
            What is wrong.
        """
        matches = []
        for logical_id, resource in cfn.get_resources(RESOURCE_TYPE).items():
            properties = resource.get("Properties", {})
            if isinstance(properties, dict):  # cfn-lint itself reports what is no map
                path: Path = ["Resources", logical_id]
                matches += [RuleMatch(path, message) for message in _missing(properties)]
                matches += [RuleMatch([*path, "Properties", *where], what) for where, what in _wrong(properties)]
        return matches


class NeptuneMLModelTransformJobAttributes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks that `Fn::GetAtt` and `Fn::Sub` name attributes that the resource type has."""

    id = "E9182"
    shortdesc = f"Attributes of {RESOURCE_TYPE}"
    description = "Fn::GetAtt of an attribute that the resource does not have"
    source_url = "https://docs.aws.amazon.com/neptune/latest/data-api/API_GetMLModelTransformJob.html"
    tags = ("functions", "getatt", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every use of an attribute.

        Args:
            cfn: The template.

        Returns:
            What is wrong.
        """
        jobs = cfn.get_resources(RESOURCE_TYPE)
        return [
            RuleMatch(path, f"{attribute!r} is not an attribute of {RESOURCE_TYPE}; {_hint(attribute, ATTRIBUTES)}")
            for path, logical_id, attribute in _used_attributes(cfn)
            if logical_id in jobs and attribute not in ATTRIBUTES
        ]


def _missing(properties: dict[str, object]) -> Iterator[str]:
    if any(name.startswith("Fn::") for name in properties):  # a macro, a loop: there may be more
        return
    for name, definition in PROPERTIES.items():
        if definition.required and properties.get(name, {"Ref": "AWS::NoValue"}) == {"Ref": "AWS::NoValue"}:
            yield f"{name} is missing; {RESOURCE_TYPE} requires it"


def _wrong(properties: dict[str, object]) -> Iterator[tuple[Path, str]]:
    for name, value in properties.items():
        definition = PROPERTIES.get(name)
        if definition:
            for where, literal in _literals(value):
                if not _is_right(definition, literal):
                    yield [name, *where], f"{name} is {_shown(literal)}; it should be {definition.expected}"
        elif not name.startswith("Fn::"):
            yield [name], f"{name!r} is not a property of {RESOURCE_TYPE}; {_hint(name, PROPERTIES)}"


def _literals(value: object) -> Iterator[tuple[Path, object]]:
    """What a value is known to be; only `Fn::If` is looked into, for what it is made of stands in the template."""
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        if function == "Fn::If" and isinstance(argument, list):
            for index, branch in enumerate(argument[1:], start=1):
                for where, literal in _literals(branch):
                    yield [function, index, *where], literal
            return
        if function == "Ref" or str(function).startswith("Fn::"):
            return
    if value is not None and "{{resolve:" not in str(value):  # cfn-lint itself reports null
        yield [], value


def _is_right(definition: Property, literal: object) -> bool:
    if not isinstance(literal, (str, int, float)):  # a map or a list
        return False
    text = str(literal)  # CloudFormation sends every scalar as a string
    if definition.type == "Boolean":
        return text.lower() in ("true", "false")
    if definition.type == "Integer":
        return re.fullmatch("0*[1-9][0-9]{0,3}", text) is not None and int(text) <= MAX_SERVICE_TIMEOUT
    return re.fullmatch(definition.pattern or ".+", text, re.DOTALL) is not None


def _used_attributes(cfn: Template) -> Iterator[tuple[Path, str, str]]:
    """Every `Fn::GetAtt` and its like in `Fn::Sub`: where it stands, the resource and the attribute."""
    for *path, value in cfn.search_deep_keys("Fn::GetAtt"):
        parts = value.split(".", 1) if isinstance(value, str) else value
        if isinstance(parts, list) and len(parts) > 1 and all(isinstance(part, str) for part in parts):
            yield path, parts[0], ".".join(parts[1:])
    for *path, value in cfn.search_deep_keys("Fn::Sub"):
        text, names = value if isinstance(value, list) and len(value) == 2 else (value, {})  # noqa: PLR2004
        for used in _SUBSTITUTION.findall(text) if isinstance(text, str) else ():
            logical_id, dot, attribute = used.partition(".")
            if dot and used not in names:
                yield path, logical_id, attribute


def _hint(name: str, known: Iterable[str]) -> str:
    lower = {candidate.lower(): candidate for candidate in known}
    nearest: Sequence[str] = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f"did you mean {lower[nearest[0]]}?" if nearest else f"it has {', '.join(lower.values())}"


def _shown(literal: object) -> str:
    if isinstance(literal, (dict, list)):
        return "a map" if isinstance(literal, dict) else "a list"
    return repr(str(literal))
