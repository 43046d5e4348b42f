from __future__ import annotations

import shutil
from itertools import combinations
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from cfnlint.helpers import load_plugins  # type: ignore[import-untyped]
from cfnlint.template import Template  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from provider import values
from provider.clock import Clock
from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts, problem_of
from provider.journal.entry import RequestType
from provider.journal.memory import Memory
from provider.kinds import DATA_PROCESSING_JOB, KINDS, MODEL_TRAINING_JOB, MODEL_TRANSFORM_JOB
from provider.kinds import ENDPOINT as ENDPOINT_KIND
from provider.kinds.common import ENDPOINT as ENDPOINT_ROW
from provider.lifecycle import Asked, Lifecycle, Patience, Told
from provider.schema import InvalidProperties
from tests.cfn_lint.linting import ENDPOINT, OUR_RULES, RULES, TOKEN, Finding, lint

if TYPE_CHECKING:
    from pathlib import Path

    from provider.kinds.kind import Kind
    from provider.schema import Property
    from provider.values import ValueType

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
  StartedEndpoint:
    Type: Custom::NeptuneMLEndpoint
    Properties:
      ServiceToken: {TOKEN}
      Endpoint: {ENDPOINT}
      MlModelTrainingJobId: !GetAtt StartedTraining.Id
      InstanceCount: 2
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
    "NoId": "Specify Id to adopt an existing job, or ModelTransformOutputS3Location with ",
    "IdWithoutValue": "Specify Id to adopt an existing job, or ",
    "NoEndpoint": "Endpoint is missing; Custom::NeptuneMLModelTransformJob requires it",
    "EndpointWithPath": f"Endpoint is 'https://{ENDPOINT}/'; it should be host, host:port or https://host:port",
    "NoServiceToken": "ServiceToken is missing; Custom::NeptuneMLModelTransformJob requires it",
    "NoProperties": "Specify Id to adopt an existing job, or ",
    "Clean": "Clean is 'yes'; it should be true or false",
    "WaitForStop": "WaitForStop is '1'; it should be true or false",
    "CleanIf": "Clean is 'maybe'; it should be true or false",
    "TimeoutTooLong": "ServiceTimeout is '3601'; it should be a whole number of seconds from 1 to 3600",
    "TimeoutZero": "ServiceTimeout is '0'; it should be a whole number of seconds from 1 to 3600",
    "TimeoutWithUnit": "ServiceTimeout is '10m'; it should be a whole number of seconds from 1 to 3600",
    "IdSlash": "Id is 'movies/1'; it should be an id as Neptune lists it, without whitespace",
    "IdSpace": "Id is 'movies 1'; it should be an id as Neptune lists it, without whitespace",
    "IdNewline": "Id is 'movies\\n'; it should be an id as Neptune lists it, without whitespace",
    "IdEmpty": "Id is ''; it should be an id as Neptune lists it, without whitespace",
    "IdList": "Id is a list; it should be an id as Neptune lists it, without whitespace",
    "Token": "ServiceToken is 'provider'; it should be an ARN, such as arn:aws:lambda:",
    "Role": "NeptuneIamRoleArn is 'NeptuneML'; it should be the ARN of an IAM role",
    "RoleOfAnotherService": f"NeptuneIamRoleArn is '{TOKEN}'; it should be the ARN of an IAM role",
    "Both": "Id adopts an existing job and cannot be combined with properties of a new one "
    "(ModelTransformOutputS3Location)",
    "NoOutput": "ModelTransformOutputS3Location is missing; a new job requires it",
    "NoModel": "A new job requires DataProcessingJobId and MlModelTrainingJobId, or TrainingJobName",
    "HalfModel": "MlModelTrainingJobId is missing; specify it together with DataProcessingJobId",
    "HalfModelPerhaps": "MlModelTrainingJobId is missing; specify it together with DataProcessingJobId",
    "OnlyWaiting": "Specify Id to adopt an existing job, or ",
    "OutputNotInS3": "ModelTransformOutputS3Location is 'bucket/output'; it should be an S3 location, such as s3://",
    "Disk": "BaseProcessingInstanceVolumeSizeInGB is '2147483648'; it should be a whole number from 0 to 2147483647",
    "DiskWithUnit": "BaseProcessingInstanceVolumeSizeInGB is '100GB'; it should be a whole number from 0 to 2147483647",
    "OneSubnet": "Subnets is 'subnet-1'; it should be a list of one or more non-empty strings",
    "NoSubnets": "Subnets is a list; it should be a list of one or more non-empty strings",
    "NoSubnetsLeft": "Subnets is a list; it should be a list of one or more non-empty strings",
    "EmptyGroup": "SecurityGroupIds is a list; it should be a list of one or more non-empty strings",
    "ListOfGroups": "SecurityGroupIds is a list; it should be a list of one or more non-empty strings",
    "CustomText": "CustomModelTransformParameters is 's3://bucket/code'; it should be a map",
    "CustomUnknown": "'EntryPointScript' is not a property of CustomModelTransformParameters; did you mean Trans",
    "CustomMissing": "CustomModelTransformParameters.SourceS3DirectoryPath is missing; CustomModelTransformParameters ",
    "CustomWrong": "CustomModelTransformParameters.SourceS3DirectoryPath is 'code'; it should be an S3 location, ",
    "OtherHost": "Endpoint is 'neptune.example.com:8182'; it should be a host under .neptune.amazonaws.com (or ",
    "PlainHttp": f"Endpoint is 'HTTP://{ENDPOINT}'; it should be an https:// endpoint; http:// is only for hosts in ",
    "DataPropertyOfTransform": "'ModelTransformOutputS3Location' is not a property of Custom::NeptuneMLDataProcessing",
    "DataNoId": "Specify Id to adopt an existing job, or InputDataS3Location and "
    "ProcessedDataS3Location, for a new one",
    "TrainingWithoutData": "DataProcessingJobId is missing; a new job requires it",
    "TrainingSpot": "EnableManagedSpotTraining is 'yes'; it should be true or false",
    "EndpointNoId": "Specify Id to adopt an existing endpoint, or MlModelTrainingJobId, or "
    "MlModelTransformJobId, for a new one",
    "EndpointNoModel": "A new endpoint requires MlModelTrainingJobId, or MlModelTransformJobId",
    "EndpointBoth": "Id adopts an existing endpoint and cannot be combined with properties of a new one "
    "(InstanceCount); ",
    "NearlyOurs": "Custom::NeptuneModelTransformJob is not checked; did you mean Custom::NeptuneMLModelTransformJob?",
    "Refused": "the provider refuses AWS::CloudFormation::CustomResource; write Custom::NeptuneMLModelTransformJob",
    "EndpointInstance": "InstanceType is 'r5.large'; it should be an Amazon SageMaker instance type, such as ml.r5.",
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

    assert warned == {"OtherHost", "PlainHttp", "NearlyOurs", "EndpointInstance"}


