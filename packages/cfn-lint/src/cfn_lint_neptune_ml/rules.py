"""cfn-lint rules for the resource types of Amazon Neptune ML, which cfn-lint loads by this module's name.

The JSON schemas beside this module say what is right, and cfn-lint's own validator finds what is not. These rules add
what only a template shows: the nearest name, what a condition leaves out, attributes, and types that are nearly these.
"""

from __future__ import annotations

import difflib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from cfnlint.helpers import FUNCTIONS  # type: ignore[import-untyped]
from cfnlint.rules import CloudFormationLintRule, RuleMatch  # type: ignore[import-untyped]
from cfnlint.rules.jsonschema.CfnLintJsonSchema import CfnLintJsonSchema  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cfnlint.jsonschema import ValidationError, Validator  # type: ignore[import-untyped]
    from cfnlint.template import Template  # type: ignore[import-untyped]

_FILES = (it for it in files(__package__).joinpath("schemas").iterdir() if it.name.endswith(".json"))
SCHEMAS: Mapping[str, Any] = {it["typeName"]: it for it in (json.loads(file.read_text()) for file in _FILES)}
"""The schemas of the resource types, by their names."""

_TOGETHER = ("required", "if", "then", "else", "allOf")  # what a schema says of several properties at once
_SUBSTITUTION = re.compile(r"\$\{\s*([^!\s}][^}]*?)\s*\}")
# The export and the function of a provider whose stack has its usual name.
_PROVIDERS = re.compile(r"neptune-ml-provider-(ServiceToken|Provider-)")
# Other letter case, other separators and a missing word are this near; a resource about such a job is not.
_NEAR = 0.885


class NeptuneMLProperties(CfnLintJsonSchema):  # type: ignore[misc] # cfn-lint has no types
    """Checks the properties against the schema of their resource type."""

    id = "E9382"
    shortdesc = "Properties of Amazon Neptune ML resources"
    description = "Unknown and missing properties, and values that the provider would refuse"
    source_url = "https://docs.aws.amazon.com/neptune/latest/data-api/API_Operations.html"
    tags = ("resources", "neptune")

    def __init__(self) -> None:
        super().__init__(keywords=["Resources/*"], all_matches=True)

    def validate(
        self,
        validator: Validator,
        _keywords: object,
        instance: Any,  # noqa: ANN401 - a template's part
        _schema: object,
    ) -> Iterator[ValidationError]:
        """Check a resource; called by cfn-lint.

        Args:
            validator: cfn-lint's validator, which knows the template.
            instance: The resource.

        Yields:
            What is wrong.
        """
        schema = SCHEMAS.get(str(instance.get("Type"))) if isinstance(instance, dict) else None
        properties = instance.get("Properties", {}) if schema else None
        if schema is None or not isinstance(properties, dict):  # cfn-lint itself reports what is no map
            return
        context = validator.context.evolve(
            functions=list(FUNCTIONS), strict_types=False, path=validator.context.path.descend(path="Properties")
        )
        alone = {name: it for name, it in schema.items() if name not in _TOGETHER}
        together = {name: it for name, it in schema.items() if name in _TOGETHER}
        errors = [*self.extend_validator(validator, alone, context).iter_errors(properties)]
        for scenario in validator.cfn.get_object_without_conditions(properties, list(properties)):
            given = scenario["Object"]
            if not _may_become_another(given) and given.keys() <= schema["properties"].keys():  # else one is mistyped
                errors += self.extend_validator(validator, together, context).iter_errors(given)
        seen = set()
        for error in errors:
            place = ("Properties", *error.path)
            message = _message(error, schema["typeName"])
            # A parameter's default is no deployment's value; what has a rule is cfn-lint's own finding.
            is_certain = not (getattr(error, "unknown", False) or "Ref" in place or error.rule)
            is_certain = is_certain and not (error.validator == "required" and _may_become_another(error.instance))
            if is_certain and (place, message) not in seen:
                seen.add((place, message))
                error.path.appendleft("Properties")
                error.message, error.rule, error.context = message, self, []
                yield error


