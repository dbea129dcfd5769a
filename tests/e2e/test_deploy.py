"""What deploy/ creates: a function, and permissions for exactly the calls it makes."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, Dict, List, Set

import pytest
import yaml
from call_recorder import Call, CallRecorder
from cloudformation import Loader, Stack
from fault_server import FaultServer
from lambda_host import REGION, LambdaHost
from osls import packaged
from running import ROOT

DEPLOY = ROOT / "deploy"

ACCOUNT = "123456789012"
TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/generated"
STREAM = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/backfill"
STACK_REGION = "eu-west-1"  # different from that of the table and the stream, which is allowed
CHECKPOINTS = f"arn:aws:dynamodb:{STACK_REGION}:{ACCOUNT}:table/everyitem-Checkpoints-1ABC"
TABLE_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-table"
STREAM_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-stream"
NAME = "everyitem-dev-scanner"  # the function's name
FUNCTION = f"arn:aws:lambda:{STACK_REGION}:{ACCOUNT}:function:{NAME}"
LOG_GROUP = f"arn:aws:logs:{STACK_REGION}:{ACCOUNT}:log-group:/aws/lambda/{NAME}:*"
QUEUE = f"arn:aws:sqs:{STACK_REGION}:{ACCOUNT}:everyitem-dev-FailedRounds-1ABC"
RULE = f"arn:aws:events:{STACK_REGION}:{ACCOUNT}:rule/everyitem-dev-1ABC"
TOPIC = f"arn:aws:sns:{STACK_REGION}:{ACCOUNT}:operators"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/everyitem-dev-ScannerRole-1ABC"

# Values AWS knows when it creates the stack.
CREATED = {
    "AWS::Partition": "aws",
    "AWS::Region": STACK_REGION,
    "AWS::AccountId": ACCOUNT,
    "AWS::StackName": "everyitem-dev",
    "Checkpoints.Arn": CHECKPOINTS,
    "ScannerLogGroup.Arn": LOG_GROUP,
    "ScannerRole.Arn": ROLE,
    "ServerlessDeploymentBucket": "deployment-bucket",
    "FailedRounds.Arn": QUEUE,
    "FailedRounds.QueueName": QUEUE.split(":")[-1],
    # What each template calls the function and the rule.
    **{name: NAME for name in ("Scanner", "ScannerLambdaFunction")},
    **{f"{name}.Arn": FUNCTION for name in ("Scanner", "ScannerLambdaFunction")},
    **{f"{name}.Arn": RULE for name in ("Watchdog", "ScannerEventsRuleSchedule1")},
}


def packaged_function(folder: Path, archive: Path, kms: bool) -> Dict[str, Any]:
    """The Serverless Framework's output for deploy/serverless.yml, with two settings changed."""
    text = (DEPLOY / "serverless.yml").read_text()
    assert set(yaml.load(text, Loader)["custom"]) == {"dynamodbTableArn", "kinesisStreamArn"}
    for setting, arn in (("dynamodbTableArn", TABLE), ("kinesisStreamArn", STREAM)):
        text = re.sub(rf"(?m)^  {setting}: .*$", f"  {setting}: {arn}", text)
    if kms:
        text = re.sub(r"(?m)^( +)# (- Effect|  Action|  Resource)", r"\1\2", text)
        text = text.replace("TABLE_KEY_ARN", TABLE_KEY).replace("STREAM_KEY_ARN", STREAM_KEY)
    (folder / "deploy").mkdir()
    (folder / "deploy/serverless.yml").write_text(text)
    (folder / "dist").mkdir()
    shutil.copy(archive, folder / "dist/everyitem-lambda.zip")  # where ./package-lambda puts it
    return packaged(folder / "deploy")


def made_stack(which: str, kms: bool, folder: Path, archive: Path, **more: str) -> Stack:
    if which == "serverless.yml":
        return Stack(packaged_function(folder, archive, kms), CREATED)
    values = {**CREATED, "DynamodbTableArn": TABLE, "KinesisStreamArn": STREAM, **more}
    if kms:
        values.update(TableKmsKeyArn=TABLE_KEY, StreamKmsKeyArn=STREAM_KEY)
    return Stack(yaml.load((DEPLOY / "template.yaml").read_text(), Loader), values)


@pytest.fixture(scope="module", params=["serverless.yml", "template.yaml"])
def which(request: Any) -> str:
    return request.param


@pytest.fixture(scope="module")
def stack(which: str, tmp_path_factory: pytest.TempPathFactory, lambda_zip: Path) -> Stack:
    return made_stack(which, False, tmp_path_factory.mktemp("deploy"), lambda_zip)


def allowed(stack: Stack) -> Set[Call]:
    """Everything the function's role allows."""
    role = stack.properties("AWS::IAM::Role")
    assert "ManagedPolicyArns" not in role
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "lambda.amazonaws.com"}
    (policy,) = role["Policies"]
    found = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        assert set(statement) == {"Effect", "Action", "Resource"} and statement["Effect"] == "Allow"
        for action in listed(statement["Action"]):
            found.update(Call(action, resource) for resource in listed(statement["Resource"]))
    return found


def listed(value: Any) -> List[str]:
    return [value] if isinstance(value, str) else value