@pytest.mark.parametrize(("where", "message"), MISTAKES.items(), ids=MISTAKES)
def test_mistake_is_reported_where_it_stands(mistakes: list[Finding], where: str, message: str) -> None:
    found = [finding for finding in mistakes if finding.path[1] == where]

    assert any(finding.message.startswith(message) for finding in found), found
    first = next(number for number, line in enumerate(WRONG.splitlines(), start=1) if line.startswith(f"  {where}:"))
    assert {finding.line - first for finding in found} <= {0, LINES.get(where, 2)}


def test_nothing_else_is_reported(mistakes: list[Finding]) -> None:
    per_place = {**dict.fromkeys(MISTAKES, 1), "NoProperties": 3}  # all that is required is missing

    assert len(mistakes) == sum(per_place.values())


def test_one_file_and_a_cfnlintrc_are_enough(tmp_path: Path) -> None:
    (tmp_path / "lint").mkdir()
    shutil.copy(RULES / "neptune_ml.py", tmp_path / "lint")
    (tmp_path / ".cfnlintrc").write_text("append_rules:\n  - lint\n")

    findings = lint(write(tmp_path, WRONG), options=(), cwd=tmp_path)

    assert MISTAKES["Mistyped"] in {finding.message for finding in findings}


def test_a_sam_template_is_checked_too(tmp_path: Path) -> None:
    template = "Transform: AWS::Serverless-2016-10-31\n" + WRONG

    assert MISTAKES["Mistyped"] in {finding.message for finding in lint(write(tmp_path, template))}


# --- the rules and the provider judge alike ---------------------------------------------------------------------------

