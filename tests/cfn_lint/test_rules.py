from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from cfnlint.helpers import load_plugins  # type: ignore[import-untyped]
from cfnlint.template import Template  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from provider.clock import Clock
from provider.custom_resource.properties import schema_of
from provider.hosts import Hosts
from provider.job_id import Origin
from provider.kinds import MODEL_TRANSFORM_JOB
from provider.lifecycle import Lifecycle, Request, RequestFailed
from provider.schema import InvalidProperties
from tests.cfn_lint.linting import ENDPOINT, OUR_RULES, RULES, TOKEN, Finding, lint

if TYPE_CHECKING:
    from pathlib import Path

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
Conditions:
  HasEndpoint: !Not [!Equals [!Ref Endpoint, ""]]
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
      ServiceToken: {TOKEN}
      Anything: goes
Outputs:
  Ref: {{ Value: !Ref Minimal }}
  Status: {{ Value: !GetAtt Minimal.Status }}
  Location: {{ Value: !GetAtt [Minimal, OutputLocation] }}
  Sub: {{ Value: !Sub "${{Minimal.BaseProcessingJobArn}} ${{Minimal.RemoteModelTransformJobArn}} ${{!Minimal.Text}}" }}
  Named: {{ Value: !Sub ["${{Minimal.Name}}", {{ Minimal.Name: !GetAtt Minimal.Id }}] }}
  Other: {{ Value: !GetAtt Other.Anything }}
"""

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
Outputs:
  GetAtt: {{ Value: !GetAtt Clean.Statuss }}
  GetAttList: {{ Value: !GetAtt [Clean, Arn] }}
  Sub: {{ Value: !Sub "${{Clean.Outputlocation}}" }}
"""

MISTAKES = {
    "Mistyped": "'Endpiont' is not a property of Custom::NeptuneMLModelTransformJob; did you mean Endpoint?",
    "LowerCase": "'waitforstop' is not a property of Custom::NeptuneMLModelTransformJob; did you mean WaitForStop?",
    "Unknown": "'Zzz' is not a property of Custom::NeptuneMLModelTransformJob; it has ServiceToken, ServiceTimeout, ",
    "NoId": "Id is missing; Custom::NeptuneMLModelTransformJob requires it",
    "IdWithoutValue": "Id is missing; Custom::NeptuneMLModelTransformJob requires it",
    "NoEndpoint": "Endpoint is missing; Custom::NeptuneMLModelTransformJob requires it",
    "EndpointWithPath": f"Endpoint is 'https://{ENDPOINT}/'; it should be the Neptune cluster that runs the job",
    "NoServiceToken": "ServiceToken is missing; Custom::NeptuneMLModelTransformJob requires it",
    "NoProperties": "Id is missing; Custom::NeptuneMLModelTransformJob requires it",
    "Clean": "Clean is 'yes'; it should be true or false",
    "WaitForStop": "WaitForStop is '1'; it should be true or false",
    "CleanIf": "Clean is 'maybe'; it should be true or false",
    "TimeoutTooLong": "ServiceTimeout is '3601'; it should be a whole number of seconds from 1 to 3600",
    "TimeoutZero": "ServiceTimeout is '0'; it should be a whole number of seconds from 1 to 3600",
    "TimeoutWithUnit": "ServiceTimeout is '10m'; it should be a whole number of seconds from 1 to 3600",
    "IdSlash": "Id is 'movies/1'; it should be the id of the job",
    "IdSpace": "Id is 'movies 1'; it should be the id of the job",
    "IdNewline": "Id is 'movies\\n'; it should be the id of the job",
    "IdEmpty": "Id is ''; it should be the id of the job",
    "IdList": "Id is a list; it should be the id of the job",
    "Token": "ServiceToken is 'provider'; it should be the ARN of the provider function",
    "Role": "NeptuneIamRoleArn is 'NeptuneML'; it should be the ARN of the IAM role",
    "RoleOfAnotherService": f"NeptuneIamRoleArn is '{TOKEN}'; it should be the ARN of the IAM role",
    "GetAtt": "'Statuss' is not an attribute of Custom::NeptuneMLModelTransformJob; did you mean Status?",
    "GetAttList": "'Arn' is not an attribute of Custom::NeptuneMLModelTransformJob; it has Id, Status, ",
    "Sub": "'Outputlocation' is not an attribute of Custom::NeptuneMLModelTransformJob; did you mean OutputLocation?",
}


def write(directory: Path, text: str) -> Path:
    path = directory / "template.yaml"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory: pytest.TempPathFactory) -> list[Finding]:
    findings = lint(write(tmp_path_factory.mktemp("wrong"), WRONG))
    return [finding for finding in findings if finding.rule in OUR_RULES]


def test_right_templates_are_not_reported(tmp_path: Path) -> None:
    assert [finding for finding in lint(write(tmp_path, RIGHT)) if finding.rule[0] == "E"] == []


