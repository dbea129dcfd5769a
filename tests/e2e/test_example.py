"""examples/serverless, following the steps of its README: load, scan, run code on each item."""

import base64
import importlib.util
import shutil
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Dict, List

import boto3
import pytest
import yaml
from cloudformation import Loader, Stack
from conftest import Backend
from demodata import services
from fault_proxy import FaultProxy, Forward, Request, Response
from lambda_host import LambdaHost
from osls import packaged
from running import REGION, ROOT

EXAMPLE = ROOT / "examples/serverless"
ACCOUNT = "123456789012"
TABLE, STREAM, CHECKPOINTS = "example-orders", "example-backfill", "example-checkpoints"
COUNT = 500


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = shutil.copytree(EXAMPLE, tmp_path_factory.mktemp("example") / "serverless")
    values = {
        "AWS::Partition": "aws",
        "AWS::Region": REGION,
        "AWS::AccountId": ACCOUNT,
        "Orders": TABLE,
        "Orders.Arn": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}",
        "Backfill.Arn": f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/{STREAM}",
        "FailedBatches": "https://sqs/failed-batches",
        "FailedBatches.Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed-batches",
        "ConsumerLambdaFunction.Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:consumer",
    }
    return Stack(packaged(folder), values)


@pytest.fixture
def load_module(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], ModuleType]:
    """A function's module as Lambda imports it, its table in dynalite."""

    def load(name: str) -> ModuleType:
        monkeypatch.setenv("TABLE", TABLE)
        monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
        spec = importlib.util.spec_from_file_location(name, EXAMPLE / f"{name}.py")
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        resource = boto3.resource("dynamodb", endpoint_url=backend.endpoints["dynamodb"])
        module.table = resource.Table(TABLE)  # type: ignore[attr-defined]
        return module

    return load


def with_names(request: Request, forward: Forward) -> Response:
    """For dynalite, which does not accept table ARNs as names."""
    body = dict(request.body)
    if "TableName" in body:
        body["TableName"] = body["TableName"].split("/")[-1]
    if "RequestItems" in body:
        body["RequestItems"] = {arn.split("/")[-1]: one for arn, one in body["RequestItems"].items()}
    return forward(request._replace(body=body))


def create_table(backend: Backend, name: str, properties: Dict[str, Any]) -> None:
    known = {key: value for key, value in properties.items() if key != "TimeToLiveSpecification"}
    backend.dynamodb.create_table(TableName=name, **known)
    services.wait_until_active(
        lambda: backend.dynamodb.describe_table(TableName=name)["Table"]["TableStatus"], name
    )


def deliver(data: List[bytes], consume: Callable[..., Any], batch_size: int) -> int:
    """Processes the records of a shard like Lambda with reported failures; returns how often it had to
    retry from within a batch."""
    position = repeats = 0
    while position < len(data):
        assert repeats < 10
        numbers = range(position, min(position + batch_size, len(data)))
        records = [
            {"kinesis": {"sequenceNumber": str(n), "data": base64.b64encode(data[n]).decode()}}
            for n in numbers
        ]
        failures = consume({"Records": records}, None)["batchItemFailures"]
        position = min([int(one["itemIdentifier"]) for one in failures], default=numbers.stop)
        repeats += bool(failures)
    return repeats


@pytest.fixture(scope="module")
def created(backend: Backend, stack: Stack) -> Stack:
    """The example's stack, with its table and stream created."""
    create_table(backend, TABLE, stack.properties("AWS::DynamoDB::Table"))
    shards = stack.properties("AWS::Kinesis::Stream")["ShardCount"]
    services.create_stream(backend.kinesis, STREAM, shards)
    return stack


def test_load_scan_and_backfill(
    backend: Backend,
    created: Stack,
    load_module: Callable[[str], ModuleType],
    lambda_bootstrap: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scanner = yaml.load((ROOT / "deploy/template.yaml").read_text(), Loader)
    create_table(backend, CHECKPOINTS, scanner["Resources"]["Checkpoints"]["Properties"])
    assert load_module("loader").load({"items": COUNT}, None) == {"items": COUNT}

    with FaultProxy(backend.endpoints["dynamodb"]) as dynamodb:
        dynamodb.rule = with_names
        env = {
            "TABLE_ARN": created.output("TableArn"),
            "STREAM_ARN": created.output("StreamArn"),
            "CHECKPOINT": f"dynamodb:arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{CHECKPOINTS}",
            "AWS_ENDPOINT_URL_DYNAMODB": dynamodb.endpoint,
            "AWS_ENDPOINT_URL_KINESIS": backend.endpoints["kinesis"],
        }
        with LambdaHost([str(lambda_bootstrap)], tmp_path, env, [30.0]) as host:
            answer = host.invoke().answer
            assert answer["status"] == "complete" and answer["items_total"] == COUNT, answer

    consumer = load_module("consumer")
    process = consumer.process
    troubled = {"order-0000007": 2, "order-0000300": 1}  # how often each order fails

    def failing_at_first(item: Dict[str, Any]) -> None:
        if troubled.get(item["id"], 0):
            troubled[item["id"]] -= 1
            raise ValueError("secret of the item")
        process(item)

    monkeypatch.setattr(consumer, "process", failing_at_first)
    source = created.properties("AWS::Lambda::EventSourceMapping")
    assert deliver(backend.data(STREAM), consumer.consume, source["BatchSize"]) == 3
    log = capsys.readouterr().out
    assert log.count('"error": "ValueError"') == 3 and "secret of the item" not in log

    orders = [order for page in pages(consumer.table) for order in page]
    assert len(orders) == COUNT
    for order in orders:
        total = sum((line["quantity"] * line["price"] for line in order["lines"]), Decimal(0))
        assert order["order_total"] == total


def pages(table: Any) -> Any:
    page = table.scan()
    while True:
        yield page["Items"]
        if "LastEvaluatedKey" not in page:
            return
        page = table.scan(ExclusiveStartKey=page["LastEvaluatedKey"])


def test_deleted_items_stay_deleted(
    created: Stack, load_module: Callable[[str], ModuleType]
) -> None:
    consumer = load_module("consumer")
    gone = b'{"id":{"S":"gone"},"lines":{"L":[]},"signature":{"B":"AAAA"},"all":{"BS":["AAAA"]}}'
    assert deliver([gone], consumer.consume, 1) == 0
    assert "Item" not in consumer.table.get_item(Key={"id": "gone"})


def test_consumer_reports_failures(stack: Stack) -> None:
    source = stack.properties("AWS::Lambda::EventSourceMapping")
    assert source["EventSourceArn"] == stack.output("StreamArn")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["StartingPosition"] == "TRIM_HORIZON"
    destination = source["DestinationConfig"]["OnFailure"]["Destination"]
    assert destination == f"arn:aws:sqs:{REGION}:{ACCOUNT}:failed-batches"
    role = stack.properties("AWS::IAM::Role")
    actions = {
        action: statement["Resource"]
        for statement in role["Policies"][0]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    assert actions["dynamodb:UpdateItem"] == stack.output("TableArn")
    assert actions["kinesis:GetRecords"] == [source["EventSourceArn"]]
    assert actions["sqs:SendMessage"] == [destination]