LOADED: dict[str, Any] = {rule.id: rule for rule in load_plugins(str(RULES))}
of_each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.noun)
COMMON: dict[str, object] = {"ServiceToken": TOKEN, "Endpoint": ENDPOINT}
ADOPTED = COMMON | {"Id": "movies"}
STARTS: dict[Kind, dict[str, object]] = {
    DATA_PROCESSING_JOB: {"InputDataS3Location": "s3://bucket/in", "ProcessedDataS3Location": "s3://bucket/out"},
    MODEL_TRAINING_JOB: {"DataProcessingJobId": "data", "TrainModelS3Location": "s3://bucket/models"},
    MODEL_TRANSFORM_JOB: {"ModelTransformOutputS3Location": "s3://bucket/output", "TrainingJobName": "movies"},
    ENDPOINT_KIND: {"MlModelTrainingJobId": "movies-training"},
}
PAIR: dict[str, object] = {"DataProcessingJobId": "data", "MlModelTrainingJobId": "training"}
NO_VALUE = {"Ref": "AWS::NoValue"}


def messages(kind: Kind, properties: dict[str, object], rule: str = "E9382") -> list[str]:
    resource = {"Type": kind.resource_type, "Properties": properties}
    return [match.message for match in LOADED[rule].match(Template(None, {"Resources": {"Job": resource}}))]


