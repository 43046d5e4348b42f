"""What cfn-lint reports with the rules, as its users run it; and that the schemas and the provider judge alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from cfn_lint_neptune_ml.rules import SCHEMAS, _near_type
from hypothesis import given
from hypothesis import strategies as st

from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts, problem_of
from provider.kinds import KINDS
from provider.schema import InvalidProperties
from provider.values import DEFAULT_PORT
from provider.values import ENDPOINT as ENDPOINT_TYPE
from tests.cfn_lint.linting import ENDPOINT, OUR_RULES, TOKEN, Finding, lint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from provider.kinds.kind import Kind
    from provider.schema import Property

OURS = f"ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}"
MISSING = "Specify Id to adopt an existing job, or ModelTransformOutputS3Location with "

# One template a kind: a run of cfn-lint takes seconds.
RIGHT = f"""
Transform: AWS::LanguageExtensions
Parameters:
  JobId: {{ Type: String, Default: "" }}
  Provider: {{ Type: String }}
  Endpoint: {{ Type: String, Default: "" }}
  Clean: {{ Type: String, AllowedValues: ["true", "false"], Default: "false" }}
  Seconds: {{ Type: Number, Default: 600 }}
  Role: {{ Type: String, Default: "" }}
  Subnets: {{ Type: "List<AWS::EC2::Subnet::Id>" }}
Conditions:
  HasEndpoint: !Not [!Equals [!Ref Endpoint, ""]]
  HasJob: !Not [!Equals [!Ref JobId, ""]]
  HasRole: !Not [!Equals [!Ref Role, ""]]
Mappings:
  Settings:
    Clean: {{ Value: "true" }}