@pytest.fixture(scope="module")
def called(lambda_bootstrap: Path, tmp_path_factory: pytest.TempPathFactory) -> Set[Call]:
    """Every call the function makes in a run of several rounds and in a shared one, as the templates set it up."""
    pages = {"items": 3000, "item_bytes": 200, "page_bytes": 7500, "scan_latency_ms": 50}
    with FaultServer(stream_mode="provisioned", refused_every=500, **pages) as server:
        with CallRecorder(server.url) as recorder:
            env = {
                **environment(),
                "SEGMENTS": "4",
                "HANDOVER_SECONDS": "0.5",
                "AWS_ENDPOINT_URL_DYNAMODB": recorder.url,
                "AWS_ENDPOINT_URL_KINESIS": recorder.url,
            }
            folder = tmp_path_factory.mktemp("function")
            with LambdaHost([str(lambda_bootstrap)], folder, env, [30.0, 1.0, 30.0]) as host:
                host.send(wait=False)
                outcomes = host.wait()
            assert outcomes[-1].answer["status"] == "complete", outcomes
            # A hand-over, by invoking itself.
            assert outcomes[-1].answer["round"] >= 2
            assert outcomes[-1].answer["dead_letters"] == server.report()["missing"] == 6
            sharing = {**env, "SHARE": "true", "CHECKPOINT": f"{env['CHECKPOINT']}/shared"}
            folder = tmp_path_factory.mktemp("sharing-function")
            with LambdaHost([str(lambda_bootstrap)], folder, sharing, [30.0]) as host:
                assert host.invoke(b'{"once": true}', wait=False).answer["status"] == "complete"
            assert server.report()["signatures_refused"] == 0
            return recorder.calls | {Call("lambda:InvokeFunction", FUNCTION)}


def environment() -> Dict[str, str]:
    return {
        "TABLE_ARN": TABLE,
        "STREAM_ARN": STREAM,
        "CHECKPOINT": f"dynamodb:{CHECKPOINTS}",
    }


def test_the_function(stack: Stack) -> None:
    function = stack.properties("AWS::Lambda::Function")
    assert function["FunctionName"] == NAME
    assert function["Runtime"] == "provided.al2023" and function["Handler"] == "bootstrap"
    assert function["Architectures"] == ["x86_64"]
    assert function["Timeout"] == 900 and function["MemorySize"] == 512
    assert function["ReservedConcurrentExecutions"] == 2  # a round, and an answer
    assert function["RecursiveLoop"] == "Allow"
    assert function["Role"] == ROLE
    assert function["Environment"]["Variables"] == environment()
    code = function["Code"]
    assert (code if isinstance(code, str) else code["S3Key"]).endswith("/everyitem-lambda.zip")
    logs = stack.properties("AWS::Logs::LogGroup")
    assert logs == {"LogGroupName": f"/aws/lambda/{NAME}", "RetentionInDays": 30}


def test_policy_allows_actual_calls(stack: Stack, called: Set[Call]) -> None:
    by_lambda = {Call(f"logs:{action}", LOG_GROUP) for action in ("CreateLogStream", "PutLogEvents")}
    by_lambda.add(Call("sqs:SendMessage", QUEUE))
    # The next round of one that was invoked by an alias or a version is, too.
    qualified = {Call("lambda:InvokeFunction", f"{FUNCTION}:*")}
    assert allowed(stack) == called | qualified | by_lambda


def test_failed_rounds_raise_alarm(stack: Stack, which: str) -> None:
    destination = stack.properties("AWS::Lambda::EventInvokeConfig")
    assert destination == {
        "FunctionName": NAME,
        "Qualifier": "$LATEST",
        "DestinationConfig": {"OnFailure": {"Destination": QUEUE}},
    }
    assert stack.properties("AWS::SQS::Queue") == {"MessageRetentionPeriod": 14 * 24 * 3600}
    alarm = stack.properties("AWS::CloudWatch::Alarm")
    assert alarm["Namespace"] == "AWS/SQS"
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": QUEUE.split(":")[-1]}]
    assert alarm["Threshold"] == 1 and "AlarmActions" not in alarm
    if which == "template.yaml":
        told = made_stack(which, False, Path(), Path(), AlarmTopicArn=TOPIC)
        assert told.properties("AWS::CloudWatch::Alarm")["AlarmActions"] == [TOPIC]


def test_watchdog_disabled_only_resumes(stack: Stack) -> None:
    rule = stack.properties("AWS::Events::Rule")
    assert rule["State"] == "DISABLED" and rule["ScheduleExpression"] == "rate(15 minutes)"
    (target,) = rule["Targets"]
    assert target["Arn"] == FUNCTION and json.loads(target["Input"]) == {"resume": True}
    assert stack.properties("AWS::Lambda::Permission") == {
        "FunctionName": FUNCTION,
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": RULE,
    }


def test_checkpoint_table_as_documented(stack: Stack) -> None:
    text = (ROOT / "docs/checkpoint_format.md").read_text()
    (block,) = re.findall(r"(?s)```yaml\n(.*?)```", text)
    documented = yaml.load(block, Loader)["Checkpoints"]["Properties"]
    assert stack.properties("AWS::DynamoDB::Table") == documented


def test_kms_only_on_request(
    which: str, stack: Stack, tmp_path: Path, lambda_zip: Path
) -> None:
    asked = allowed(made_stack(which, True, tmp_path, lambda_zip))
    assert asked - allowed(stack) == {
        Call("kms:Decrypt", TABLE_KEY),
        Call("kms:GenerateDataKey", STREAM_KEY),
    }
    assert allowed(stack) < asked


def test_template_names_built_zip() -> None:
    template = yaml.load((DEPLOY / "template.yaml").read_text(), Loader)
    code = (DEPLOY / template["Resources"]["Scanner"]["Properties"]["Code"]).resolve()
    assert str(code.relative_to(ROOT)) in (ROOT / "package-lambda").read_text()