def as_sent(value: object) -> Any:  # noqa: ANN401 - as JSON has it
    """As CloudFormation sends it: every scalar is a string."""
    if isinstance(value, dict):
        return {name: as_sent(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_sent(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


class NotRefusedError(Exception):
    """The provider is about to ask Neptune."""


def not_refused(_: object) -> NoReturn:
    raise NotRefusedError


def refusal(kind: Kind, properties: dict[str, object]) -> str:
    """Why the provider refuses it; empty if it does not."""
    schema, clusters = schema_of(kind.schema), Hosts.of_clusters(["localhost"])
    lifecycle = Lifecycle(kind, schema, clusters, not_refused, Memory(), Clock(), may_start=True)
    asked = Asked(RequestType.CREATE, "request", "arn:aws:cloudformation:::stack/a/b", "Job", "", as_sent(properties))
    try:
        told = lifecycle.look(asked, Patience(), send=lambda *_: True, check=lambda _: "")
    except NotRefusedError:
        return ""
    assert isinstance(told, Told)
    return told.reason


def is_reported(kind: Kind, properties: dict[str, object]) -> bool:
    return bool(messages(kind, properties))


def is_refused(kind: Kind, properties: dict[str, object]) -> bool:
    return bool(refusal(kind, properties))


def is_seen_by_the_provider_alone(row: Property[Any]) -> bool:
    """Whether it sees more than a pattern can: bytes, invisible characters, which ports and hosts there can be."""
    return row.type in (values.ENDPOINT, values.JOB_ID)


texts = st.one_of(
    st.text(max_size=8),
    st.from_regex(r"[Tt][Rr][Uu][Ee]|[0-9]{1,11}|[a-z./ -]{1,12}", fullmatch=True),
    st.from_regex(r"arn:aws:(iam|lambda):[a-z1-]{0,4}:[0-9]{11,12}:(role/)?[a-z]{0,3}", fullmatch=True),
    st.from_regex(r"(https?://)?localhost(:[0-9]{1,5})?/?", fullmatch=True),
    st.from_regex(r"s3://[a-zA-Z0-9.-]{0,4}(/.{0,3}\n?)?", fullmatch=True),
)
scalars = texts | st.integers(-1, 2**32) | st.booleans()
lists = st.lists(scalars, max_size=3)
maps = st.dictionaries(
    st.sampled_from(["SourceS3DirectoryPath", "TrainingEntryPointScript", "sourceS3DirectoryPath", "Id"]),
    scalars | st.just("s3://bucket/code") | lists,
    max_size=3,
)
literals = scalars | lists | maps
rights_by_type: dict[ValueType[Any], st.SearchStrategy[object]] = {
    values.BOOLEAN: st.booleans(),
    values.INTEGER: st.integers(0, 2**31 - 1),
    values.COUNT: st.integers(1, 2**31 - 1),
    values.JOB_ID: st.just("movies"),
    values.MAP: st.just({"SourceS3DirectoryPath": "s3://bucket/code"}),
    values.ROLE_ARN: st.just("arn:aws:iam::123456789012:role/SageMaker"),
    values.S3_URL: st.just("s3://bucket/output"),
    values.STRING: st.just("ml.r5.4xlarge"),
    values.STRINGS: st.lists(st.sampled_from(["subnet-1", 2]), min_size=1, max_size=2),
}
rights: dict[Kind, dict[str, st.SearchStrategy[object]]] = {
    kind: {row.name: rights_by_type[row.type] for row in kind.properties if row.name not in COMMON} for kind in KINDS
}


def judge(kind: Kind, row: Property[Any], value: object) -> None:
    """Assert that the rules and the provider judge alike of a value in an otherwise right resource."""
    properties = {**(COMMON | STARTS[kind] if row.describes else ADOPTED), row.name: value}
    if kind is MODEL_TRANSFORM_JOB and row.name in PAIR:
        properties = PAIR | properties

    if is_seen_by_the_provider_alone(row):
        assert is_refused(kind, properties) or not is_reported(kind, properties)
    else:
        assert is_reported(kind, properties) == is_refused(kind, properties)


@of_each_kind
@given(data=st.data())
def test_rules_and_provider_judge_alike(kind: Kind, data: st.DataObject) -> None:
    judge(kind, data.draw(st.sampled_from(schema_of(kind.schema).rows)), data.draw(literals))


EDGES: tuple[tuple[ValueType[Any], object], ...] = (
    (values.TIMEOUT, "0001"),
    (values.TIMEOUT, "0003600"),
    (values.TIMEOUT, "00000"),
    (values.TIMEOUT, "3600\n"),
    (values.TIMEOUT, "9" * 5000),
    (values.INTEGER, 2**31),
    (values.COUNT, 0),
    (values.INTEGER, "0000000001"),
    (values.INTEGER, "00000000001"),
    (values.S3_URL, "s3://bucket/\n"),
    (values.STRING, "\n"),
    (values.STRINGS, [""]),
)


def test_every_kind_of_jobs_has_properties_of_each_of_these_types() -> None:
    edges = {type_ for type_, _ in EDGES} - {values.COUNT}
    lacking = {kind.resource_type: edges - {row.type for row in schema_of(kind.schema).rows} for kind in KINDS}
    assert {name for name, types in lacking.items() if types} == {ENDPOINT_KIND.resource_type}
    assert values.COUNT in {row.type for row in ENDPOINT_KIND.schema.rows}


@pytest.mark.parametrize(("type_", "value"), EDGES)
@of_each_kind
def test_rules_and_provider_judge_alike_at_the_edges(kind: Kind, type_: ValueType[Any], value: object) -> None:
    rows = [row for row in schema_of(kind.schema).rows if row.type == type_]
    for row in rows:
        judge(kind, row, value)


@pytest.mark.parametrize("length", [1024, 1025])
@of_each_kind
def test_an_id_that_is_too_long_is_refused_whether_it_is_reported_or_not(kind: Kind, length: int) -> None:
    judge(kind, kind.adopts, "x" * length)


def test_every_service_timeout_is_judged_alike() -> None:
    for value in range(-2, 4000):
        properties = {**ADOPTED, "ServiceTimeout": value}
        assert is_reported(MODEL_TRANSFORM_JOB, properties) == is_refused(MODEL_TRANSFORM_JOB, properties), value


@pytest.mark.parametrize(
    ("kind", "more", "ways_to_start"),
    # What is right of a job that is started: one of three sets of model properties, or all that is required.
    [(DATA_PROCESSING_JOB, {}, 1), (MODEL_TRAINING_JOB, {}, 1), (MODEL_TRANSFORM_JOB, PAIR, 3)],
    ids=lambda value: getattr(value, "noun", ""),
)
def test_which_properties_go_together_is_judged_alike_and_in_the_same_words(
    kind: Kind, more: dict[str, object], ways_to_start: int
) -> None:
    given_values = {**ADOPTED, **STARTS[kind], **more}
    given_values |= {"SagemakerIamRoleArn": "arn:aws:iam::123456789012:role/SageMaker", "Clean": True}
    right = 0
    for count in range(len(given_values) + 1):
        for names in combinations(given_values, count):
            properties = {name: given_values[name] for name in names}
            expected = refusal(kind, properties)
            right += not expected
            assert " ".join(f"{message}." for message in messages(kind, properties)) == expected
    # Adopted or not, clean or not; started in one of these ways, with a role or without.
    assert right == 1 * 2 + ways_to_start * 2 * 2


@of_each_kind
@given(data=st.data())
def test_what_is_right_under_some_condition_is_not_reported(kind: Kind, data: st.DataObject) -> None:
    one, other = (data.draw(st.fixed_dictionaries({}, optional=rights[kind])) for _ in range(2))
    judge_branches(kind, one, other)


@of_each_kind
def test_what_is_adopted_or_started_by_a_condition_is_not_reported(kind: Kind) -> None:
    judge_branches(kind, {"Id": "movies"}, STARTS[kind])
    judge_branches(kind, {"Id": "movies"}, {})
    judge_branches(kind, {}, STARTS[kind])


def judge_branches(kind: Kind, one: dict[str, object], other: dict[str, object]) -> None:
    """Assert that what the rules report is wrong under either condition."""
    properties = dict(COMMON)
    for name in rights[kind]:
        branches = [one.get(name, NO_VALUE), other.get(name, NO_VALUE)]
        properties[name] = branches[0] if branches[0] == branches[1] else {"Fn::If": ["IsSo", *branches]}

    is_wrong = [is_refused(kind, COMMON | branch) for branch in (one, other)]

    assert is_reported(kind, properties) <= all(is_wrong)
    if one == other:
        assert is_reported(kind, properties) == all(is_wrong)


@given(
    texts | st.from_regex(r"(http://)?[a-z]{1,3}\.neptune(\.cn-x)?\.amazonaws\.(com|com\.cn|eu)(:81)?", fullmatch=True)
)
@example("http://a.neptune.amazonaws.com")
@example("https://A.Neptune.amazonaws.com.cn:8182")
@example("a.neptune.cn-north-1.amazonaws.com.cn")
@example("a.neptune.cn-north-1.amazonaws.com")
@example("localhost")
def test_hosts_are_judged_alike_and_in_the_same_words(endpoint: str) -> None:
    try:
        expected = problem_of(ENDPOINT_ROW.type.parse(endpoint), Hosts.of_clusters())
    except ValueError:
        return

    problem = f"Endpoint is '{endpoint}'; it should be {expected.rstrip('.')}"

    for kind in KINDS:
        assert messages(kind, {"Endpoint": endpoint}, "W9382") == ([problem] if expected else [])


def test_an_endpoint_that_is_none_has_no_host_to_warn_of() -> None:
    assert messages(MODEL_TRANSFORM_JOB, {"Endpoint": "local host"}, "W9382") == []


HANDLES = {
    "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
    "Trained": {"Type": "AWS::CloudFormation::WaitCondition"},
}


def warnings_of_handle(kind: Kind, value: object) -> list[str]:
    resources = {**HANDLES, "Job": {"Type": kind.resource_type, "Properties": {**ADOPTED, "CompletionHandle": value}}}
    found = LOADED["W9383"].match(Template(None, {"Resources": resources}))
    assert all(match.path[:4] == ["Resources", "Job", "Properties", "CompletionHandle"] for match in found)
    return [match.message for match in found]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ({"Ref": "Trained"}, "the Ref of Trained, AWS::CloudFormation::WaitCondition"),
        ({"Fn::GetAtt": ["Handle", "Id"]}, "an attribute of Handle"),
        ({"Fn::GetAtt": "Handle.Id"}, "an attribute of Handle"),
        ("https://example.com/x?X-Amz-Signature=x", "a literal URL"),
        ({"Fn::If": ["Waits", {"Ref": "Trained"}, {"Ref": "AWS::NoValue"}]}, "the Ref of Trained, AWS::Cl"),
    ],
)
@of_each_kind
def test_what_is_no_handle_is_warned_of(kind: Kind, value: object, what: str) -> None:
    (message,) = warnings_of_handle(kind, value)
    assert message.startswith(f"CompletionHandle is {what}")
    assert message.endswith("; it should be the Ref of an AWS::CloudFormation::WaitConditionHandle")


@pytest.mark.parametrize(
    "value",
    [
        {"Ref": "Handle"},
        {"Ref": "HandleOfAnotherStack"},  # a parameter
        {"Fn::ImportValue": "handle"},
        {"Fn::GetAtt": ["Nested", "Outputs.Handle"]},
        {"Fn::If": ["Waits", {"Ref": "Handle"}, {"Ref": "AWS::NoValue"}]},
        "Handle",  # which is an error
        ["Handle"],
        None,
    ],
)
def test_what_may_be_a_handle_is_not_warned_of(value: object) -> None:
    assert warnings_of_handle(MODEL_TRAINING_JOB, value) == []


@of_each_kind
def test_a_handle_that_is_no_url_or_stands_beside_another_way_to_wait_is_an_error(kind: Kind) -> None:
    handle = {"CompletionHandle": {"Ref": "Handle"}}
    wrong = "it should be the Ref of an AWS::CloudFormation::WaitConditionHandle"
    assert messages(kind, {**ADOPTED, "CompletionHandle": "Handle"}) == [f"CompletionHandle is 'Handle'; {wrong}"]
    both = (
        "CompletionHandle and WaitForCompletion are mutually exclusive; keep CompletionHandle if the job may take "
        "longer than an hour"
    )
    for true in (True, "true", "True", {"Fn::If": ["Waits", True, "true"]}):
        assert messages(kind, {**ADOPTED, **handle, "WaitForCompletion": true}) == [both]
    for other in (False, "false", {"Ref": "Waits"}, {"Fn::If": ["Waits", True, False]}):
        assert messages(kind, {**ADOPTED, **handle, "WaitForCompletion": other}) == []
    perhaps = {"CompletionHandle": {"Fn::If": ["Waits", {"Ref": "Handle"}, {"Ref": "AWS::NoValue"}]}}
    assert messages(kind, {**ADOPTED, **perhaps, "WaitForCompletion": True}) == []


@pytest.mark.parametrize(
    "properties",
    [{**ADOPTED, name: "value"} for name in ("Endpont", "endpoint", "Ids", "Region", "Timeout", "IamRoleArn", "Zzz")]
    + [{**ADOPTED, "Clean": "yes", "Endpoint": "a b"}, {**ADOPTED, "Id": "movies 1", "ServiceTimeout": 0}, COMMON],
    ids=lambda properties: str(list(properties.items())[-1]),
)
@of_each_kind
def test_messages_are_the_providers_own(kind: Kind, properties: dict[str, object]) -> None:
    are_in_the_providers_words(kind, properties)


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, "Subnets", []) for kind in KINDS]
    + [
        (kind, row.name, value)
        for kind in KINDS
        for row in kind.properties
        if row.members
        for value in ({"Script": "x"}, {"SourceS3DirectoryPath": "code"})
    ]
    + [(MODEL_TRAINING_JOB, "EnableManagedSpotTraining", "yes")],
    ids=lambda value: getattr(value, "noun", None) or str(value),
)
def test_messages_of_a_started_job_are_the_providers_own(kind: Kind, name: str, value: object) -> None:
    are_in_the_providers_words(kind, {**COMMON, **STARTS[kind], name: value})