Resources:
  Minimal:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      Id: movies-2026-01
  Literal:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN.replace("aws", "aws-cn", 1)}
      ServiceTimeout: 3600
      Endpoint: https://{ENDPOINT}:8182
      Id: 20260101
      NeptuneIamRoleArn: arn:aws:iam::123456789012:role/path/NeptuneML
      Clean: true
      WaitForStop: false
  Strings:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      ServiceTimeout: "0001"
      Endpoint: {ENDPOINT}:8183
      Id: "1.5"
      Clean: "True"
      WaitForStop: "FALSE"
  Functions:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken:
        Fn::ImportValue: !Sub ${{Provider}}-ServiceToken
      ServiceTimeout: !Ref Seconds
      Endpoint: !If [HasEndpoint, !Ref Endpoint, {ENDPOINT}]
      Id: !Ref JobId
      NeptuneIamRoleArn: !If
        - HasRole
        - !If [HasEndpoint, !Sub "arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/${{Role}}", !Ref Role]
        - !Ref AWS::NoValue
      Clean: !FindInMap [Settings, Clean, Value]
      WaitForStop: !Ref Clean
  Joined:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: !Select [0, !Split [",", !ImportValue tokens]]
      Id: !Join ["-", [movies, !Ref AWS::Region]]
      Endpoint: !GetAtt Other.Endpoint
      Clean: "{{{{resolve:ssm:/neptune/clean}}}}"
      ServiceTimeout: "{{{{resolve:ssm:/neptune/timeout}}}}"
  Started:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      ModelTransformOutputS3Location: s3://bucket
      DataProcessingJobId: movies-data
      MlModelTrainingJobId: movies-training
      SagemakerIamRoleArn: arn:aws:iam::123456789012:role/SageMaker
      BaseProcessingInstanceType: ml.r5.4xlarge
      BaseProcessingInstanceVolumeSizeInGB: 2147483647
      Subnets: [subnet-1, 2]
      SecurityGroupIds: [!Ref Role]
      VolumeEncryptionKMSKey: alias/key
      S3OutputEncryptionKMSKey: 12345678-1234-1234-1234-123456789012
      CustomModelTransformParameters:
        SourceS3DirectoryPath: s3://bucket/code/
        TransformEntryPointScript: transform.py
      WaitForCompletion: true
  StartedByFunctions:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      ModelTransformOutputS3Location: !Sub s3://${{Provider}}/output
      TrainingJobName: !Select [1, !Split [":", !Ref Provider]]
      BaseProcessingInstanceVolumeSizeInGB: "{{{{resolve:ssm:/neptune/size}}}}"
      Subnets: !Ref Subnets
      SecurityGroupIds: [!If [HasRole, !Ref Role, !Ref AWS::NoValue], "{{{{resolve:ssm:/neptune/group}}}}"]
      CustomModelTransformParameters: !If
        - HasRole
        - SourceS3DirectoryPath: !Sub s3://${{Provider}}/code
          TransformEntryPointScript: !If [HasJob, convert.py, !Ref AWS::NoValue]
        - !Ref AWS::NoValue
  StartedOrAdopted:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      Id: !If [HasJob, !Ref JobId, !Ref AWS::NoValue]
      ModelTransformOutputS3Location: !If [HasJob, !Ref AWS::NoValue, s3://bucket/output]
      TrainingJobName: !If [HasJob, !Ref AWS::NoValue, movies]
      Subnets: !If [HasJob, !Ref AWS::NoValue, [subnet-1]]
  StartedOneWayOrTheOther:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      Id: !Ref AWS::NoValue
      ModelTransformOutputS3Location: s3://bucket/output
      DataProcessingJobId: !If [HasRole, !If [HasJob, !Ref JobId, data], !Ref AWS::NoValue]
      MlModelTrainingJobId: !If [HasRole, training, !Ref AWS::NoValue]
      TrainingJobName: !If [HasRole, !Ref AWS::NoValue, movies]
      CustomModelTransformParameters:
        Fn::Transform: {{ Name: AWS::Include, Parameters: {{ Location: s3://bucket/custom.yaml }} }}
        TransformEntryPointScript: transform.py
  PerhapsStarted:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      Id: movies
      TrainingJobName: !Select [0, [!If [HasRole, movies, !Ref AWS::NoValue]]]
      Subnets: {{ Fn::Transform: {{ Name: Subnets, Parameters: {{ Of: movies }} }} }}
  Transformed:
    Type: Custom::NeptuneMLModelTransformJob
    Properties:
      ServiceToken: {TOKEN}
      Fn::Transform:
        Name: AWS::Include
        Parameters: {{ Location: s3://bucket/properties.yaml }}
  Unchecked:
    Type: Custom::NeptuneMLModelTransformJob
    Metadata: {{ cfn-lint: {{ config: {{ ignore_checks: [E9382] }} }} }}
    Properties: {{ ServiceToken: {TOKEN}, Clean: perhaps }}
  Other:
    Type: Custom::AnotherResource
    Properties:
      ServiceToken: {TOKEN}-of-another
      Anything: goes
  AdoptedData:
    Type: Custom::NeptuneMLDataProcessingJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies-data }}
  StartedData:
    Type: Custom::NeptuneMLDataProcessingJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      InputDataS3Location: s3://bucket/export
      ProcessedDataS3Location: s3://bucket/processed
      ProcessingTimeOutInSeconds: 3600
  StartedTraining:
    Type: Custom::NeptuneMLModelTrainingJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      DataProcessingJobId: !GetAtt StartedData.Id
      TrainModelS3Location: s3://bucket/models
      EnableManagedSpotTraining: true
      CustomModelTrainingParameters:
        SourceS3DirectoryPath: s3://bucket/code
        TrainingEntryPointScript: training.py
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
  StartedEndpoint:
    Type: Custom::NeptuneMLEndpoint
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      MlModelTrainingJobId: !GetAtt StartedTraining.Id
      InstanceCount: 2
      CompletionHandle: !If [HasRole, !Ref Handle, !Ref AWS::NoValue]
Outputs:
  Models: {{ Value: !Select [0, !Split [",", !GetAtt Minimal.ModelNames]] }}
  Ref: {{ Value: !Ref Minimal }}
  Status: {{ Value: !GetAtt Minimal.Status }}
  Location: {{ Value: !GetAtt [Minimal, OutputLocation] }}
  Sub: {{ Value: !Sub "${{Minimal.BaseProcessingJobArn}} ${{Minimal.RemoteModelTransformJobArn}} ${{!Minimal.Text}}" }}
  Named: {{ Value: !Sub ["${{Minimal.Name}}", {{ Minimal.Name: !GetAtt Minimal.Id }}] }}
  Other: {{ Value: !GetAtt Other.Anything }}
  Data: {{ Value: !Sub "${{StartedData.ProcessingJobArn}} ${{StartedData.ProcessingJobName}}" }}
  Training: {{ Value: !GetAtt StartedTraining.HpoJobArn }}
  Endpoint: {{ Value: !GetAtt StartedEndpoint.EndpointName }}
"""

OUTPUT = "ModelTransformOutputS3Location: s3://bucket/output"
START = f"{OUTPUT}, TrainingJobName: movies"
WRONGLY_STARTED = {
    "Both": f"Id: movies, {OUTPUT}, Clean: true",
    "NoOutput": "TrainingJobName: movies",
    "NoModel": OUTPUT,
    "HalfModel": f"{OUTPUT}, DataProcessingJobId: data, MlModelTrainingJobId: !Ref AWS::NoValue",
    "HalfModelPerhaps": f"{OUTPUT}, DataProcessingJobId: !If [IsYes, data, !Ref AWS::NoValue]",
    "OnlyWaiting": "WaitForCompletion: true",
    "OutputNotInS3": "TrainingJobName: movies, ModelTransformOutputS3Location: bucket/output",
    "Disk": f"{START}, BaseProcessingInstanceVolumeSizeInGB: 2147483648",
    "DiskWithUnit": f"{START}, BaseProcessingInstanceVolumeSizeInGB: 100GB",
    "OneSubnet": f"{START}, Subnets: subnet-1",
    "NoSubnets": f"{START}, Subnets: []",
    "NoSubnetsLeft": f"{START}, Subnets: [!Ref AWS::NoValue]",
    "EmptyGroup": f'{START}, SecurityGroupIds: [sg-1, !If [IsYes, "", sg-2]]',
    "ListOfGroups": f"{START}, SecurityGroupIds: [[sg-1]]",
    "CustomText": f"{START}, CustomModelTransformParameters: s3://bucket/code",
    "CustomUnknown": f"{START}, CustomModelTransformParameters: "
    "{ SourceS3DirectoryPath: s3://bucket, EntryPointScript: x }",
    "CustomMissing": f"{START}, CustomModelTransformParameters: {{ TransformEntryPointScript: x }}",
    "CustomWrong": f"{START}, CustomModelTransformParameters: "
    "!If [IsYes, { SourceS3DirectoryPath: code }, !Ref AWS::NoValue]",
}


def resource(name: str, properties: str) -> str:
    return (
        f"  {name}:\n    Type: Custom::NeptuneMLModelTransformJob\n"
        f"    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, {properties} }}\n"
    )


WRONG = f"""
Parameters:
  Condition: {{ Type: String }}
Conditions:
  IsYes: !Equals [!Ref Condition, "yes"]
Resources:
  Mistyped:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Id: movies, Endpiont: {ENDPOINT} }}
  LowerCase:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, waitforstop: true }}
  Unknown:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, Zzz: true }}
  NoId:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT} }}
  IdWithoutValue:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: !Ref AWS::NoValue }}
  NoEndpoint:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Id: movies }}
  EndpointWithPath:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: "https://{ENDPOINT}/", Id: movies }}
  NoServiceToken:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ Endpoint: {ENDPOINT}, Id: movies }}
  NoProperties:
    Type: Custom::NeptuneMLModelTransformJob
  Clean:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, Clean: "yes" }}
  WaitForStop:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, WaitForStop: 1 }}
  CleanIf:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, Clean: !If [IsYes, true, maybe] }}
  TimeoutTooLong:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, ServiceTimeout: 3601 }}
  TimeoutZero:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, ServiceTimeout: "0" }}
  TimeoutWithUnit:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, ServiceTimeout: 10m }}
  IdSlash:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies/1 }}
  IdSpace:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: "movies 1" }}
  IdNewline:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: "movies\\n" }}
  IdEmpty:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: "" }}
  IdList:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: [movies] }}
  Token:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: provider, Endpoint: {ENDPOINT}, Id: movies }}
  Role:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, NeptuneIamRoleArn: NeptuneML }}
  RoleOfAnotherService:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, NeptuneIamRoleArn: {TOKEN} }}
{"".join(resource(name, properties) for name, properties in WRONGLY_STARTED.items())}  OtherHost:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: "neptune.example.com:8182", Id: movies }}
  PlainHttp:
    Type: Custom::NeptuneMLModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: !If [IsYes, {ENDPOINT}, "HTTP://{ENDPOINT}"], Id: movies }}
  DataPropertyOfTransform:
    Type: Custom::NeptuneMLDataProcessingJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, ModelTransformOutputS3Location: s3://b }}
  DataNoId:
    Type: Custom::NeptuneMLDataProcessingJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT} }}
  TrainingWithoutData:
    Type: Custom::NeptuneMLModelTrainingJob
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, TrainModelS3Location: s3://bucket/models }}
  TrainingSpot:
    Type: Custom::NeptuneMLModelTrainingJob
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      DataProcessingJobId: movies
      TrainModelS3Location: s3://bucket/models
      EnableManagedSpotTraining: "yes"
  EndpointNoId:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT} }}
  EndpointNoModel:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, InstanceCount: 1 }}
  EndpointBoth:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, InstanceCount: 1 }}
  NearlyOurs:
    Type: Custom::NeptuneModelTransformJob
    Properties: {{ ServiceToken: {TOKEN}-of-whom, Endpiont: {ENDPOINT}, Id: movies }}
  Refused:
    Type: AWS::CloudFormation::CustomResource
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, TrainingJobName: movies }}
  EndpointInstance:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, MlModelTrainingJobId: movies, InstanceType: r5.large }}
  TwoWaysToWait:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ {OURS}, Id: movies, WaitForCompletion: "true", CompletionHandle: !Ref Handle }}
  NoHandle:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ {OURS}, Id: movies, CompletionHandle: !If [IsYes, !Ref Refused, !Ref AWS::NoValue] }}
  Handle:
    Type: AWS::CloudFormation::WaitConditionHandle
