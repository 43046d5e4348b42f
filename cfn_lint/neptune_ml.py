"""cfn-lint rules for the resource types of Amazon Neptune ML's jobs: mistakes show before a deployment.

This file needs nothing but cfn-lint. Put it into a directory of its own and name that directory:

    cfn-lint --append-rules DIRECTORY -- template.yaml
"""

from __future__ import annotations

import difflib
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from cfnlint.rules import CloudFormationLintRule, RuleMatch  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from cfnlint.template import Template  # type: ignore[import-untyped]

Path = list[str | int]


class Property(NamedTuple):
    """A property of the resource type, or a member of a property's map.

    Attributes:
        type: Its CloudFormation type.
        expected: What it should be, in words.
        required: Whether a template must give it.
        describes: Whether it describes a job to be started; `required` then means that such a job needs it.
        pattern: What every right value matches; empty if any text may be right.
        least: The least integer that is right.
        greatest: The greatest one.
        members: What its value is made of, if that is a map.
        excludes: A property that must not be true beside it.
    """

    type: str
    expected: str
    required: bool = False
    describes: bool = False
    pattern: str = ""
    least: int = 0
    greatest: int = 0
    members: Mapping[str, Property] = MappingProxyType({})
    excludes: str = ""


class ResourceType(NamedTuple):
    """A resource type.

    Attributes:
        name: Its name, `Custom::...`.
        properties: Its properties.
        adopts: The property that names a job to adopt.
        attributes: What `Fn::GetAtt` returns.
        either: Groups of properties, of which a job that is to be started needs one as a whole.
        noun: What messages call the job.
    """

    name: str
    properties: Mapping[str, Property]
    adopts: str
    attributes: tuple[str, ...]
    either: tuple[tuple[str, ...], ...] = ()
    noun: str = "job"