def are_in_the_providers_words(kind: Kind, properties: dict[str, object]) -> None:
    with pytest.raises(InvalidProperties) as refused:
        schema_of(kind.schema).parse(as_sent(properties))

    said = {message if message.endswith(("?", ".")) else f"{message}." for message in messages(kind, properties)}
    assert all(message in str(refused.value) for message in said)
    assert sum(map(len, said)) + len(said) - 1 == len(str(refused.value))


@pytest.mark.parametrize(
    ("kind", "properties"),
    [
        (MODEL_TRANSFORM_JOB, {"DataProcessingJobId": "data", "MLModelTrainingJobID": "training"}),
        (MODEL_TRANSFORM_JOB, {"DataProcessingJobID": "data"}),
        (MODEL_TRANSFORM_JOB, {"trainingJobName": "movies"}),
        (MODEL_TRANSFORM_JOB, {"TrainingJobName": "movies", "MLModelTrainingJobID": "training"}),
        (MODEL_TRANSFORM_JOB, {"TrainingJobName": "movies", "CustomModelTransformParameters": {"SourceS3": "s3://b"}}),
        (MODEL_TRAINING_JOB, {"DataProcessingJobID": "data"}),
        (ENDPOINT_KIND, {"MLModelTrainingJobID": "training"}),
        (ENDPOINT_KIND, {"ID": "movies"}),
        (ENDPOINT_KIND, {"Id": "movies", "MLModelTrainingJobID": "training"}),
    ],
    ids=lambda value: getattr(value, "noun", None) or str(list(value)),
)
def test_what_is_mistyped_is_not_called_missing_too(kind: Kind, properties: dict[str, object]) -> None:
    started = {"ModelTransformOutputS3Location": "s3://bucket", "TrainModelS3Location": "s3://bucket"}
    properties = {**COMMON, **{it.name: started[it.name] for it in kind.properties if it.name in started}, **properties}
    if "Id" in properties or "ID" in properties:
        properties = {name: value for name, value in properties.items() if name not in started}
    are_in_the_providers_words(kind, properties)
    said = messages(kind, properties)
    assert [message for message in said if "did you mean" not in message and "together with" not in message] == []