Outputs:
  GetAtt: {{ Value: !GetAtt Clean.Statuss }}
  GetAttList: {{ Value: !GetAtt [Clean, Arn] }}
  Sub: {{ Value: !Sub "${{Clean.Outputlocation}}" }}
  OfAnotherType: {{ Value: !GetAtt TrainingSpot.BaseProcessingJobArn }}
"""

MISTAKES = {
    "Mistyped": "'Endpiont' is not a property of Custom::NeptuneMLModelTransformJob; did you mean Endpoint?",
    "LowerCase": "'waitforstop' is not a property of Custom::NeptuneMLModelTransformJob; did you mean WaitForStop?",
    "Unknown": "'Zzz' is not a property of Custom::NeptuneMLModelTransformJob; it has ServiceToken, ServiceTimeout, ",
    "NoId": MISSING,
    "IdWithoutValue": MISSING,
    "NoEndpoint": "'Endpoint' is a required property",
    "EndpointWithPath": f"Endpoint is 'https://{ENDPOINT}/'; it should be host, host:port or https://host:port",
    "NoServiceToken": "'ServiceToken' is a required property",
    "NoProperties": MISSING,
    "Clean": "Clean is 'yes'; it should be true or false",
    "WaitForStop": "WaitForStop is '1'; it should be true or false",
    "CleanIf": "Clean is 'maybe'; it should be true or false",
    "TimeoutTooLong": "ServiceTimeout is '3601'; it should be a whole number of seconds from 1 to 3600",
    "TimeoutZero": "ServiceTimeout is '0'; it should be a whole number of seconds from 1 to 3600",
    "TimeoutWithUnit": "ServiceTimeout is '10m'; it should be a whole number of seconds from 1 to 3600",
    "IdSlash": "Id is 'movies/1'; it should be an ID as Neptune lists it",
    "IdSpace": "Id is 'movies 1'; it should be an ID as Neptune lists it",
    "IdNewline": "Id is 'movies\\n'; it should be an ID as Neptune lists it",
    "IdEmpty": "Id is ''; it should be an ID as Neptune lists it",
    "IdList": "Id is a list; it should be an ID as Neptune lists it",
    "Token": "ServiceToken is 'provider'; it should be an ARN, such as arn:aws:lambda:",
    "Role": "NeptuneIamRoleArn is 'NeptuneML'; it should be the ARN of an IAM role",
    "RoleOfAnotherService": f"NeptuneIamRoleArn is '{TOKEN}'; it should be the ARN of an IAM role",
    "Both": "Id adopts an existing job and cannot be combined with properties of a new one; remove one or the other.",
    "NoOutput": "'ModelTransformOutputS3Location' is a required property",
    "NoModel": "A new job requires DataProcessingJobId and MlModelTrainingJobId, or TrainingJobName",
    "HalfModel": "'MlModelTrainingJobId' is a dependency of 'DataProcessingJobId'",
    "HalfModelPerhaps": "'MlModelTrainingJobId' is a dependency of 'DataProcessingJobId'",
    "OnlyWaiting": MISSING,
    "OutputNotInS3": "ModelTransformOutputS3Location is 'bucket/output'; it should be an S3 location, such as s3://",
    "Disk": "BaseProcessingInstanceVolumeSizeInGB is '2147483648'; it should be a whole number from 0 to 2147483647",
    "DiskWithUnit": "BaseProcessingInstanceVolumeSizeInGB is '100GB'; it should be a whole number from 0 to 2147483647",
    "OneSubnet": "Subnets is 'subnet-1'; it should be a list of one or more non-empty strings",
    "NoSubnets": "expected minimum item count: 1, found: 0",
    "NoSubnetsLeft": "expected minimum item count: 1, found: 0",
    "EmptyGroup": "SecurityGroupIds is ''; it should be a list of one or more non-empty strings",
    "ListOfGroups": "SecurityGroupIds is a list; it should be a list of one or more non-empty strings",
    "CustomText": "CustomModelTransformParameters is 's3://bucket/code'; it should be a map",
    "CustomUnknown": "'EntryPointScript' is not a property of CustomModelTransformParameters; did you mean Trans",
    "CustomMissing": "'SourceS3DirectoryPath' is a required property",
    "CustomWrong": "SourceS3DirectoryPath is 'code'; it should be an S3 location, ",
    "OtherHost": "Endpoint is 'neptune.example.com:8182'; it should be a host under .neptune.amazonaws.com (or ",
    "PlainHttp": f"Endpoint is 'HTTP://{ENDPOINT}'; it should be a host under .neptune.amazonaws.com (or ",
    "TwoWaysToWait": "CompletionHandle and WaitForCompletion exclude each other; keep CompletionHandle if ",
    "NoHandle": "CompletionHandle should be the Ref of an AWS::CloudFormation::WaitConditionHandle.",
    "DataPropertyOfTransform": "'ModelTransformOutputS3Location' is not a property of Custom::NeptuneMLDataProcessing",
    "DataNoId": "Specify Id to adopt an existing job, or InputDataS3Location and ",
    "TrainingWithoutData": "'DataProcessingJobId' is a required property",
    "TrainingSpot": "EnableManagedSpotTraining is 'yes'; it should be true or false",
    "EndpointNoId": "Specify Id to adopt an existing endpoint, or MlModelTrainingJobId, or ",
    "EndpointNoModel": "A new endpoint requires MlModelTrainingJobId, or MlModelTransformJobId",
    "EndpointBoth": "Id adopts an existing endpoint and cannot be combined with properties of a new one; ",
    "EndpointInstance": "InstanceType is 'r5.large'; it should be an Amazon SageMaker instance type, such as ml.r5.",
    "NearlyOurs": "The provider of Amazon Neptune ML resources has no type Custom::NeptuneModelTransformJob; did you ",
    "Refused": "The provider of Amazon Neptune ML resources has no type AWS::CloudFormation::CustomResource; it has ",
    "GetAtt": "'Statuss' is not an attribute of Custom::NeptuneMLModelTransformJob; did you mean Status?",
    "GetAttList": "'Arn' is not an attribute of Custom::NeptuneMLModelTransformJob; did you mean ModelArns?",
    "Sub": "'Outputlocation' is not an attribute of Custom::NeptuneMLModelTransformJob; did you mean OutputLocation?",
    "OfAnotherType": "'BaseProcessingJobArn' is not an attribute of Custom::NeptuneMLModelTrainingJob; did you mean ",
}


# On which line of its resource a mistake stands, if not on that of the properties.
LINES = {"NearlyOurs": 1, "Refused": 1, "TrainingSpot": 7}


def write(directory: Path, text: str) -> Path:
    path = directory / "template.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    findings = lint(write(tmp_path_factory.mktemp("wrong"), WRONG))
    return [finding for finding in findings if finding.rule in OUR_RULES]


def test_right_templates_are_not_reported(tmp_path: Path) -> None:
    findings = lint(write(tmp_path, RIGHT))

    assert [finding for finding in findings if finding.rule[0] == "E" or finding.rule in OUR_RULES] == []


def test_what_may_be_right_is_a_warning(mistakes: list[Finding]) -> None:
    warned = {finding.path[1] for finding in mistakes if finding.rule[0] == "W"}

    assert warned == {"OtherHost", "PlainHttp", "NoHandle"}


@pytest.mark.parametrize(("where", "message"), MISTAKES.items(), ids=MISTAKES)
def test_mistake_is_reported_where_it_stands(mistakes: list[Finding], where: str, message: str) -> None:
    found = [finding for finding in mistakes if finding.path[1] == where]

    assert any(finding.message.startswith(message) for finding in found), found
    first = next(number for number, line in enumerate(WRONG.splitlines(), start=1) if line.startswith(f"  {where}:"))
    assert {finding.line - first for finding in found} <= {0, LINES.get(where, 2)}


def test_nothing_else_is_reported(mistakes: list[Finding]) -> None:
    per_place = {**dict.fromkeys(MISTAKES, 1), "NoProperties": 3, "HalfModelPerhaps": 2}

    assert len(mistakes) == sum(per_place.values())


def test_a_malformed_template_breaks_no_rule(tmp_path: Path) -> None:
    template = f"""\