# generated: rules (by `python -m tools.reference`, from the provider's own definition)
RESOURCE_TYPES = (
    ResourceType(
        name="Custom::NeptuneMLDataProcessingJob",
        properties={
            "ServiceToken": Property(
                type="String",
                expected="an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name",
                required=True,
                pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$",
            ),
            "ServiceTimeout": Property(
                type="Integer",
                expected="a whole number of seconds from 1 to 3600",
                least=1,
                greatest=3600,
            ),
            "CompletionHandle": Property(
                type="String",
                expected="the Ref of an AWS::CloudFormation::WaitConditionHandle",
                pattern=r"^https?://\S+$",
                excludes="WaitForCompletion",
            ),
            "Endpoint": Property(
                type="String",
                expected="host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
                required=True,
                pattern=r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
            ),
            "Id": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "InputDataS3Location": Property(
                type="String",
                expected="an S3 location, such as s3://bucket/folder",
                required=True,
                describes=True,
                pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$",
            ),
            "ProcessedDataS3Location": Property(
                type="String",
                expected="an S3 location, such as s3://bucket/folder",
                required=True,
                describes=True,
                pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$",
            ),
            "PreviousDataProcessingJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "ModelType": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "ConfigFileName": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "ProcessingInstanceType": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "ProcessingInstanceVolumeSizeInGB": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "ProcessingTimeOutInSeconds": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "SagemakerIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                describes=True,
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "Subnets": Property(
                type="Array of String",
                expected="a list of one or more non-empty strings",
                describes=True,
            ),
            "SecurityGroupIds": Property(
                type="Array of String",
                expected="a list of one or more non-empty strings",
                describes=True,
            ),
            "VolumeEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "S3OutputEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "NeptuneIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "WaitForCompletion": Property(
                type="Boolean",
                expected="true or false",
            ),
            "Clean": Property(
                type="Boolean",
                expected="true or false",
            ),
            "WaitForStop": Property(
                type="Boolean",
                expected="true or false",
            ),
        },
        adopts="Id",
        attributes=(
            "Id",
            "Status",
            "OutputLocation",
            "ProcessingJobArn",
            "ProcessingJobName",
        ),
    ),
    ResourceType(
        name="Custom::NeptuneMLModelTrainingJob",
        properties={
            "ServiceToken": Property(
                type="String",
                expected="an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name",
                required=True,
                pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$",
            ),
            "ServiceTimeout": Property(
                type="Integer",
                expected="a whole number of seconds from 1 to 3600",
                least=1,
                greatest=3600,
            ),
            "CompletionHandle": Property(
                type="String",
                expected="the Ref of an AWS::CloudFormation::WaitConditionHandle",
                pattern=r"^https?://\S+$",
                excludes="WaitForCompletion",
            ),
            "Endpoint": Property(
                type="String",
                expected="host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
                required=True,
                pattern=r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
            ),
            "Id": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "DataProcessingJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                required=True,
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "TrainModelS3Location": Property(
                type="String",
                expected="an S3 location, such as s3://bucket/folder",
                required=True,
                describes=True,
                pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$",
            ),
            "PreviousModelTrainingJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "BaseProcessingInstanceType": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "TrainingInstanceType": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "TrainingInstanceVolumeSizeInGB": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "TrainingTimeOutInSeconds": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "MaxHPONumberOfTrainingJobs": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "MaxHPOParallelTrainingJobs": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "EnableManagedSpotTraining": Property(
                type="Boolean",
                expected="true or false",
                describes=True,
            ),
            "CustomModelTrainingParameters": Property(
                type="Map",
                expected="a map",
                describes=True,
                members={
                    "SourceS3DirectoryPath": Property(
                        type="String",
                        expected="an S3 location, such as s3://bucket/folder",
                        required=True,
                        pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$",
                    ),
                    "TrainingEntryPointScript": Property(
                        type="String",
                        expected="a non-empty string",
                    ),
                    "TransformEntryPointScript": Property(
                        type="String",
                        expected="a non-empty string",
                    ),
                },
            ),
            "SagemakerIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                describes=True,
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "Subnets": Property(
                type="Array of String",
                expected="a list of one or more non-empty strings",
                describes=True,
            ),
            "SecurityGroupIds": Property(
                type="Array of String",
                expected="a list of one or more non-empty strings",
                describes=True,
            ),
            "VolumeEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "S3OutputEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "NeptuneIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "WaitForCompletion": Property(
                type="Boolean",
                expected="true or false",
            ),
            "Clean": Property(
                type="Boolean",
                expected="true or false",
            ),
            "WaitForStop": Property(
                type="Boolean",
                expected="true or false",
            ),
        },
        adopts="Id",
        attributes=(
            "Id",
            "Status",
            "OutputLocation",
            "ProcessingJobArn",
            "HpoJobArn",
            "ModelTransformJobArn",
            "ModelNames",
            "ModelArns",
        ),
    ),
    ResourceType(
        name="Custom::NeptuneMLModelTransformJob",
        properties={
            "ServiceToken": Property(
                type="String",
                expected="an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name",
                required=True,
                pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$",
            ),
            "ServiceTimeout": Property(
                type="Integer",
                expected="a whole number of seconds from 1 to 3600",
                least=1,
                greatest=3600,
            ),
            "CompletionHandle": Property(
                type="String",
                expected="the Ref of an AWS::CloudFormation::WaitConditionHandle",
                pattern=r"^https?://\S+$",
                excludes="WaitForCompletion",
            ),
            "Endpoint": Property(
                type="String",
                expected="host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
                required=True,
                pattern=r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
            ),
            "Id": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "ModelTransformOutputS3Location": Property(
                type="String",
                expected="an S3 location, such as s3://bucket/folder",
                required=True,
                describes=True,
                pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$",
            ),
            "DataProcessingJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "MlModelTrainingJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "TrainingJobName": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "SagemakerIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                describes=True,
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "BaseProcessingInstanceType": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "BaseProcessingInstanceVolumeSizeInGB": Property(
                type="Integer",
                expected="a whole number from 0 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=0,
                greatest=2147483647,
            ),
            "Subnets": Property(
                type="Array of String",
                expected="a list of one or more non-empty strings",
                describes=True,
            ),
            "SecurityGroupIds": Property(
                type="Array of String",
                expected="a list of one or more non-empty strings",
                describes=True,
            ),
            "VolumeEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "S3OutputEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "CustomModelTransformParameters": Property(
                type="Map",
                expected="a map",
                describes=True,
                members={
                    "SourceS3DirectoryPath": Property(
                        type="String",
                        expected="an S3 location, such as s3://bucket/folder",
                        required=True,
                        pattern=r"^s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?$",
                    ),
                    "TransformEntryPointScript": Property(
                        type="String",
                        expected="a non-empty string",
                    ),
                },
            ),
            "NeptuneIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "WaitForCompletion": Property(
                type="Boolean",
                expected="true or false",
            ),
            "Clean": Property(
                type="Boolean",
                expected="true or false",
            ),
            "WaitForStop": Property(
                type="Boolean",
                expected="true or false",
            ),
        },
        adopts="Id",
        either=(("DataProcessingJobId", "MlModelTrainingJobId"), ("TrainingJobName",)),
        attributes=(
            "Id",
            "Status",
            "OutputLocation",
            "BaseProcessingJobArn",
            "RemoteModelTransformJobArn",
            "ModelNames",
            "ModelArns",
        ),
    ),
    ResourceType(
        name="Custom::NeptuneMLEndpoint",
        properties={
            "ServiceToken": Property(
                type="String",
                expected="an ARN, such as arn:aws:lambda:us-east-1:123456789012:function:name",
                required=True,
                pattern=r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:\S+$",
            ),
            "ServiceTimeout": Property(
                type="Integer",
                expected="a whole number of seconds from 1 to 3600",
                least=1,
                greatest=3600,
            ),
            "CompletionHandle": Property(
                type="String",
                expected="the Ref of an AWS::CloudFormation::WaitConditionHandle",
                pattern=r"^https?://\S+$",
                excludes="WaitForCompletion",
            ),
            "Endpoint": Property(
                type="String",
                expected="host, host:port or https://host:port, such as !GetAtt Cluster.Endpoint",
                required=True,
                pattern=r"^([Hh][Tt][Tt][Pp][Ss]?://)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$",
            ),
            "Id": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "MlModelTrainingJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "MlModelTransformJobId": Property(
                type="String",
                expected="an id as Neptune lists it, without whitespace, control characters or slashes",
                describes=True,
                pattern=r"^(?!\.{1,2}$)[^\s/\\\x00-\x1f\x7f]{1,1024}$",
            ),
            "ModelName": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "InstanceType": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "InstanceCount": Property(
                type="Integer",
                expected="a whole number from 1 to 2147483647",
                describes=True,
                pattern=r"^[0-9]{1,10}$",
                least=1,
                greatest=2147483647,
            ),
            "VolumeEncryptionKMSKey": Property(
                type="String",
                expected="a non-empty string",
                describes=True,
            ),
            "NeptuneIamRoleArn": Property(
                type="String",
                expected="the ARN of an IAM role, such as arn:aws:iam::123456789012:role/NeptuneML",
                pattern=r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/\S+$",
            ),
            "WaitForCompletion": Property(
                type="Boolean",
                expected="true or false",
            ),
            "Clean": Property(
                type="Boolean",
                expected="true or false",
            ),
            "WaitForStop": Property(
                type="Boolean",
                expected="true or false",
            ),
        },
        adopts="Id",
        either=(("MlModelTrainingJobId",), ("MlModelTransformJobId",)),
        noun="endpoint",
        attributes=(
            "Id",
            "Status",
            "EndpointName",
            "EndpointArn",
            "EndpointConfigName",
            "EndpointConfigArn",
        ),
    ),
)
HOSTS = (
    r".+\.neptune(\.amazonaws\.com|"
    r"(\.cn-[a-z0-9-]+)?\.amazonaws\.com\.cn|"
    r"(\.eusc-[a-z0-9-]+)?\.amazonaws\.eu|"
    r"(\.us-iso-[a-z0-9-]+)?\.c2s\.ic\.gov|"
    r"(\.us-isob-[a-z0-9-]+)?\.sc2s\.sgov\.gov|"
    r"(\.eu-isoe-[a-z0-9-]+)?\.cloud\.adc\-e\.uk|"
    r"(\.us-isof-[a-z0-9-]+)?\.csp\.hci\.ic\.gov)"
)
OTHER_HOST = (
    "a host under .neptune.amazonaws.com (or its equivalent in another AWS partition, such as "
    ".neptune.cn-north-1.amazonaws.com.cn); the provider's operator can allow others with its AllowedHosts parameter"
)
PLAIN_HTTP = "an https:// endpoint; http:// is only for hosts in the provider's AllowedHosts parameter"
# end of rules