@pytest.mark.parametrize("value", ["r5.large", "ML.r5.large", "large", {"Fn::If": ["IsSo", "r5.large", "ml.r5.large"]}])
@of_each_kind
def test_an_instance_type_of_another_service_is_warned_of(kind: Kind, value: object) -> None:
    for row in kind.properties:
        found = messages(kind, {row.name: value}, "W9384")
        assert len(found) == row.name.endswith("InstanceType"), row.name
        assert all(message.startswith(f"{row.name} is ") for message in found)


@pytest.mark.parametrize(
    "value", ["ml.r5.large", {"Ref": "InstanceType"}, "{{resolve:ssm:/instance}}", "", ["r5.large"]]
)
def test_what_may_be_an_instance_type_is_not_warned_of(value: object) -> None:
    assert messages(ENDPOINT_KIND, {"InstanceType": value}, "W9384") == []


CUSTOM = "AWS::CloudFormation::CustomResource"
BY_NAME = {"Fn::ImportValue": "neptune-ml-provider-ServiceToken"}
BY_ARN = "arn:aws:lambda:us-east-1:123456789012:function:neptune-ml-provider-Provider-q3Xb8YvLw2Tz"
BY_PARAMETER = {"Fn::ImportValue": {"Fn::Sub": "${ProviderStack}-ServiceToken"}}


