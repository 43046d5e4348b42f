"""The stack that the template makes, deployed with SAM as its users do and read back from (emulated) AWS."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
import yaml
from botocore.exceptions import ClientError

from local import sam
from provider import observability
from provider.journal import table
from provider.kinds import KINDS
from provider.lifecycle.patience import LIMITS, Fault, Phase
from provider.settings import Settings
from provider.values import LONGEST_TIMEOUT_SECONDS

if TYPE_CHECKING:
    from local.ministack import MiniStack
    from provider.kinds.kind import Kind

ROOT = Path(__file__).parents[2]
ARN = "us-east-1:000000000000"
EVENTBRIDGE = re.compile(r"AWS::Events|\bevents:[A-Z*]|\bevents\.amazonaws|[Ee]vent[Bb]ridge")
# These functions may not answer MiniStack, so that their routes are not checked.
UNCHECKED = {"CheckRoutes": "false"}
EVERY_CLUSTER = {"ClusterResourceId": "*", **UNCHECKED}

# MiniStack knows no AWS::EC2::SecurityGroupIngress: where the stack would make one, it is left out.
INGRESS = "ClusterIngress"
CHECKS = ("RouteToCloudFormationResponses", "RouteToWaitingQueue", "RouteToJournal", "RouteToCluster")


CLUSTER = f"arn:aws:neptune-db:{ARN}:cluster-ABC123/*"


def name_of(kind: Kind) -> str:
    """What the template calls a kind."""
    return kind.resource_type.removeprefix("Custom::NeptuneML")


def adopting(kind: Kind, resource: str) -> dict[str, Any]:
    """The statement without which nothing can be done with jobs of a kind."""
    return {f"{name_of(kind)}s": allowing([kind.get.action, kind.cancel.action], resource)}


def starting(kind: Kind, resource: str) -> dict[str, Any]:
    """The statement that starting them needs besides."""
    return {f"Started{name_of(kind)}s": allowing(kind.start.action, resource)}


def allowing(actions: str | list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def actions_of(statement: dict[str, Any]) -> list[str]:
    actions: str | list[str] = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


ADOPTING_ANY = {name: it for kind in KINDS for name, it in adopting(kind, CLUSTER).items()}
FOR_THE_LAMBDA_SERVICE_ALONE = {"Null": {"lambda:SourceFunctionArn": "true"}}


class Network(NamedTuple):
    vpc: str
    subnet: str
    group: str


@pytest.fixture(scope="module")
def network(ministack: MiniStack) -> Network:
    ec2 = ministack.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="cluster", Description="The cluster", VpcId=vpc)["GroupId"]
    return Network(vpc, subnet, group)


@pytest.fixture(scope="module")
def template(built_template: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(built_template.read_text())
    return document


@pytest.fixture(scope="module")
def template_without_ingress(template: dict[str, Any], built_template: Path) -> Path:
    resources = {name: it for name, it in template["Resources"].items() if name not in (INGRESS, "RouteToCluster")}
    path = built_template.with_name("without-ingress.yaml")
    path.write_text(yaml.safe_dump({**template, "Resources": resources}))
    return path


class Deployment:
    """A deployed stack of the template, and what AWS tells of it."""

    def __init__(self, ministack: MiniStack, stack: str, outputs: dict[str, str]) -> None:
        self.ministack = ministack
        self.stack = stack
        self.outputs = outputs

    @property
    def function(self) -> dict[str, Any]:
        return dict(
            self.ministack.client("lambda").get_function_configuration(FunctionName=self.outputs["FunctionName"])
        )

    @property
    def role(self) -> dict[str, Any]:
        role = self.ministack.client("iam").get_role(RoleName=self.function["Role"].rpartition("/")[2])["Role"]
        return dict(role)

    @property
    def statements(self) -> dict[str, dict[str, Any]]:
        policy = self.ministack.client("iam").get_role_policy(RoleName=self.role["RoleName"], PolicyName="provider")
        document: Any = policy["PolicyDocument"]
        return {statement.pop("Sid"): statement for statement in document["Statement"]}

    @property
    def statements_on_neptune(self) -> dict[str, dict[str, Any]]:
        return {name: it for name, it in self.statements.items() if "neptune" in json.dumps(it)}

    @property
    def alarms(self) -> dict[str, dict[str, Any]]:
        """The alarms by the names of their metrics."""
        alarms = self.ministack.client("cloudwatch").describe_alarms(AlarmNamePrefix=self.stack)["MetricAlarms"]
        return {alarm["MetricName"]: dict(alarm) for alarm in alarms}

    @property
    def waiting_requests(self) -> dict[str, str]:
        return self._queue("WaitingQueueUrl")

    @property
    def failed_events(self) -> dict[str, str]:
        return self._queue("FailedEventsQueueUrl")

    @property
    def journal(self) -> dict[str, Any]:
        name = self.outputs["JournalTableName"]
        return dict(self.ministack.client("dynamodb").describe_table(TableName=name)["Table"])

    def _queue(self, output: str) -> dict[str, str]:
        attributes = self.ministack.client("sqs").get_queue_attributes(
            QueueUrl=self.outputs[output], AttributeNames=["All"]
        )["Attributes"]
        return dict(attributes)  # type: ignore[arg-type]


class TestOutsideVpc:
    @pytest.fixture(scope="class")
    @classmethod
    def deployment(cls, ministack: MiniStack, built_template: Path) -> Deployment:
        return Deployment(ministack, "outside", sam.deploy(ministack, built_template, "outside", EVERY_CLUSTER))

    def test_service_token_is_the_exported_function(self, deployment: Deployment) -> None:
        exports = deployment.ministack.client("cloudformation").list_exports()["Exports"]

        assert {export["Name"]: export["Value"] for export in exports} == {
            "outside-ServiceToken": deployment.outputs["ServiceToken"]
        }
        assert deployment.outputs["ServiceToken"] == deployment.function["FunctionArn"]
        assert set(deployment.outputs) == {
            "Version",
            "ServiceToken",
            "FunctionName",
            "LogGroupName",
            "WaitingQueueUrl",
            "JournalTableName",
            "FailedEventsQueueUrl",
        }

    def test_function(self, deployment: Deployment) -> None:
        function = deployment.function

        assert function["Runtime"] == "python3.13"
        assert function["Handler"] == "provider.handler.handler"
        assert function["Architectures"] == ["x86_64"]
        assert function["Timeout"] == 900
        assert function["MemorySize"] == 256
        assert function["TracingConfig"] == {"Mode": "Active"}
        assert function["LoggingConfig"]["LogGroup"] == deployment.outputs["LogGroupName"]
        assert function["Environment"]["Variables"] == {
            "ALLOWED_HOSTS": "",
            "RESPONSE_HOSTS": "",
            "WAITING_QUEUE_URL": deployment.outputs["WaitingQueueUrl"],
            "JOURNAL_TABLE": deployment.outputs["JournalTableName"],
            "KINDS": ",".join(map(name_of, KINDS)),
            "START_JOBS": "false",
            "NEPTUNE_RESOURCE_ARN": f"arn:aws:neptune-db:{ARN}:*/*",
            "PROVIDER_VERSION": deployment.outputs["Version"],
            "POWERTOOLS_LOG_LEVEL": "INFO",
        }

    def test_role_has_the_least_privilege(self, deployment: Deployment) -> None:
        iam = deployment.ministack.client("iam")
        name = deployment.role["RoleName"]
        group = deployment.outputs["LogGroupName"]

        assert deployment.statements == {
            **{name: it for kind in KINDS for name, it in adopting(kind, f"arn:aws:neptune-db:{ARN}:*/*").items()},
            "Journal": {
                "Effect": "Allow",
                "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
                "Resource": deployment.journal["TableArn"],
            },
            "WaitingRequests": {
                "Effect": "Allow",
                "Action": [
                    "sqs:SendMessage",
                    "sqs:ChangeMessageVisibility",
                    "sqs:ReceiveMessage",
                    "sqs:DeleteMessage",
                    "sqs:GetQueueAttributes",
                ],
                "Resource": deployment.waiting_requests["QueueArn"],
            },
            "FailedEvents": {
                "Effect": "Allow",
                "Action": "sqs:SendMessage",
                "Resource": deployment.failed_events["QueueArn"],
            },
            "Logs": {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:aws:logs:{ARN}:log-group:{group}:*",
            },
            "Traces": {
                "Effect": "Allow",
                "Action": ["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                "Resource": "*",
            },
            "NetworkInterfaces": {
                "Effect": "Allow",
                "Action": [
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DeleteNetworkInterface",
                    "ec2:UnassignPrivateIpAddresses",
                ],
                "Resource": "*",
                "Condition": FOR_THE_LAMBDA_SERVICE_ALONE,
            },
        }
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["provider"]
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        assert "PermissionsBoundary" not in deployment.role

    def test_no_other_service_may_invoke_the_function(self, deployment: Deployment) -> None:
        policy = deployment.ministack.client("lambda").get_policy(FunctionName=deployment.outputs["FunctionName"])

        assert json.loads(policy["Policy"])["Statement"] == []  # in AWS there would be no policy

    def test_the_journal_is_a_table_that_is_paid_by_use(self, deployment: Deployment) -> None:
        journal = deployment.journal

        assert journal["KeySchema"] == [{"AttributeName": table.KEY, "KeyType": "HASH"}]
        assert journal["AttributeDefinitions"] == [{"AttributeName": table.KEY, "AttributeType": "S"}]
        assert journal["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"

    def test_requests_wait_in_an_encrypted_queue(self, deployment: Deployment) -> None:
        queue = deployment.waiting_requests
        redrive = json.loads(queue["RedrivePolicy"])
        invisible_seconds = int(queue["VisibilityTimeout"])

        assert queue["SqsManagedSseEnabled"] == "true"
        assert redrive["deadLetterTargetArn"] == deployment.failed_events["QueueArn"]
        # What Lambda's guide advises for a queue that invokes a function: a throttled delivery counts as well.
        assert redrive["maxReceiveCount"] >= 5
        # A message must not come again while its look is being taken, and has to come again while its stack waits.
        assert deployment.function["Timeout"] <= invisible_seconds <= LONGEST_TIMEOUT_SECONDS / 2
        longest_seconds = LONGEST_TIMEOUT_SECONDS + redrive["maxReceiveCount"] * invisible_seconds
        assert int(queue["MessageRetentionPeriod"]) >= longest_seconds

    def test_the_queue_invokes_the_function_with_one_request_at_a_time(self, deployment: Deployment) -> None:
        mappings = deployment.ministack.client("lambda").list_event_source_mappings(
            FunctionName=deployment.outputs["FunctionName"]
        )["EventSourceMappings"]

        (mapping,) = mappings
        assert mapping["EventSourceArn"] == deployment.waiting_requests["QueueArn"]
        assert mapping["State"] == "Enabled"
        assert mapping["BatchSize"] == 1
        assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}

    def test_failed_events_go_to_an_encrypted_queue(self, deployment: Deployment) -> None:
        queue = deployment.failed_events
        invoke = deployment.ministack.client("lambda").get_function_event_invoke_config(
            FunctionName=deployment.outputs["FunctionName"], Qualifier="$LATEST"
        )

        assert invoke["MaximumRetryAttempts"] == 2
        assert invoke["MaximumEventAgeInSeconds"] == 3600
        assert invoke["DestinationConfig"]["OnFailure"] == {"Destination": queue["QueueArn"]}
        assert queue["SqsManagedSseEnabled"] == "true"
        assert queue["MessageRetentionPeriod"] == str(14 * 24 * 3600)

    def test_an_alarm_watches_the_queue_of_failed_events(self, deployment: Deployment) -> None:
        alarm = deployment.alarms["ApproximateNumberOfMessagesVisible"]
        name = deployment.failed_events["QueueArn"].rpartition(":")[2]

        assert alarm["Namespace"] == "AWS/SQS"
        assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": name}]
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)
        assert alarm["AlarmActions"] == []

    def test_an_alarm_watches_deletions(self, deployment: Deployment) -> None:
        alarm = deployment.alarms["FailedDeletions"]

        assert alarm["Namespace"] == observability.NAMESPACE
        assert {it["Name"]: it["Value"] for it in alarm["Dimensions"]} == {
            "service": observability.SERVICE,
            "function": deployment.outputs["FunctionName"],
        }
        assert (alarm["Statistic"], alarm["Period"], alarm["EvaluationPeriods"]) == ("Sum", 60, 1)
        assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanOrEqualToThreshold", 1)
        assert alarm["TreatMissingData"] == "notBreaching"
        assert alarm["AlarmActions"] == []

    def test_there_is_no_other_alarm(self, deployment: Deployment) -> None:
        assert set(deployment.alarms) == {"ApproximateNumberOfMessagesVisible", "FailedDeletions"}

    def test_log_group_alone_outlives_the_stack(self, deployment: Deployment) -> None:
        logs = deployment.ministack.client("logs")
        cloudformation = deployment.ministack.client("cloudformation")

        cloudformation.delete_stack(StackName=deployment.stack)
        cloudformation.get_waiter("stack_delete_complete").wait(
            StackName=deployment.stack, WaiterConfig={"Delay": 1, "MaxAttempts": 30}
        )

        (group,) = logs.describe_log_groups(logGroupNamePrefix=deployment.outputs["LogGroupName"])["logGroups"]
        assert group["retentionInDays"] == 30
        with pytest.raises(ClientError, match="ResourceNotFound"):
            deployment.ministack.client("lambda").get_function(FunctionName=deployment.outputs["FunctionName"])
        with pytest.raises(ClientError, match="ResourceNotFound"):
            _ = deployment.journal


class TestInVpcWithOwnGroups:
    @pytest.fixture(scope="class")
    @classmethod
    def deployment(cls, ministack: MiniStack, built_template: Path, network: Network) -> Deployment:
        boundary = ministack.client("iam").create_policy(
            PolicyName="boundary",
            PolicyDocument=json.dumps(
                {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
            ),
        )["Policy"]["Arn"]
        parameters = {
            "ClusterResourceId": "cluster-ABC123",
            **UNCHECKED,
            "StartJobs": "true",
            "AllowedHosts": "localhost,.example.com",
            "ResponseHosts": "127.0.0.1,.example.org",
            "SubnetIds": network.subnet,
            "SecurityGroupIds": network.group,
            "LogLevel": "DEBUG",
            "LogRetentionDays": "365",
            "CreateDashboard": "true",
            "Architecture": "arm64",
            "AlarmTopicArn": ministack.client("sns").create_topic(Name="alarms")["TopicArn"],
            "PermissionsBoundaryArn": boundary,
        }
        return Deployment(ministack, "groups", sam.deploy(ministack, built_template, "groups", parameters))

    def test_the_function_runs_on_the_chosen_processor(self, deployment: Deployment) -> None:
        assert deployment.function["Architectures"] == ["arm64"]

    def test_no_group_is_made(self, deployment: Deployment) -> None:
        assert "SecurityGroupId" not in deployment.outputs

    def test_the_function_may_start_jobs_of_this_cluster(self, deployment: Deployment) -> None:
        statements: dict[str, Any] = {}
        for kind in KINDS:
            statements |= adopting(kind, CLUSTER) | starting(kind, CLUSTER)

        assert deployment.statements_on_neptune == statements
        actions = [action for it in deployment.statements_on_neptune.values() for action in actions_of(it)]
        assert len(set(actions)) == len(actions) == 3 * len(KINDS)

    def test_only_the_lambda_service_may_make_network_interfaces(self, deployment: Deployment) -> None:
        on_interfaces = [it for it in deployment.statements.values() if any("ec2:" in it for it in actions_of(it))]

        # What Lambda's guide asks for of the role of a function in a VPC.
        assert {action for it in on_interfaces for action in actions_of(it)} == {
            "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSubnets",
            "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses",
            "ec2:UnassignPrivateIpAddresses",
        }
        assert [it["Condition"] for it in on_interfaces] == [FOR_THE_LAMBDA_SERVICE_ALONE] * len(on_interfaces)

    def test_the_dashboard_shows_this_providers_metrics(self, deployment: Deployment) -> None:
        cloudwatch = deployment.ministack.client("cloudwatch")
        (entry,) = cloudwatch.list_dashboards()["DashboardEntries"]
        body = cloudwatch.get_dashboard(DashboardName=entry["DashboardName"])["DashboardBody"]
        widgets = json.loads(body)["widgets"]
        metrics = [metric for widget in widgets for metric in widget["properties"]["metrics"]]
        searches = [metric[0]["expression"] for metric in metrics if isinstance(metric[0], dict)]

        function = deployment.outputs["FunctionName"]
        assert searches
        for search in searches:
            assert search.startswith(f"SEARCH('{{{observability.NAMESPACE},function,resource_type}} MetricName=")
            assert f' function="{function}"\'' in search
        by_type = {name for search in searches for name in re.findall(r'"(\w+)"', search.partition(" function=")[0])}
        assert by_type == {
            "JobsStarted",
            "JobsCancelled",
            "Failures",
            "FailedDeletions",
            "FailedSignals",
            "SecondsToStop",
        }
        waiting = [observability.NAMESPACE, "StillWaiting", "service", observability.SERVICE, "function", function]
        assert waiting in metrics
        assert {name for metric in metrics for name in metric if isinstance(name, str)} >= {
            "ApproximateNumberOfMessagesVisible",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        }
        for queue in (deployment.waiting_requests, deployment.failed_events):
            assert queue["QueueArn"].rpartition(":")[2] in {str(metric[-1]) for metric in metrics}
        places = [(widget["x"], widget["y"]) for widget in widgets]
        assert len(set(places)) == len(places)

    def test_parameters_reach_their_places(self, deployment: Deployment) -> None:
        variables = deployment.function["Environment"]["Variables"]
        (group,) = deployment.ministack.client("logs").describe_log_groups(
            logGroupNamePrefix=deployment.outputs["LogGroupName"]
        )["logGroups"]

        assert variables["ALLOWED_HOSTS"] == "localhost,.example.com"
        assert variables["RESPONSE_HOSTS"] == "127.0.0.1,.example.org"
        assert variables["START_JOBS"] == "true"
        assert variables["POWERTOOLS_LOG_LEVEL"] == "DEBUG"
        assert variables["NEPTUNE_RESOURCE_ARN"] == CLUSTER
        assert {it["Resource"] for it in deployment.statements_on_neptune.values()} == {CLUSTER}
        assert group["retentionInDays"] == 365
        assert [alarm["AlarmActions"] for alarm in deployment.alarms.values()] == [[f"arn:aws:sns:{ARN}:alarms"]] * 2


class TestInVpcWithAGroupMade:
    @pytest.fixture(scope="class")
    @classmethod
    def deployment(cls, ministack: MiniStack, template_without_ingress: Path, network: Network) -> Deployment:
        parameters = {
            **EVERY_CLUSTER,
            "SubnetIds": network.subnet,
            "VpcId": network.vpc,
            "ClusterSecurityGroupId": network.group,
            "ClusterPort": "8183",
        }
        return Deployment(ministack, "made", sam.deploy(ministack, template_without_ingress, "made", parameters))

    def test_group_reaches_the_cluster_and_https_alone(self, deployment: Deployment, network: Network) -> None:
        (group,) = deployment.ministack.client("ec2").describe_security_groups(
            GroupIds=[deployment.outputs["SecurityGroupId"]]
        )["SecurityGroups"]
        https, cluster = sorted(group["IpPermissionsEgress"], key=lambda rule: rule["FromPort"])

        assert group["VpcId"] == network.vpc
        assert group["IpPermissions"] == []
        assert (cluster["IpProtocol"], cluster["FromPort"], cluster["ToPort"]) == ("tcp", 8183, 8183)
        assert [pair["GroupId"] for pair in cluster["UserIdGroupPairs"]] == [network.group]
        assert cluster["IpRanges"] == []
        assert (https["IpProtocol"], https["FromPort"], https["ToPort"]) == ("tcp", 443, 443)
        assert [ip["CidrIp"] for ip in https["IpRanges"]] == ["0.0.0.0/0"]


class TestChosenKinds:
    @staticmethod
    def deployed(ministack: MiniStack, template: Path, stack: str, chosen: Kind | None) -> Deployment:
        chosen_kinds = {f"{name_of(kind)}s": json.dumps(kind is chosen) for kind in KINDS}
        parameters = {"ClusterResourceId": "cluster-ABC123", **UNCHECKED, "StartJobs": "true", **chosen_kinds}
        return Deployment(ministack, stack, sam.deploy(ministack, template, stack, parameters))

    @pytest.mark.parametrize("kind", KINDS, ids=name_of)
    def test_one_kind_alone_is_provided_and_started(
        self, ministack: MiniStack, built_template: Path, kind: Kind
    ) -> None:
        deployment = self.deployed(ministack, built_template, f"alone-{name_of(kind)}", kind)
        settings = Settings.from_environment(deployment.function["Environment"]["Variables"])

        assert deployment.statements_on_neptune == ADOPTING_ANY | starting(kind, CLUSTER)
        assert [it for it in KINDS if settings.provides(it.resource_type)] == [kind]

    def test_without_any_kind_nothing_is_started_and_nothing_provided(
        self, ministack: MiniStack, built_template: Path
    ) -> None:
        deployment = self.deployed(ministack, built_template, "no-kinds", None)
        settings = Settings.from_environment(deployment.function["Environment"]["Variables"])

        assert deployment.statements_on_neptune == ADOPTING_ANY
        assert not any(settings.provides(kind.resource_type) for kind in KINDS)


class TestWhatMiniStackIgnores:
    """Nothing shows these in a deployed stack there: they are read from the template."""

    def test_network_of_the_function(self, template: dict[str, Any]) -> None:
        groups = {
            "Fn::If": ["MakesSecurityGroup", {"Fn::GetAtt": ["SecurityGroup", "GroupId"]}, ref("SecurityGroupIds")]
        }

        assert template["Resources"]["Provider"]["Properties"]["VpcConfig"] == {
            "Fn::If": [
                "InVpc",
                {
                    "SubnetIds": {"Fn::Split": [",", ref("SubnetIds")]},
                    "SecurityGroupIds": {"Fn::Split": [",", groups]},
                },
                ref("AWS::NoValue"),
            ]
        }

    def test_lambda_does_not_end_the_loop_of_function_and_queue(self, template: dict[str, Any]) -> None:
        assert template["Resources"]["Provider"]["Properties"]["RecursiveLoop"] == "Allow"

    def test_log_group_goes_with_a_failed_creation_alone(self, template: dict[str, Any]) -> None:
        group = template["Resources"]["LogGroup"]

        assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")

    def test_the_journal_goes_with_the_stack_and_never_by_an_update(self, template: dict[str, Any]) -> None:
        journal = template["Resources"]["Journal"]

        assert "Condition" not in journal
        assert (journal["DeletionPolicy"], journal["UpdateReplacePolicy"]) == ("Delete", "Retain")

    def test_what_is_finished_leaves_the_journal(self, template: dict[str, Any]) -> None:
        journal = template["Resources"]["Journal"]["Properties"]

        assert journal["TimeToLiveSpecification"] == {"AttributeName": table.EXPIRES, "Enabled": True}

    def test_permissions_boundary_of_the_role(self, template: dict[str, Any]) -> None:
        assert template["Resources"]["Role"]["Properties"]["PermissionsBoundary"] == {
            "Fn::If": ["HasPermissionsBoundary", ref("PermissionsBoundaryArn"), ref("AWS::NoValue")]
        }

    def test_cluster_lets_the_group_in(self, template: dict[str, Any]) -> None:
        ingress = template["Resources"][INGRESS]

        assert ingress["Condition"] == "MakesSecurityGroup"
        assert ingress["Properties"] == {
            "Description": {"Fn::Sub": "The function in the stack ${AWS::StackName}"},
            "GroupId": ref("ClusterSecurityGroupId"),
            "SourceSecurityGroupId": {"Fn::GetAtt": ["SecurityGroup", "GroupId"]},
            "IpProtocol": "tcp",
            "FromPort": ref("ClusterPort"),
            "ToPort": ref("ClusterPort"),
        }


def test_every_parameter_is_in_a_group_and_has_a_label(template: dict[str, Any]) -> None:
    interface = template["Metadata"]["AWS::CloudFormation::Interface"]

    grouped = [name for group in interface["ParameterGroups"] for name in group["Parameters"]]

    assert sorted(grouped) == sorted(template["Parameters"])
    assert list(interface["ParameterLabels"]) == grouped
    labels = [label["default"] for label in interface["ParameterLabels"].values()]
    assert all(labels)
    assert len(set(labels)) == len(labels)
    assert all(group["Label"]["default"] for group in interface["ParameterGroups"])


class TestChecksOfTheRoutes:
    """What happens in a deployment is in `tests/e2e/test_route_checks.py`."""

    @pytest.fixture(params=CHECKS)
    @staticmethod
    def check(request: pytest.FixtureRequest, template: dict[str, Any]) -> Any:  # noqa: ANN401
        return template["Resources"][request.param]

    def test_they_are_on_unless_they_are_switched_off(self, template: dict[str, Any]) -> None:
        parameter = template["Parameters"]["CheckRoutes"]

        assert (parameter["Default"], parameter["AllowedValues"]) == ("true", ["true", "false"])
        assert template["Conditions"]["ChecksRoutes"] == {"Fn::Equals": [ref("CheckRoutes"), "true"]}
        assert template["Parameters"]["CheckedEndpoint"]["Default"] == ""

    def test_they_fail_soon_but_for_a_permission_that_neptune_applies_after_ten_minutes(
        self, template: dict[str, Any]
    ) -> None:
        *soon, cluster = [template["Resources"][name]["Properties"]["ServiceTimeout"] for name in CHECKS]

        assert soon == [120] * len(soon)
        assert cluster >= LIMITS[Phase.CHECK][Fault.DENIAL] + 120

    def test_nobody_waits_for_their_deletion(self, check: dict[str, Any]) -> None:
        assert (check["DeletionPolicy"], check["UpdateReplacePolicy"]) == ("Retain", "Retain")

    def test_there_is_no_other_check(self, template: dict[str, Any]) -> None:
        checks = [name for name, it in template["Resources"].items() if it["Type"] == "Custom::NeptuneMLRouteCheck"]

        assert checks == list(CHECKS)

    def test_each_comes_after_the_one_before_and_is_checked_again_with_it(self, template: dict[str, Any]) -> None:
        first, *others = [template["Resources"][name] for name in CHECKS]

        assert [it["Properties"]["After"] for it in others] == [ref(name) for name in CHECKS[:-1]]
        assert first["Properties"]["SubnetIds"] == ref("SubnetIds")
        assert first["Properties"]["SecurityGroupIds"] == {
            "Fn::If": ["MakesSecurityGroup", {"Fn::GetAtt": ["SecurityGroup", "GroupId"]}, ref("SecurityGroupIds")]
        }

    def test_the_cluster_lets_the_function_in_before_it_is_checked(self, template: dict[str, Any]) -> None:
        assert template["Resources"]["RouteToCluster"]["Properties"]["ClusterIngress"] == {
            "Fn::If": ["MakesSecurityGroup", ref(INGRESS), ""]
        }


def test_what_is_switched_off_takes_no_permission_along_that_cleaning_up_needs(template: dict[str, Any]) -> None:
    policies = [it for it in template["Resources"].values() if it["Type"].startswith("AWS::IAM::")]
    (role,) = policies
    (policy,) = role["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]
    chosen = [it["Fn::If"][1] for it in statements if "Fn::If" in it]
    always = [it for it in statements if "Fn::If" not in it]

    makes_something_new = {kind.start.action for kind in KINDS} | {
        "ec2:CreateNetworkInterface",
        "ec2:DescribeSubnets",
        "ec2:AssignPrivateIpAddresses",
    }
    assert {action for it in chosen for action in actions_of(it)} == makes_something_new
    assert "Condition" not in role
    assert "Fn::If" not in json.dumps(always)


def test_no_job_is_started_unless_that_is_chosen(template: dict[str, Any]) -> None:
    parameter = template["Parameters"]["StartJobs"]

    assert (parameter["Default"], parameter["AllowedValues"]) == ("false", ["true", "false"])
    assert template["Conditions"]["StartsJobs"] == {"Fn::Equals": [ref("StartJobs"), "true"]}


@pytest.mark.parametrize("kind", KINDS, ids=name_of)
def test_a_kind_is_provided_unless_it_is_switched_off(template: dict[str, Any], kind: Kind) -> None:
    parameter = template["Parameters"][f"{name_of(kind)}s"]

    assert (parameter["Default"], parameter["AllowedValues"]) == ("true", ["true", "false"])
    assert kind.resource_type in parameter["Description"]
    assert kind.resource_type in template["Description"]


def test_no_eventbridge_rule_is_left() -> None:
    sources = [ROOT / "template.yaml", *(path for path in (ROOT / "src").rglob("*") if path.suffix != ".pyc")]

    found = {str(path.relative_to(ROOT)): EVENTBRIDGE.findall(path.read_text()) for path in sources if path.is_file()}

    assert "src/provider/handler.py" in found
    assert {name: words for name, words in found.items() if words} == {}


def ref(name: str) -> dict[str, str]:
    return {"Ref": name}


SUBNETS = {"SubnetIds": "subnet-0123456789abcdef0"}
GROUPS = {"SecurityGroupIds": "sg-0123456789abcdef0"}
VPC = {"VpcId": "vpc-0123456789abcdef0"}
CLUSTER_GROUP = {"ClusterSecurityGroupId": "sg-0123456789abcdef1"}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (GROUPS, "SecurityGroupIds needs SubnetIds"),
        (SUBNETS, "SubnetIds needs SecurityGroupIds, or VpcId and ClusterSecurityGroupId"),
        (VPC | CLUSTER_GROUP, "VpcId needs SubnetIds"),
        (VPC | SUBNETS, "VpcId needs ClusterSecurityGroupId"),
        (VPC | SUBNETS | CLUSTER_GROUP | GROUPS, "either SecurityGroupIds or VpcId"),
        (CLUSTER_GROUP, "ClusterSecurityGroupId needs VpcId"),
        (SUBNETS | GROUPS | CLUSTER_GROUP, "ClusterSecurityGroupId needs VpcId"),
        ({"ClusterResourceId": "my-cluster"}, "Enter a cluster's resource ID"),
        ({"AllowedHosts": "localhost,http://127.0.0.1:8182"}, "Enter host names without a scheme or port"),
        ({"ResponseHosts": "https://localhost"}, "Enter host names without a scheme or port"),
        ({"SubnetIds": "subnet-1,vpc-1"} | GROUPS, "Enter subnet IDs"),
        ({"AlarmTopicArn": "alarms"}, "Enter an SNS topic's ARN"),
        ({"PermissionsBoundaryArn": "boundary"}, "Enter an IAM policy's ARN"),
        ({"ClusterPort": "0"}, "ClusterPort"),
        ({"StartJobs": "yes"}, "StartJobs"),
        ({"CheckRoutes": "no"}, "CheckRoutes"),
        ({"CheckedEndpoint": "https://localhost:8182/path"}, "Enter a cluster's endpoint"),
        ({"StartJobs": "True"}, "StartJobs"),
        ({"DataProcessingJobs": "yes"}, "DataProcessingJobs"),
        ({"ModelTrainingJobs": ""}, "ModelTrainingJobs"),
        ({"ModelTransformJobs": "False"}, "ModelTransformJobs"),
        ({"LogLevel": "info"}, "LogLevel"),
        ({"LogRetentionDays": "31"}, "LogRetentionDays"),
        ({"Architecture": "arm"}, "Architecture"),
    ],
)
def test_wrong_parameters_are_refused(
    ministack: MiniStack, template_without_ingress: Path, parameters: dict[str, str], message: str
) -> None:
    with pytest.raises(ClientError, match=message):
        ministack.client("cloudformation").create_stack(
            StackName="wrong",
            TemplateBody=template_without_ingress.read_text().replace("CodeUri: Provider", "CodeUri: s3://bucket/key"),
            Parameters=[
                {"ParameterKey": name, "ParameterValue": value} for name, value in (EVERY_CLUSTER | parameters).items()
            ],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )


def test_error_of_sam_is_shown(ministack: MiniStack, built_template: Path) -> None:
    with pytest.raises(
        sam.SamError, match=r"(?s)sam deploy failed with exit code 1.*ClusterSecurityGroupId needs VpcId"
    ):
        sam.deploy(ministack, built_template, "wrong", EVERY_CLUSTER | CLUSTER_GROUP)


def test_clusters_are_chosen_explicitly(ministack: MiniStack, built_template: Path) -> None:
    with pytest.raises(sam.SamError, match=r"(?s)sam deploy failed with exit code 1.*ClusterResourceId"):
        sam.deploy(ministack, built_template, "wrong")