@pytest.mark.parametrize(("where", "message"), MISTAKES.items(), ids=MISTAKES)
def test_mistake_is_reported_where_it_stands(mistakes: list[Finding], where: str, message: str) -> None:
    found = [finding for finding in mistakes if finding.path[1] == where]

    assert any(finding.message.startswith(message) for finding in found), found
    first = next(number for number, line in enumerate(WRONG.splitlines(), start=1) if line.startswith(f"  {where}:"))
    assert {finding.line - first for finding in found} <= {0, 2}


def test_nothing_else_is_reported(mistakes: list[Finding]) -> None:
    # All that is required is missing; what is mistyped is missing, too.
    per_place = {**dict.fromkeys(MISTAKES, 1), "NoProperties": 3, "Mistyped": 2}

    assert len(mistakes) == sum(per_place.values())


def test_one_file_and_a_cfnlintrc_are_enough(tmp_path: Path) -> None:
    (tmp_path / "lint").mkdir()
    shutil.copy(RULES / "neptune_ml_model_transform_job.py", tmp_path / "lint")
    (tmp_path / ".cfnlintrc").write_text("append_rules:\n  - lint\n")

    findings = lint(write(tmp_path, WRONG), options=(), cwd=tmp_path)

    assert MISTAKES["Mistyped"] in {finding.message for finding in findings}


def test_a_sam_template_is_checked_too(tmp_path: Path) -> None:
    template = "Transform: AWS::Serverless-2016-10-31\n" + WRONG

    assert MISTAKES["Mistyped"] in {finding.message for finding in lint(write(tmp_path, template))}


# --- the rules and the provider judge alike ---------------------------------------------------------------------------

PROPERTIES_RULE: Any = next(rule for rule in load_plugins(str(RULES)) if rule.id == "E9382")
# The provider sees more than a pattern can: bytes, invisible characters, which ports and hosts there can be.
SEEN_BY_THE_PROVIDER_ALONE = ("Endpoint", "Id")
SCHEMA = schema_of(MODEL_TRANSFORM_JOB.schema)
LIFECYCLE = Lifecycle(
    MODEL_TRANSFORM_JOB,
    SCHEMA,
    Hosts.of_clusters(["localhost"]),
    connect=lambda _: pytest.fail("judging properties needs no cluster"),
    clock=Clock(),
)
REQUIRED: dict[str, object] = {"ServiceToken": TOKEN, "Endpoint": ENDPOINT, "Id": "movies"}


def is_reported(properties: dict[str, object]) -> bool:
    resource = {"Type": "Custom::NeptuneMLModelTransformJob", "Properties": properties}
    return bool(PROPERTIES_RULE.match(Template(None, {"Resources": {"Job": resource}})))


def is_refused(properties: dict[str, object]) -> bool:
    try:
        LIFECYCLE.without_neptune(Request(None, properties, Origin((), "Job", "request")))
    except RequestFailed:
        return True
    return False


texts = st.one_of(
    st.text(max_size=8),
    st.from_regex(r"[Tt][Rr][Uu][Ee]|[0-9]{1,5}|[a-z./ -]{1,12}", fullmatch=True),
    st.from_regex(r"arn:aws:(iam|lambda):[a-z1-]{0,4}:[0-9]{11,12}:(role/)?[a-z]{0,3}", fullmatch=True),
    st.from_regex(r"(https?://)?localhost(:[0-9]{1,5})?/?", fullmatch=True),
)


@given(name=st.sampled_from([row.name for row in SCHEMA.rows]), value=texts)
@example(name="Id", value="x" * 1024)
@example(name="Id", value="x" * 1025)
@example(name="ServiceTimeout", value="0001")
@example(name="ServiceTimeout", value="0003600")
@example(name="ServiceTimeout", value="00000")
@example(name="ServiceTimeout", value="3600\n")
def test_rules_and_provider_judge_alike(name: str, value: str) -> None:
    properties = {**REQUIRED, name: value}

    if name in SEEN_BY_THE_PROVIDER_ALONE:
        assert is_refused(properties) or not is_reported(properties)
    else:
        assert is_reported(properties) == is_refused(properties)


def test_every_service_timeout_is_judged_alike() -> None:
    for value in range(-2, 4000):
        properties = {**REQUIRED, "ServiceTimeout": value}
        assert is_reported(properties) == is_refused(properties), value


@pytest.mark.parametrize("name", ["Endpont", "endpoint", "Ids", "Region", "Timeout", "IamRoleArn", "Cleanup"])
def test_suggestions_are_the_providers_own(name: str) -> None:
    properties = {**REQUIRED, name: "value"}
    resource = {"Type": "Custom::NeptuneMLModelTransformJob", "Properties": properties}

    (match,) = PROPERTIES_RULE.match(Template(None, {"Resources": {"Job": resource}}))

    with pytest.raises(InvalidProperties) as refusal:
        SCHEMA.parse(properties)
    assert match.message.rstrip(".") == str(refusal.value).rstrip(".")
