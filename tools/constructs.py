"""The CDK constructs of the resource types, in TypeScript, from their one definition: `packages/cdk/src/jobs.ts`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import botocore.session
from botocore import xform_name

from provider import values
from provider.custom_resource.properties import SERVICE_TIMEOUT
from provider.kinds import KINDS
from provider.kinds.common import CLEAN, NEPTUNE_IAM_ROLE_ARN, WAIT_FOR_STOP
from tools.rows import expected, range_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from provider.kinds.kind import Attribute, Kind
    from provider.schema import Property

PATH = Path(__file__).parent.parent / "packages/cdk/src/jobs.ts"

_HEAD = """\
// Written by `make docs`, from the provider's own definition.

import { Duration, Fn, Size } from 'aws-cdk-lib';
import { ISecurityGroup, ISubnet } from 'aws-cdk-lib/aws-ec2';
import { IRole } from 'aws-cdk-lib/aws-iam';
import { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { INeptuneMlProvider } from './provider';
import { ResourceType, declare, listOf, lookUp } from './resource';
import { INeptuneMlJob, NeptuneMlLookupOptions, S3Location } from './values';
"""
_OPTIONS = (NEPTUNE_IAM_ROLE_ARN, CLEAN, WAIT_FOR_STOP, SERVICE_TIMEOUT)


class _Prop(NamedTuple):
    """A property as the CDK has it: its name, its type, and the value for CloudFormation."""

    name: str
    type: str
    value: str  # of `it`


# A type of the CDK's, by the end of a property's name or else by its type: what is left of the name, and the value.
_BY_NAME = {
    "SecurityGroupIds": ("SecurityGroups", "ISecurityGroup[]", "listOf('securityGroups', it, 'securityGroupId')"),
    "Subnets": ("Subnets", "ISubnet[]", "listOf('subnets', it, 'subnetId')"),
    "KmsKey": ("KmsKey", "IKey", "it.keyArn"),
    "InGb": ("", "Size", "it.toGibibytes()"),
    "InSeconds": ("", "Duration", "it.toSeconds()"),
    "ServiceTimeout": ("ServiceTimeout", "Duration", "it"),
    "JobId": ("", "INeptuneMlJob", "it.jobId"),
    "IamRoleArn": ("Role", "IRole", "it.roleArn"),
}
_BY_TYPE = {values.S3_URL: ("S3Location", "it.url"), values.BOOLEAN: ("boolean", "it")}


def _prop(row: Property[Any]) -> _Prop:
    """Take the type that the CDK has for a thing."""
    name = re.sub(r"GB|HPO|KMS", lambda it: it[0].capitalize(), row.name)
    type_, value = _BY_TYPE.get(row.type, ("number" if row.type.name == "Integer" else "string", "it"))
    for end, (instead, of_name, in_cloudformation) in _BY_NAME.items():
        if name.endswith(end):
            name, type_, value = re.sub("^Ml", "", name.removesuffix(end) + instead), of_name, in_cloudformation
            break
    return _Prop(name[0].lower() + name[1:], row.name if row.members else type_, value)


def _doc(text: str, indent: str = "", default: str = "") -> str:
    lines = [text.strip(), *(["", f"@default {default}"] if default else [])]
    body = "".join(f"{indent} *{' ' + line if line else ''}\n" for line in lines)
    return f"{indent}/**\n{body}{indent} */\n"


def _default(row: Property[Any]) -> str:
    if row.default is not None:
        return "- one hour" if row is SERVICE_TIMEOUT else str(row.default).lower()
    return f"- {row.default_text}" if row.default_text else "- none"


def _field(row: Property[Any], kind: Kind) -> str:
    prop, is_optional = _prop(row), not row.required
    # The pages' links and property names are not those of the CDK.
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", row.description.format(**kind.words._asdict()))
    if prop.type not in ("string", "number", "boolean"):
        text = re.sub(r"^The (?:IDs?|ARN) of (\w)", lambda it: it[1].upper(), text)
        text = re.sub(r", in (seconds|gigabytes)", "", text)
    doc = _doc(text, "  ", _default(row) if is_optional else "")
    return f"{doc}  readonly {prop.name}{'?' if is_optional else ''}: {prop.type};\n"


def _interface(name: str, text: str, fields: Iterable[str], extends: str = "") -> str:
    return f"{_doc(text)}export interface {name}{f' extends {extends}' if extends else ''} {{\n{''.join(fields)}}}\n"


def _is_list(attribute: Attribute, kind: Kind) -> bool:
    """Tell whether an attribute joins what stands in the items of a list."""
    model = botocore.session.get_session().get_service_model("neptunedata")
    operation = {xform_name(name): name for name in model.operation_names}[kind.get.method]
    shape: Any = model.operation_model(operation).output_shape
    for name in attribute.paths[0]:
        if shape.type_name == "list":
            return True
        shape = shape.members[name]
        if shape.type_name == "list":
            return True
    return False


def _class_name(kind: Kind) -> str:
    return kind.resource_type.removeprefix("Custom::").replace("ML", "Ml", 1)


def _rules(kind: Kind) -> str:
    rules: dict[str, dict[str, object]] = {}
    for row in kind.properties:
        if row.type.pattern and row.type.name == "String":
            rules[row.name] = {"should": expected(row), "pattern": row.type.pattern}
        elif row.type.name == "Integer":
            least, greatest = range_of(row)
            rules[row.name] = {"should": expected(row), "minimum": least, "maximum": greatest}
    job_type = kind.resource_type.removeprefix("Custom::NeptuneML")
    either = [[row.name for row in group] for group in kind.either]
    name = f"{job_type}_TYPE"
    required = [row.name for row in kind.properties if row.describes and row.required]
    parts = {
        "name": kind.resource_type,
        "jobType": job_type,
        "thing": kind.words.thing,
        "rules": rules,
        "required": required,
        "either": either,
    }
    return f"const {name}: ResourceType = {json.dumps(parts, indent=2)};\n"


def _value(row: Property[Any], of: str) -> str:
    """Write what CloudFormation gets; of a construct that adopts, nothing is there."""
    prop = _prop(row)
    this = f"{of}.{prop.name}"
    if row.members:
        return f"{this} && {{ {', '.join(f'{it.name}: {_value(it, this)}' for it in row.members)} }}"
    if prop.type.endswith("[]"):
        return re.sub(r"\bit\b", this, prop.value)
    return this + prop.value.removeprefix("it").replace(".", "?.", 1)


def _construct(kind: Kind) -> str:
    name, thing = _class_name(kind), kind.words.thing
    options, props = f"{name}Options", f"{name}Props"
    described = [row for row in kind.properties if row.describes]
    own = ["  readonly provider: INeptuneMlProvider;\n", "  readonly endpoint: string;\n"]
    own[0] = _doc("The provider: `NeptuneMlProvider`.", "  ") + own[0]
    own[1] = _doc("The Neptune cluster: `host` or `host:port`, such as `cluster.attrEndpoint`.", "  ") + own[1]
    waits = _doc(
        f"For how long a creation or a replacement waits until the {thing} {kind.words.completed}: at most 12 hours.",
        "  ",
        "- the creation does not wait",
    )
    own.append(f"{waits}  readonly waitFor?: Duration;\n")
    attributes = {"Status": f"The status of the {thing}.", **{it.name: it.description for it in kind.attributes}}
    lists = {it.name for it in kind.attributes if _is_list(it, kind)}
    fields = [
        _doc(
            text.replace(", separated by commas (`!Split` makes a list)", "").replace(", separated by commas", ""), "  "
        )
        + f"  readonly {it[0].lower()}{it[1:]}: {'string[]' if it in lists else 'string'};\n"
        for it, text in attributes.items()
    ]
    type_name = f"{kind.resource_type.removeprefix('Custom::NeptuneML')}_TYPE"
    description, settings = (
        "".join(f"      {row.name}: {_value(row, 'props')},\n" for row in rows)
        for rows in (described, (NEPTUNE_IAM_ROLE_ARN, CLEAN, WAIT_FOR_STOP))
    )
    read = {
        "jobId": "attribute('Id')",
        **{
            f"{it[0].lower()}{it[1:]}": f"Fn.split(',', attribute('{it}'))" if it in lists else f"attribute('{it}')"
            for it in attributes
        },
    }
    assigned = "".join(f"    this.{it} = {value};\n" for it, value in read.items())
    looked_up = "".join(f"      {it}: {value},\n" for it, value in read.items())
    jobs = [row for row in described if row.type is values.JOB_ID]

    def fields_of(rows: Sequence[Property[Any]]) -> list[str]:
        return [_field(row, kind) for row in rows]

    ending = f"is {kind.words.cancelled} when it goes from the stack."
    depends = "".join(f"    dependOn(this, props.{_prop(row).name});\n" for row in jobs)
    return f"""\
{_rules(kind)}
{_interface(options, f"What every {name} may be given.", [*own, *fields_of(_OPTIONS)])}
{_interface(props, f"Describes {kind.words.a_thing} to be {kind.words.started}.", fields_of(described), options)}
{_interface(f"I{name}", f"An Amazon Neptune ML {kind.noun}, with its attributes.", fields, "INeptuneMlJob")}
{_doc(f"An Amazon Neptune ML {kind.noun}, which {ending}")}\
export class {name} extends Construct implements I{name} {{
{_doc(f"Adopts {kind.words.a_thing} that exists: it, too, {ending}", "  ")}\
  public static fromJobId(scope: Construct, id: string, jobId: string, options: {options}): {name} {{
    return new {name}(scope, id, {{ ...options, [ADOPTS]: jobId }} as unknown as {props});
  }}

{_doc(f"Reads {kind.words.a_thing} that exists, and does not cancel it.", "  ")}\
  public static lookUp(scope: Construct, id: string, jobId: string, options: NeptuneMlLookupOptions): I{name} {{
    const attribute = lookUp(scope, id, {type_name}, options, jobId);
    return {{
{looked_up}    }};
  }}

  public readonly jobId: string;
{"".join(fields).replace("  readonly", "  public readonly")}
  constructor(scope: Construct, id: string, props: {props}) {{
    super(scope, id);
    const adopts = (props as any)[ADOPTS];
    const attribute = declare(this, {type_name}, props, {{
      Endpoint: props.endpoint,
      Id: adopts,
{description}    }}, {{
{settings}    }});
{depends}{assigned}  }}
}}
"""


def constructs() -> str:
    """Write the constructs.

    Returns:
        The source of `jobs.ts`.
    """
    maps = {row.name: (row, kind) for kind in KINDS for row in kind.properties if row.members}
    structs = [
        _interface(name, row.description, (_field(it, kind) for it in row.members))
        for name, (row, kind) in maps.items()
    ]
    helper = """\
// Among the properties of a construct that adopts: no caller can give it by mistake.
const ADOPTS = Symbol('adopts');

function dependOn(scope: Construct, job?: INeptuneMlJob): void {
  if (job instanceof Construct) {
    scope.node.addDependency(job);
  }
}
"""
    return "\n".join([_HEAD, helper, *structs, *map(_construct, KINDS)])