def _message(error: ValidationError, resource_type: str) -> str:
    names = [resource_type, *(it for it in error.path if isinstance(it, str) and not it.startswith("Fn::"))]
    if error.validator == "additionalProperties":
        return f"{names[-1]!r} is not a property of {names[-2]}; {_hint(names[-1], error.schema['properties'])}"
    comment = error.schema.get("$comment", "")
    if not comment or error.validator in ("required", "dependencies"):
        return str(error.message)
    if len(names) == 1:
        return str(comment)
    kinds = ((dict, "a map"), (list, "a list"), (object, repr(str(error.instance))))
    value = next(words for of, words in kinds if isinstance(error.instance, of))
    return f"{names[-1]} is {value}; it should be {comment}."


def _may_become_another(properties: Mapping[str, object]) -> bool:
    """Tell whether a macro may add properties, or a function leave one out."""
    written = json.dumps(list(properties.values()), default=str)
    return any(name.startswith("Fn::") for name in properties) or bool(re.search("Fn::Transform|AWS::NoValue", written))


class NeptuneMLClusterEndpoint(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Warns of an `Endpoint` that the provider refuses, unless its operator has allowed the host."""

    id = "W9382"
    shortdesc = "Endpoint of Amazon Neptune ML resources"
    description = "Hosts that the provider refuses, unless its operator has allowed them"
    source_url = "https://docs.aws.amazon.com/neptune/latest/userguide/feature-overview-endpoints.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the `Endpoint` of every resource of these types.

        Args:
            cfn: The template.

        Returns:
            What may be wrong.
        """
        matches = []
        for path, resource_type, value in _values(cfn, "Endpoint"):
            endpoint, clusters = SCHEMAS[resource_type]["properties"]["Endpoint"], SCHEMAS[resource_type]["clusters"]
            is_text = isinstance(value, str) and re.search(endpoint["pattern"], value)
            if is_text and not re.search(clusters["pattern"], value.lower()):
                matches.append(RuleMatch(path, f"Endpoint is {value!r}; it should be {clusters['$comment']}."))
        return matches


class NeptuneMLCompletionHandle(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Warns of a `CompletionHandle` that is not the `Ref` of a handle, as far as the template shows what it is."""

    id = "W9383"
    shortdesc = "CompletionHandle of Amazon Neptune ML resources"
    description = "Values that are not the Ref of a wait condition's handle"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the `CompletionHandle` of every resource of these types.

        Args:
            cfn: The template.

        Returns:
            What may be wrong.
        """
        handles = cfn.get_resources("AWS::CloudFormation::WaitConditionHandle")
        return [
            RuleMatch(path, f"CompletionHandle should be {schema['properties']['CompletionHandle']['$comment']}.")
            for path, resource_type, value in _values(cfn, "CompletionHandle")
            if (schema := SCHEMAS[resource_type]) and _is_no_handle(value, cfn.get_resources(), handles)
        ]


class NeptuneMLTypes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Finds types that the provider does not have: to CloudFormation, any `Custom::` type is right."""

    id = "E9381"
    shortdesc = "Types of Amazon Neptune ML resources"
    description = "Types that the provider refuses: mistyped ones, and AWS::CloudFormation::CustomResource"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the type of every custom resource.

        Args:
            cfn: The template.

        Returns:
            What is wrong.
        """
        tokens = [value for _, _, value in _values(cfn, "ServiceToken")]
        matches = []
        for logical_id, resource in cfn.get_resources().items():
            name, properties = str(resource.get("Type")), resource.get("Properties")
            is_custom = name == "AWS::CloudFormation::CustomResource" or name.startswith("Custom::")
            if not is_custom or name in SCHEMAS or not isinstance(properties, dict):
                continue
            token, near = properties.get("ServiceToken"), _near_type(name)
            is_ours = token in tokens or _PROVIDERS.search(_written(token, cfn.get_parameters_valid()))
            if near or is_ours:
                hint = f"did you mean {near}?" if near else f"it has {', '.join(sorted(SCHEMAS))}."
                message = f"The provider of Amazon Neptune ML resources has no type {name}; {hint}"
                matches.append(RuleMatch(["Resources", logical_id, "Type"], message))
        return matches


class NeptuneMLAttributes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks that `Fn::GetAtt` and `Fn::Sub` name attributes that the resource's type has."""

    id = "E9182"
    shortdesc = "Attributes of Amazon Neptune ML resources"
    description = "Fn::GetAtt of an attribute that the resource does not have"
    source_url = "https://docs.aws.amazon.com/neptune/latest/data-api/API_Operations.html"
    tags = ("functions", "getatt", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every use of an attribute.

        Args:
            cfn: The template.

        Returns:
            What is wrong.
        """
        matches = []
        for path, logical_id, attribute in _used_attributes(cfn):
            schema = SCHEMAS.get(str(cfn.get_resources().get(logical_id, {}).get("Type")))
            if schema and attribute not in schema["attributes"]:
                hint = _hint(attribute, schema["attributes"])
                matches.append(RuleMatch(path, f"{attribute!r} is not an attribute of {schema['typeName']}; {hint}"))
        return matches


def _values(cfn: Template, name: str) -> Iterator[tuple[list[str | int], str, Any]]:
    """Every value of a property of these types, in each branch of `Fn::If`: where it stands, the type, the value."""
    for resource_type in SCHEMAS:
        for logical_id, resource in cfn.get_resources(resource_type).items():
            properties = resource.get("Properties")
            if isinstance(properties, dict) and name in properties:
                for path, value in _branches(properties[name]):
                    yield ["Resources", logical_id, "Properties", name, *path], resource_type, value


def _branches(value: Any) -> Iterator[tuple[list[str | int], Any]]:  # noqa: ANN401 - a template's part
    if isinstance(value, dict) and list(value) == ["Fn::If"] and isinstance(value["Fn::If"], list):
        for index, branch in enumerate(value["Fn::If"][1:], start=1):
            for path, one in _branches(branch):
                yield ["Fn::If", index, *path], one
    else:
        yield [], value


def _is_no_handle(value: object, resources: Mapping[str, object], handles: Mapping[str, object]) -> bool:
    """Tell whether a value is a URL that is written out, or the `Ref` of another resource."""
    if isinstance(value, dict):
        return str(value.get("Ref")) in resources.keys() - handles.keys()
    return str(value).startswith("http")


def _near_type(name: str) -> str:
    """Find which of the types one nearly is; empty if none."""

    def nearness(of: str) -> float:
        theirs, ours = (re.sub("[^a-z0-9]", "", it.removeprefix("Custom::").lower()) for it in (name, of))
        return difflib.SequenceMatcher(None, ours, theirs).ratio()

    nearest = max(SCHEMAS, key=nearness)
    return nearest if nearness(nearest) >= _NEAR else ""


def _written(value: object, parameters: Mapping[str, Any]) -> str:
    """Write a value down, with the defaults of the parameters that it refers to."""
    named = re.sub(r'\{"Ref": "([^"]+)"\}', r"${\1}", json.dumps(value, default=str))
    return _SUBSTITUTION.sub(lambda used: str(parameters.get(used[1], {}).get("Default", used[0])), named)


def _used_attributes(cfn: Template) -> Iterator[tuple[list[str | int], str, str]]:
    """Every `Fn::GetAtt` and its like in `Fn::Sub`: where it stands, the resource and the attribute."""
    for *path, value in cfn.search_deep_keys("Fn::GetAtt"):
        parts = value.split(".", 1) if isinstance(value, str) else value
        if isinstance(parts, list) and len(parts) > 1 and all(isinstance(part, str) for part in parts):
            yield path, parts[0], ".".join(parts[1:])
    for *path, value in cfn.search_deep_keys("Fn::Sub"):
        text, names = value if isinstance(value, list) and len(value) == 2 else (value, {})  # noqa: PLR2004
        for used in _SUBSTITUTION.findall(text) if isinstance(text, str) else ():
            logical_id, dot, attribute = used.partition(".")
            if dot and isinstance(names, dict) and used not in names:
                yield path, logical_id, attribute


def _hint(name: str, known: Iterable[str]) -> str:
    near = _nearest(name, known)
    return f"did you mean {near}?" if near else f"it has {', '.join(known)}."


def _nearest(name: str, known: Iterable[str]) -> str:
    """Find what somebody meant who mistyped a name; empty if nothing is near."""
    lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return lower[near[0]] if near else ""