def refused(type_: str, properties: object, *others: object, parameter: object = "neptune-ml-provider") -> list[str]:
    """Whatever E9381 says of a type, beside resources of ours with other tokens."""
    resources: dict[str, Any] = {"Job": {"Type": type_, "Properties": properties}}
    for number, token in enumerate(others):
        resources[f"Other{number}"] = {"Type": ENDPOINT_KIND.resource_type, "Properties": {"ServiceToken": token}}
    parameters = {
        "ProviderStack": {"Type": "String", "Default": parameter},
        "ProviderToken": {"Type": "String", "Default": BY_ARN},
        "Token": {"Type": "String"},
    }
    template = Template(None, {"Parameters": parameters, "Resources": resources})
    found = LOADED["E9381"].match(template)
    assert all(match.path == ["Resources", "Job", "Type"] for match in found)
    return [match.message for match in found]


@pytest.mark.parametrize("type_", [CUSTOM, "Custom::Job"])
@pytest.mark.parametrize(
    ("token", "others"),
    [
        (BY_NAME, ()),
        (BY_PARAMETER, ()),
        (
            {"Fn::ImportValue": {"Fn::Join": ["", [{"Ref": "ProviderStack"}, "-ServiceToken"]]}},
            (),
        ),  # as the CDK writes it
        ({"Fn::ImportValue": {"Fn::Sub": ["${Name}-ServiceToken", {"Name": {"Ref": "ProviderStack"}}]}}, ()),
        ({"Fn::If": ["IsSo", BY_NAME, {"Ref": "Token"}]}, ()),
        ({"Ref": "ProviderToken"}, ()),
        (BY_ARN, ()),
        ({"Ref": "Token"}, ({"Ref": "Token"},)),
        (TOKEN, ("another", TOKEN)),
        ({"Fn::GetAtt": ["Stack", "Outputs.Token"]}, ({"Fn::GetAtt": ["Stack", "Outputs.Token"]},)),
    ],
)
def test_a_type_that_the_provider_refuses_is_an_error(type_: str, token: object, others: tuple[object, ...]) -> None:
    properties = {"ServiceToken": token, "Endpoint": ENDPOINT, "MlModelTransformJobId": "movies"}
    expected = f"the provider refuses {type_}; write Custom::NeptuneMLEndpoint"
    assert refused(type_, properties, *others) == [expected]
    adopting = {"ServiceToken": token, "Endpoint": ENDPOINT, "Id": "movies"}
    (message,) = refused(type_, adopting, *others)
    assert message.startswith(f"the provider refuses {type_}; write one of Custom::NeptuneMLDataProcessingJob, ")


