"""The documented policy of whoever deploys, against what CloudFormation says that its resource types need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.decode.cfn_yaml import load  # type: ignore[import-untyped]
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[2]
FUNCTION = "AWS::Serverless::Function"
# What SAM makes of the function, its EventInvokeConfig and its events.
MADE_BY_SAM = ("AWS::Lambda::Function", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::EventSourceMapping")

# The actions that a type's handlers take for a property alone that the template does not set.
FOR_WHAT_IS_NOT_SET: Mapping[str, Mapping[str, set[str]]] = {
    "AWS::Lambda::Function": {
        "CapacityProviderConfig": {"lambda:PassCapacityProvider"},
        "CodeSigningConfigArn": {
            "lambda:DeleteFunctionCodeSigningConfig",
            "lambda:GetCodeSigningConfig",
            "lambda:PutFunctionCodeSigningConfig",
        },
        "FileSystemConfigs": {"elasticfilesystem:DescribeMountTargets", "s3files:ListMountTargets"},
        "FunctionScalingConfig": {"lambda:PutFunctionScalingConfig"},
        "KmsKeyArn": {"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"},
        "Layers": {"lambda:GetLayerVersion"},
        "PublishToLatestPublished": {"lambda:PublishVersion"},
        "ReservedConcurrentExecutions": {"lambda:DeleteFunctionConcurrency", "lambda:PutFunctionConcurrency"},
        "RuntimeManagementConfig": {"lambda:AssociateRuntimeAlias", "lambda:PutRuntimeManagementConfig"},
    },
    "AWS::Lambda::EventSourceMapping": {"KmsKeyArn": {"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"}},
    "AWS::DynamoDB::Table": {
        "ContributorInsightsSpecification": {"dynamodb:UpdateContributorInsights", "iam:CreateServiceLinkedRole"},
        "ImportSourceSpecification": {
            "dynamodb:BatchWriteItem",
            "dynamodb:DeleteItem",
            "dynamodb:DescribeImport",
            "dynamodb:ImportTable",
            "dynamodb:Query",
            "dynamodb:UpdateItem",
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
            "s3:GetObjectMetadata",
        },
        "KinesisStreamSpecification": {
            "dynamodb:DisableKinesisStreamingDestination",
            "dynamodb:EnableKinesisStreamingDestination",
            "dynamodb:UpdateKinesisStreamingDestination",
            "kinesis:DescribeStream",
            "kinesis:PutRecords",
        },
        "PointInTimeRecoverySpecification": {"dynamodb:UpdateContinuousBackups"},
        "ResourcePolicy": {"dynamodb:DeleteResourcePolicy", "dynamodb:PutResourcePolicy"},
        "SSESpecification": {
            "kms:CreateGrant",
            "kms:Decrypt",
            "kms:DescribeKey",
            "kms:Encrypt",
            "kms:ListAliases",
            "kms:RevokeGrant",
        },
        "StreamSpecification": {"dynamodb:AssociateTableReplica", "dynamodb:CreateTableReplica"},
    },
    "AWS::IAM::Role": {"ManagedPolicyArns": {"iam:AttachRolePolicy"}},
    "AWS::Logs::LogGroup": {
        "BearerTokenAuthenticationEnabled": {"logs:PutBearerTokenAuthentication"},
        "DataProtectionPolicy": {
            "firehose:TagDeliveryStream",
            "logs:CreateLogDelivery",
            "logs:PutDataProtectionPolicy",
            "s3:REST.PUT.OBJECT",
        },
        "DeletionProtectionEnabled": {"logs:PutLogGroupDeletionProtection"},
        "FieldIndexPolicies": {"logs:DeleteIndexPolicy", "logs:PutIndexPolicy"},
        "KmsKeyId": {"logs:AssociateKmsKey", "logs:DisassociateKmsKey"},
        "ResourcePolicyDocument": {"logs:DeleteResourcePolicy", "logs:PutResourcePolicy"},
    },
}


LONGEST_CHARACTERS = 6144  # of a managed policy


def policy() -> Any:  # noqa: ANN401 - JSON
    return json.loads((ROOT / "docs/deployer-policy.json").read_text())


def allowed() -> set[str]:
    actions = [it["Action"] for it in policy()["Statement"]]
    return {action for it in actions for action in ([it] if isinstance(it, str) else it)}


def resources() -> dict[str, set[str]]:
    """The types of the stack's resources, and the properties that the template sets."""
    found: dict[str, set[str]] = {}
    for resource in load(str(ROOT / "template.yaml"))["Resources"].values():
        kinds = MADE_BY_SAM if resource["Type"] == FUNCTION else (resource["Type"],)
        for kind in kinds:
            found.setdefault(kind, set()).update(resource.get("Properties", {}))
    return {kind: properties for kind, properties in found.items() if not kind.startswith("Custom::")}


def schema_of(kind: str) -> Any:  # noqa: ANN401 - as CloudFormation publishes it
    return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema


@pytest.mark.parametrize("operation", ["create", "read", "update", "delete"])
@pytest.mark.parametrize("kind", resources())
def test_the_policy_allows_what_a_resource_needs(kind: str, operation: str) -> None:
    needed = set(schema_of(kind)["handlers"][operation]["permissions"])
    not_needed = FOR_WHAT_IS_NOT_SET.get(kind, {})

    assert needed - set().union(*not_needed.values()) <= allowed()


def test_what_the_policy_leaves_out_is_for_what_the_template_does_not_set() -> None:
    here = resources()

    for kind, left_out in FOR_WHAT_IS_NOT_SET.items():
        assert set(left_out) <= set(schema_of(kind)["properties"])
        assert set(left_out) & here[kind] == set()
        assert set().union(*left_out.values()) & allowed() == set()


def test_the_policy_grants_nothing_by_a_wildcard_and_is_no_longer_than_iam_takes() -> None:
    assert [action for action in allowed() if "*" in action] == []
    assert len(json.dumps(policy(), separators=(",", ":"))) <= LONGEST_CHARACTERS