Parameters:
  Provider: []
Resources:
  Other:
    Type: Custom::Other
    Properties: {{ServiceToken: !Ref Provider}}
  Job:
    Type: Custom::NeptuneMLEndpoint
    Properties: {{ServiceToken: {TOKEN}, Endpoint: {ENDPOINT}, Id: movies, CompletionHandle: {{Ref: [Handle]}}}}
Outputs:
  Status: {{Value: {{"Fn::Sub": ["${{Job.Status}}", 1]}}}}
"""
    findings = lint(write(tmp_path, template))

    assert [it for it in findings if it.rule == "E0002" and any(rule in it.message for rule in OUR_RULES)] == []


def test_a_sam_template_is_checked_too(tmp_path: Path) -> None:
    template = "Transform: AWS::Serverless-2016-10-31\n" + WRONG

    assert MISTAKES["Mistyped"] in {finding.message for finding in lint(write(tmp_path, template))}


def test_a_type_of_which_the_provider_has_none_is_reported(tmp_path: Path) -> None:
    tokens = {
        "ByName": "!ImportValue neptune-ml-provider-ServiceToken",
        "ByDefault": "!ImportValue { 'Fn::Sub': '${Stack}-ServiceToken' }",
        "ByFunction": f"{TOKEN}".replace("function:provider", "function:neptune-ml-provider-Provider-AbC123"),
        "Shared": "!Ref Token",  # as another resource of ours has it
        "TheirsByReference": "!Ref TheirToken",
        "TheirsByArn": TOKEN,
        "TheirsByName": "!ImportValue neptune-ml-provider-LogGroup",
    }
    resources = "\n".join(
        f'  {name}: {{ Type: "Custom::Job", Properties: {{ ServiceToken: {token} }} }}'
        for name, token in tokens.items()
    )
    template = f"""