Problem = tuple[Path, str]

_SUBSTITUTION = re.compile(r"\$\{\s*([^!\s}][^}]*?)\s*\}")
_ENDPOINT = re.compile(r"(?:(?P<scheme>https?)://)?(?P<host>[^:]+)(?::[0-9]+)?")
# The export and the function of a provider whose stack has its usual name.
_PROVIDERS = re.compile(r"neptune-ml-provider-(ServiceToken|Provider-)")
_NO_VALUE = {"Ref": "AWS::NoValue"}
_HANDLE = "AWS::CloudFormation::WaitConditionHandle"
_OTHER_INSTANCE = "it should be an Amazon SageMaker instance type, such as ml.r5.xlarge"
# Other letter case, other separators and a missing word are this near; a resource about such a job is not.
_NEAR = 0.885


class NeptuneMLProperties(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks the properties: their names, those that are missing, and every value that is written in the template."""

    id = "E9382"
    shortdesc = "Properties of Amazon Neptune ML's jobs"
    description = "Unknown and missing properties, and values that the provider would refuse"
    source_url = "https://docs.aws.amazon.com/neptune/latest/data-api/API_Operations.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check every resource of these types.

        Args:
            cfn: The template.

        Returns:
            What is wrong.
        """
        matches = []
        for path, type_, properties in _resources(cfn):
            of_resource = [
                *_missing(properties, type_.properties, type_.name),
                *_ways(properties, type_),
                *_excluded(properties, type_),
            ]
            matches += [RuleMatch([*path, *where], message) for where, message in of_resource]
            of_properties = _wrong(properties, type_.properties, type_.name)
            matches += [RuleMatch([*path, "Properties", *where], message) for where, message in of_properties]
        return matches


class NeptuneMLClusterEndpoint(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks that `Endpoint` names a host that the provider speaks to; its operator may have allowed others."""

    id = "W9382"
    shortdesc = "Endpoint of Amazon Neptune ML's jobs"
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
        return [
            RuleMatch([*path, "Properties", "Endpoint", *where], f"Endpoint is {_shown(literal)}; it should be {what}")
            for path, type_, properties in _resources(cfn)
            for where, literal in _literals(properties.get("Endpoint"))
            if (what := _problem_of_host(type_.properties["Endpoint"], literal))
        ]


class NeptuneMLInstanceTypes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks that instance types are those of Amazon SageMaker; Neptune itself judges which of them it takes."""

    id = "W9384"
    shortdesc = "Instance types of Amazon Neptune ML's jobs"
    description = "Instance types of another service than Amazon SageMaker, which runs the jobs"
    source_url = (
        "https://docs.aws.amazon.com/neptune/latest/userguide/machine-learning-on-graphs-instance-selection.html"
    )
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the instance types of every resource of these types.

        Args:
            cfn: The template.

        Returns:
            What may be wrong.
        """
        return [
            RuleMatch([*path, "Properties", name, *where], f"{name} is {_shown(literal)}; {_OTHER_INSTANCE}")
            for path, type_, properties in _resources(cfn)
            for name, definition in type_.properties.items()
            if name.endswith("InstanceType")
            for where, literal in _literals(properties.get(name))
            if _is_right(definition, literal) and not str(literal).startswith("ml.")
        ]


class NeptuneMLCompletionHandle(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks that `CompletionHandle` is the `Ref` of a handle, as far as the template says what it is."""

    id = "W9383"
    shortdesc = "CompletionHandle of Amazon Neptune ML's jobs"
    description = "What is no handle of a wait condition, which alone has a URL that takes a signal"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-waitcondition.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the `CompletionHandle` of every resource of these types.

        Args:
            cfn: The template.

        Returns:
            What may be wrong.
        """
        types = {logical_id: str(resource.get("Type")) for logical_id, resource in cfn.get_resources().items()}
        return [
            RuleMatch(
                [*path, "Properties", "CompletionHandle", *where],
                f"CompletionHandle is {what}; it should be {type_.properties['CompletionHandle'].expected}",
            )
            for path, type_, properties in _resources(cfn)
            for where, value in _alternatives(properties.get("CompletionHandle"))
            if (what := _instead_of_a_handle(type_.properties["CompletionHandle"], value, types))
        ]


class NeptuneMLRefusedTypes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Finds types of which the provider has no resources, and whose `ServiceToken` is the provider's all the same."""

    id = "E9381"
    shortdesc = "Types that the provider of Amazon Neptune ML's jobs refuses"
    description = "The provider tells by its type what a resource is; it refuses a type that is none of its own"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the type of every custom resource, as far as the template shows whose it is.

        Args:
            cfn: The template.

        Returns:
            What is wrong.
        """
        return [
            RuleMatch(["Resources", logical_id, "Type"], f"the provider refuses {name}; write {_instead(name, names)}")
            for logical_id, (name, names) in _refused(cfn).items()
        ]


class NeptuneMLTypes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Finds mistyped resource types: to CloudFormation they are custom resources as good as any."""

    id = "W9381"
    shortdesc = "Types that are nearly those of Amazon Neptune ML's jobs"
    description = "A mistyped resource type is not checked, and the provider refuses it"
    source_url = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html"
    tags = ("resources", "neptune")

    def match(self, cfn: Template) -> list[RuleMatch]:
        """Check the type of every resource.

        Args:
            cfn: The template.

        Returns:
            What may be wrong.
        """
        types = {logical_id: str(resource.get("Type")) for logical_id, resource in cfn.get_resources().items()}
        return [
            RuleMatch(["Resources", logical_id, "Type"], f"{name} is not checked; did you mean {near}?")
            for logical_id, name in types.items()
            if (near := _near(name)) not in ("", name) and logical_id not in _refused(cfn)
        ]


class NeptuneMLAttributes(CloudFormationLintRule):  # type: ignore[misc] # cfn-lint has no types
    """Checks that `Fn::GetAtt` and `Fn::Sub` name attributes that the resource's type has."""

    id = "E9182"
    shortdesc = "Attributes of Amazon Neptune ML's jobs"
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
        types = {logical_id: type_ for logical_id, type_, _ in _of_our_types(cfn)}
        return [
            RuleMatch(path, f"{attribute!r} is not an attribute of {type_.name}; {_hint(attribute, type_.attributes)}")
            for path, logical_id, attribute in _used_attributes(cfn)
            if (type_ := types.get(logical_id)) and attribute not in type_.attributes
        ]


class Given(NamedTuple):
    """Which properties a resource has.

    Attributes:
        surely: Those that it has, whatever the conditions of its template come to.
        perhaps: Those, what it has under some conditions, and what a mistyped name may mean.
    """

    surely: frozenset[str]
    perhaps: frozenset[str]

    @classmethod
    def of(cls, properties: Mapping[str, object], definitions: Mapping[str, Property]) -> Given:
        """Tell which these are."""
        alternatives = {name: [it for _, it in _alternatives(value)] for name, value in properties.items()}
        meant = {_nearest(name, definitions) for name in properties if name not in definitions}
        return cls(
            frozenset(name for name, values in alternatives.items() if not any(map(_may_vanish, values))),
            frozenset(name for name, values in alternatives.items() if any(it != _NO_VALUE for it in values)) | meant,
        )


def _of_our_types(cfn: Template) -> Iterator[tuple[str, ResourceType, Mapping[str, object]]]:
    for type_ in RESOURCE_TYPES:
        for logical_id, resource in cfn.get_resources(type_.name).items():
            yield logical_id, type_, resource


def _resources(cfn: Template) -> Iterator[tuple[Path, ResourceType, dict[str, object]]]:
    for logical_id, type_, resource in _of_our_types(cfn):
        properties = resource.get("Properties", {})
        if isinstance(properties, dict):  # cfn-lint itself reports what is no map
            yield ["Resources", logical_id], type_, properties


def _refused(cfn: Template) -> dict[str, tuple[str, frozenset[str]]]:
    """The custom resources of other types that have the provider's token: the type, and the names of the properties."""
    ours = {logical_id for logical_id, _, _ in _of_our_types(cfn)}
    tokens = [token for _, _, properties in _resources(cfn) if (token := properties.get("ServiceToken"))]
    parameters = cfn.template.get("Parameters")
    known = parameters.items() if isinstance(parameters, dict) else ()
    defaults = {name: it["Default"] for name, it in known if isinstance(it, dict) and "Default" in it}
    refused = {}
    for logical_id, resource in cfn.get_resources().items():
        name, properties = str(resource.get("Type")), resource.get("Properties")
        is_custom = name == "AWS::CloudFormation::CustomResource" or name.startswith("Custom::")
        if is_custom and logical_id not in ours and isinstance(properties, dict):
            token = properties.get("ServiceToken")
            if token in tokens or _PROVIDERS.search(_written(token, defaults)):
                refused[logical_id] = (name, frozenset(properties))
    return refused


def _written(value: object, known: Mapping[str, object]) -> str:
    """Write a value down, as far as the template says what it is; of most functions, what they are given."""
    if isinstance(value, list):
        return " ".join(_written(it, known) for it in value)
    if not isinstance(value, dict):
        return _SUBSTITUTION.sub(lambda used: str(known.get(used[1], used[0])), str(value))
    joined, substituted = value.get("Fn::Join"), value.get("Fn::Sub")
    if isinstance(joined, list) and len(joined) == 2 and isinstance(joined[1], list):  # noqa: PLR2004 - by what, and what
        return str(joined[0]).join(_written(it, known) for it in joined[1])
    if isinstance(substituted, list) and substituted and isinstance(substituted[-1], dict):
        more = {str(name): _written(it, known) for name, it in substituted[-1].items()}
        return _written(substituted[0], {**known, **more})
    return " ".join(str(known.get(str(it))) if name == "Ref" else _written(it, known) for name, it in value.items())


def _instead(name: str, properties: frozenset[str]) -> str:
    """Which of our types somebody may have meant, by its name or else by the properties."""
    if near := _near(name):
        return near
    fitting = {type_.name: len(properties.intersection(type_.properties)) for type_ in RESOURCE_TYPES}
    best = [type_ for type_, known in fitting.items() if known == max(fitting.values())]
    return best[0] if len(best) == 1 else f"one of {_names(best)}"


def _missing(
    properties: Mapping[str, object], definitions: Mapping[str, Property], owner: str, path: str = ""
) -> Iterator[Problem]:
    if not _is_whole(properties):
        return
    given = Given.of(properties, definitions)
    for name, definition in definitions.items():
        if definition.required and not definition.describes and name not in given.perhaps:
            yield [], f"{path}{name} is missing; {owner} requires it"


def _ways(properties: Mapping[str, object], type_: ResourceType) -> Iterator[Problem]:
    """What is wrong between the properties: adopt or start, and what goes together."""
    given, adopts, either = Given.of(properties, type_.properties), type_.adopts, type_.either
    describing = [name for name, definition in type_.properties.items() if definition.describes]
    described = [name for name in describing if name in given.surely]
    if adopts in given.surely and described:
        problem = f"{adopts} adopts an existing {type_.noun} and cannot be combined with properties of a new one"
        yield ["Properties", adopts], f"{problem} ({_names(described)}); remove one or the other"
    if adopts in given.perhaps or not _is_whole(properties):
        return
    required = [name for name in describing if type_.properties[name].required]
    if given.perhaps.isdisjoint(describing):
        ways = f", or {'with ' if required else ''}".join(map(_names, either))
        new = " with ".join(filter(None, [_names(required), ways]))
        yield [], f"Specify {adopts} to adopt an existing {type_.noun}, or {new}, for a new one"
        return
    for name in required:
        if name not in given.perhaps:
            yield [], f"{name} is missing; a new {type_.noun} requires it"
    if either and all(given.perhaps.isdisjoint(group) for group in either):
        yield [], f"A new {type_.noun} requires {', or '.join(map(_names, either))}"
    is_complete = any(given.perhaps.issuperset(group) for group in either)
    for group in either:
        missing = [name for name in group if name not in given.perhaps]
        begun = [name for name in group if name in (given.surely if is_complete else given.perhaps)]
        if missing and begun:
            yield [], f"{_names(missing)} is missing; specify it together with {_names(begun)}"


def _excluded(properties: Mapping[str, object], type_: ResourceType) -> Iterator[Problem]:
    """What must not be true beside another property."""
    given = Given.of(properties, type_.properties).surely
    for name, definition in type_.properties.items():
        others = {str(it).lower() for _, it in _alternatives(properties.get(definition.excludes))}
        if name in given and others == {"true"}:
            problem = f"{name} and {definition.excludes} are mutually exclusive"
            yield ["Properties", name], f"{problem}; keep {name} if the job may take longer than an hour"


def _wrong(
    properties: Mapping[str, object], definitions: Mapping[str, Property], owner: str, path: str = ""
) -> Iterator[Problem]:
    for name, value in properties.items():
        definition = definitions.get(name)
        if definition:
            for where, literal in _literals(value):
                for deeper, message in _wrong_literal(f"{path}{name}", definition, literal):
                    yield [name, *where, *deeper], message
        elif not _is_function(name):
            yield [name], f"{name!r} is not a property of {owner}; {_hint(name, definitions)}"


def _wrong_literal(name: str, definition: Property, literal: object) -> Iterator[Problem]:
    message = f"{name} is {_shown(literal)}; it should be {definition.expected}"
    if definition.members and isinstance(literal, dict):
        yield from _missing(literal, definition.members, name, f"{name}.")
        yield from _wrong(literal, definition.members, name, f"{name}.")
    elif definition.type.startswith("Array of ") and isinstance(literal, list):
        if all(item == _NO_VALUE for item in literal):
            yield [], message
        for index, item in enumerate(literal):
            for where, text in _literals(item):
                if isinstance(text, (dict, list)) or text == "":
                    yield [index, *where], message
    elif not _is_right(definition, literal):
        yield [], message


def _is_right(definition: Property, literal: object) -> bool:
    if not isinstance(literal, (str, int, float)):  # a map or a list
        return False
    text = str(literal)  # CloudFormation sends every scalar as a string
    if definition.type == "Boolean":
        return text.lower() in ("true", "false")
    if definition.type == "Integer":
        digits = text.lstrip("0") or "0"
        is_number = re.fullmatch(definition.pattern or "[0-9]+", text) and len(digits) <= len(str(definition.greatest))
        return bool(is_number) and definition.least <= int(digits) <= definition.greatest
    return definition.type == "String" and re.fullmatch(definition.pattern or "(?s:.+)", text) is not None


def _problem_of_host(definition: Property, literal: object) -> str:
    endpoint = _ENDPOINT.fullmatch(str(literal).lower())
    if endpoint is None or not _is_right(definition, literal):  # which is an error
        return ""
    if not re.fullmatch(HOSTS, endpoint["host"]):
        return OTHER_HOST
    return PLAIN_HTTP if endpoint["scheme"] == "http" else ""


def _instead_of_a_handle(definition: Property, value: object, types: Mapping[str, str]) -> str:
    """What somebody wrote in place of the `Ref` of a handle; empty if it may be one."""
    if isinstance(value, dict) and len(value) == 1:
        ((function, argument),) = value.items()
        name = str(argument[0] if isinstance(argument, list) and argument else argument).partition(".")[0]
        is_handle = types.get(name) == _HANDLE
        if function == "Ref":
            return f"the Ref of {name}, {types[name]}" if name in types and not is_handle else ""
        return f"an attribute of {name}" if function == "Fn::GetAtt" and name in types else ""
    return "a literal URL" if isinstance(value, str) and _is_right(definition, value) else ""


def _near(resource_type: str) -> str:
    """Which of our types one is, or nearly is; empty if none."""
    if not resource_type.startswith("Custom::"):
        return ""
    ratios = {
        type_.name: difflib.SequenceMatcher(None, _letters(type_.name), _letters(resource_type)).ratio()
        for type_ in RESOURCE_TYPES
    }
    nearest = max(ratios, key=lambda name: ratios[name])
    return nearest if ratios[nearest] >= _NEAR else ""


def _letters(resource_type: str) -> str:
    return re.sub("[^a-z0-9]", "", resource_type.removeprefix("Custom::").lower())


def _alternatives(value: object) -> Iterator[tuple[Path, object]]:
    """What a value may be: only `Fn::If` is looked into, for what it is made of stands in the template."""
    if isinstance(value, dict) and list(value) == ["Fn::If"] and isinstance(value["Fn::If"], list):
        for index, branch in enumerate(value["Fn::If"][1:], start=1):
            for where, alternative in _alternatives(branch):
                yield ["Fn::If", index, *where], alternative
    else:
        yield [], value


def _literals(value: object) -> Iterator[tuple[Path, object]]:
    """What a value is known to be."""
    for where, alternative in _alternatives(value):
        names = list(alternative) if isinstance(alternative, dict) else []
        is_result = names == ["Ref"] or (len(names) == 1 and _is_function(names[0]))
        is_dynamic = isinstance(alternative, str) and "{{resolve:" in alternative
        if not (is_result or is_dynamic or alternative is None):  # cfn-lint itself reports null
            yield where, alternative


def _may_vanish(value: object) -> bool:
    """Whether a property with this value may turn out not to be given: a function may come to nothing."""
    if not (isinstance(value, dict) and any(map(_is_function, value))):
        return value == _NO_VALUE
    return "Fn::Transform" in value or _NO_VALUE["Ref"] in str(value)


def _is_whole(properties: Mapping[str, object]) -> bool:
    """Whether all there is stands in the template: a macro or a loop may add to it."""
    return not any(map(_is_function, properties))


def _is_function(name: object) -> bool:
    return str(name).startswith("Fn::")


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


def _names(names: Iterable[str]) -> str:
    """Write an enumeration: `A`, `A and B`, `A, B and C`."""
    *others, last = [*names] or [""]
    return f"{', '.join(others)} and {last}" if others else last


def _hint(name: str, known: Iterable[str]) -> str:
    known = tuple(known)
    nearest = _nearest(name, known)
    return f"did you mean {nearest}?" if nearest else f"it has {', '.join(known)}"


def _nearest(name: str, known: Iterable[str]) -> str:
    """What somebody may have meant who mistyped a name; empty if nothing is near."""
    lower = {candidate.lower(): candidate for candidate in known}
    nearest: Sequence[str] = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return lower[nearest[0]] if nearest else ""


def _shown(literal: object) -> str:
    if isinstance(literal, (dict, list)):
        return "a map" if isinstance(literal, dict) else "a list"
    return repr(str(literal))