def test_a_mistyped_type_that_the_provider_refuses_is_said_once() -> None:
    type_ = "Custom::NeptuneMlModelTransformJob"
    assert refused(type_, {"ServiceToken": BY_NAME}) == [
        f"the provider refuses {type_}; write {MODEL_TRANSFORM_JOB.resource_type}"
    ]
    template = Template(None, {"Resources": {"Job": {"Type": type_, "Properties": {"ServiceToken": BY_NAME}}}})
    assert LOADED["W9381"].match(template) == []


@pytest.mark.parametrize(
    ("type_", "properties", "others"),
    [
        (CUSTOM, {"ServiceToken": TOKEN}, ()),
        (CUSTOM, {"ServiceToken": {"Ref": "Token"}}, (TOKEN, {"Ref": "ProviderStack"})),
        (CUSTOM, {"Endpoint": ENDPOINT}, (None,)),
        (CUSTOM, {"ServiceToken": {"Fn::Join": ["", {"Ref": "ProviderStack"}]}}, ()),
        (CUSTOM, {"ServiceToken": {"Fn::Sub": ["${Token}", "neptune-ml-provider"]}}, ()),
        (CUSTOM, [BY_NAME], ()),
        (CUSTOM, {"ServiceToken": {"Fn::ImportValue": "neptune-ml-provider-LogGroup"}}, ()),
        ("AWS::Lambda::Permission", {"ServiceToken": BY_NAME}, ()),
        ("Custom::NeptuneMLEndpoint", {"ServiceToken": BY_NAME}, ()),
    ],
)
def test_a_type_that_may_be_of_another_provider_is_none(
    type_: str, properties: object, others: tuple[object, ...]
) -> None:
    assert refused(type_, properties, *others) == []
    assert refused(CUSTOM, {"ServiceToken": BY_PARAMETER}, parameter="theirs") == []


@pytest.mark.parametrize(
    ("name", "near"),
    {
        "NeptuneMlModelTransformJob": MODEL_TRANSFORM_JOB,
        "NeptuneModelTransformJob": MODEL_TRANSFORM_JOB,
        "NeptuneMLTransformJob": MODEL_TRANSFORM_JOB,
        "NeptuneMLModelTransformJobs": MODEL_TRANSFORM_JOB,
        "Neptune-ML-Model-Transform-Job": MODEL_TRANSFORM_JOB,
        "NeptuneMLModelTransfromJob": MODEL_TRANSFORM_JOB,
        "NeptuneMlModelTrainingJob": MODEL_TRAINING_JOB,
        "NeptuneModelTrainingJob": MODEL_TRAINING_JOB,
        "NeptuneMLTrainingJob": MODEL_TRAINING_JOB,
        "NeptuneMLModelTraniningJob": MODEL_TRAINING_JOB,
        "NeptuneDataProcessingJob": DATA_PROCESSING_JOB,
        "NeptuneMLProcessingJob": DATA_PROCESSING_JOB,
        "NeptuneMLDataprocessingJob": DATA_PROCESSING_JOB,
        **dict.fromkeys(kind.resource_type.removeprefix("Custom::") for kind in KINDS),
        "NeptuneMlEndpoint": ENDPOINT_KIND,
        "NeptuneMLEndpoints": ENDPOINT_KIND,
        "NeptuneDBEndpoint": None,
        "SageMakerModelTransformJob": None,
        "SageMakerModelTrainingJob": None,
        "NeptuneMLModelTransformJobStarter": None,
        "Job": None,
    }.items(),
)
def test_types_that_are_nearly_ours_are_warned_of(name: str, near: Kind | None) -> None:
    template = Template(None, {"Resources": {"Job": {"Type": f"Custom::{name}"}}})
    warning = near and f"Custom::{name} is not checked; did you mean {near.resource_type}?"

    assert [match.message for match in LOADED["W9381"].match(template)] == ([warning] if warning else [])