Parameters:
  Stack: {{ Type: String, Default: neptune-ml-provider }}
  Token: {{ Type: String }}
  TheirToken: {{ Type: String }}
Resources:
  Ours: {{ Type: "Custom::NeptuneMLEndpoint", Properties: {{ ServiceToken: !Ref Token, Endpoint: {ENDPOINT}, Id: a }} }}
{resources}
"""
    found = lint(write(tmp_path, template))
    reported = {finding.path[1] for finding in found if finding.rule == "E9381"}
    assert reported == {"ByName", "ByDefault", "ByFunction", "Shared"}


@pytest.mark.parametrize(
    ("name", "near"),
    {
        "NeptuneMlModelTransformJob": "ModelTransformJob",
        "NeptuneModelTransformJob": "ModelTransformJob",
        "NeptuneMLTransformJob": "ModelTransformJob",
        "NeptuneMLModelTransformJobs": "ModelTransformJob",
        "Neptune-ML-Model-Transform-Job": "ModelTransformJob",
        "NeptuneMLTrainingJob": "ModelTrainingJob",
        "NeptuneMLProcessingJob": "DataProcessingJob",
        "NeptuneMlEndpoint": "Endpoint",
        "NeptuneDBEndpoint": "",
        "SageMakerModelTransformJob": "",
        "NeptuneMLModelTransformJobStarter": "",
        "Job": "",
    }.items(),
)
def test_a_type_that_is_nearly_ours_is_reported(name: str, near: str) -> None:
    assert _near_type(f"Custom::{name}") == (f"Custom::NeptuneML{near}" if near else "")


# --- the schemas ------------------------------------------------------------------------------------------------------

of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
ROWS = {f"{kind.parameter}.{row.name}": (kind, row) for kind in KINDS for row in schema_of(kind.schema).rows}
TEXTS = [
    "",
    " ",
    "a",
    "a b",
    "a/b",
    "..",
    "movies\n",
    "s3://bucket/a",
    "s3://",
    "ml.r5.large",
    "r5.large",
    "a:1",
    "http://a",
]
TEXTS += [f"https://{ENDPOINT}", f"https://{ENDPOINT}/", TOKEN, "arn:aws:iam::123456789012:role/a", "arn:aws:s3"]
VALUES: dict[str, list[object]] = {
    "Boolean": [True, False],
    "Integer": [-1, 0, 1, 3600, 3601, 2**31 - 1, 2**31],
    "Array of String": [[], ["a"], ["a", ""], [["a"]]],
    "Map": [],
    "String": [*TEXTS],
}


@of_each_kind
def test_a_schema_is_one(kind: Kind) -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMAS[kind.resource_type])


def is_right(schema: Mapping[str, object], value: object) -> bool:
    return jsonschema.Draft7Validator(schema).is_valid(value)


def takes(row: Property[Any], value: object) -> bool:
    try:
        row.type.parse(value)
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("name", ROWS)
def test_schema_and_provider_judge_a_value_alike(name: str) -> None:
    kind, row = ROWS[name]
    schema, others = SCHEMAS[kind.resource_type]["properties"][row.name], {"a": 1}
    values = VALUES[row.type.name]
    assert [it for it in values if is_right(schema, it)] == [it for it in values if takes(row, it)]
    assert is_right(schema, others) is False


@given(text=st.text())
def test_no_schema_refuses_a_text_that_the_provider_takes(text: str) -> None:
    for kind, row in ROWS.values():
        if row.type.name == "String" and takes(row, text):
            assert is_right(SCHEMAS[kind.resource_type]["properties"][row.name], text), (row.name, text)


@of_each_kind
@given(data=st.data())
def test_schema_and_provider_judge_alike_which_properties_go_together(kind: Kind, data: st.DataObject) -> None:
    rights = {
        "String": "s3://bucket/a",
        "Boolean": True,
        "Integer": 1,
        "Array of String": ["a"],
        "Map": {"SourceS3DirectoryPath": "s3://bucket"},
    }
    named = {"ServiceToken": TOKEN, "Endpoint": ENDPOINT, "CompletionHandle": "https://handle"}
    rows = schema_of(kind.schema).rows
    chosen = data.draw(st.sets(st.sampled_from(rows)))
    properties = {}
    for row in chosen:
        value: object = named.get(row.name, rights[row.type.name])
        value = "movies" if row.name.endswith(("Id", "Name")) else value
        value = "arn:aws:iam::123456789012:role/a" if row.name.endswith("RoleArn") else value
        properties[row.name] = "ml.r5.large" if row.name.endswith("InstanceType") else value
    try:
        schema_of(kind.schema).parse(properties)
    except InvalidProperties as error:
        assert not is_right(SCHEMAS[kind.resource_type], properties), (properties, error)  # noqa: PT017
    else:
        assert is_right(SCHEMAS[kind.resource_type], properties), properties


@pytest.mark.parametrize("scheme", ["", "https://", "http://"])
@pytest.mark.parametrize(
    "host", [ENDPOINT, "localhost", "a.neptune.s3.amazonaws.com", "a.neptune.cn-north-1.amazonaws.com.cn"]
)
@pytest.mark.parametrize("port", ["", f":{DEFAULT_PORT}"])
def test_schema_and_provider_judge_hosts_alike(scheme: str, host: str, port: str) -> None:
    endpoint = f"{scheme}{host}{port}"
    is_allowed = not problem_of(ENDPOINT_TYPE.parse(endpoint), Hosts.of_clusters())
    for schema in SCHEMAS.values():
        assert is_right({"pattern": schema["clusters"]["pattern"]}, endpoint) is is_allowed
