"""Faults between everyitem and the services, from which a run recovers.

What each kind of fault does to a whole scan is in tests/faults/fault_outcomes_test.cc.
"""

import json
from typing import Any, Callable, Dict

import pytest
from conftest import Backend, Table
from fault_proxy import Drop, Forward, Request, Response, error_response, json_response
from running import Everyitem

COUNT = 3000


@pytest.fixture(scope="module")
def table(backend: Backend) -> Table:
    return backend.table(COUNT)


def throttled(request: Request, forward: Forward) -> Response:
    return error_response("ProvisionedThroughputExceededException", "Rate exceeded")


def internal_error(request: Request, forward: Forward) -> Response:
    return error_response("InternalServerError", "Internal server error", status=500)


def test_only_failed_entries_resent(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    stream = backend.stream()
    kinesis = proxy("kinesis")

    def rule(request: Request, forward: Forward) -> Response:
        """Accepts every third entry of the first requests, and throttles or fails the others."""
        if request.operation != "PutRecords" or request.number > 12:
            return forward(request)
        entries = request.body["Records"]
        taken = [n for n in range(len(entries)) if n % 3 == 0]
        accepted = {**request.body, "Records": [entries[n] for n in taken]}
        answer = json.loads(forward(request._replace(body=accepted)).body)
        results: Dict[int, Any] = dict(zip(taken, answer["Records"]))
        codes = ("ProvisionedThroughputExceededException", "InternalFailure")
        failed = {
            n: {"ErrorCode": codes[n % 2], "ErrorMessage": "Rate exceeded for shard"}
            for n in range(len(entries))
            if n not in results
        }
        merged = [{**results, **failed}[n] for n in range(len(entries))]
        return json_response({"FailedRecordCount": len(failed), "Records": merged})

    kinesis.rule = rule
    everyitem.scan("--table", table.name, "--stream", stream, "--segments", 2)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_closed_connections_are_replaced(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    stream = backend.stream()

    def rule(request: Request, forward: Forward) -> Response:
        """Responds and then closes without announcing it, the way idle connections end."""
        response = forward(request)
        head = f"HTTP/1.1 {response.status} OK\r\nContent-Length: {len(response.body)}\r\n"
        for name, value in response.headers.items():
            head += f"{name}: {value}\r\n"
        raise Drop(f"{head}\r\n".encode() + response.body)

    for service in ("dynamodb", "kinesis"):
        proxy(service).rule = rule
    everyitem.scan("--table", table.name, "--stream", stream, "--segments", 3)
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


def test_permanent_failure(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    stream = backend.stream()
    kinesis = proxy("kinesis")

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == "PutRecords" and request.number >= 3:
            return error_response("KMSAccessDeniedException", "The key is not for you")
        return forward(request)

    kinesis.rule = rule
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2)
    result = everyitem.run(*scan)
    assert result.code == 1, result.stderr
    assert "KMSAccessDenied" in result.stderr and stream in result.stderr
    assert result.summary["status"] == "failed"
    kinesis.rule = None
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    compared = backend.compared(table, stream)
    assert compared.complete, compared


def test_failing_segment(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table
) -> None:
    stream = backend.stream()

    def rule(request: Request, forward: Forward) -> Response:
        if request.operation == "Scan" and request.body["Segment"] == 1:
            return internal_error(request, forward)
        return forward(request)

    dynamodb = proxy("dynamodb")
    dynamodb.rule = rule
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 4, "--max-wait", "1s")
    result = everyitem.run(*scan)
    assert result.code == 1, result.stderr
    assert any("segment 1 failed; continuing with the others" in line for line in result.notices)
    assert "1 of 4 segments could not be read to their end (1)" in result.stderr
    assert result.summary["segments_done"] == 3 and result.summary["segments_failed"] == 1
    delivered = len(backend.data(stream))
    assert 0 < delivered < COUNT
    dynamodb.rule = None
    result = everyitem.run(*scan)
    assert result.code == 0, result.stderr
    compared = backend.compared(table, stream)
    assert compared.complete and compared.duplicates == 0, compared


@pytest.mark.parametrize("service, operation", [("dynamodb", "Scan"), ("kinesis", "PutRecords")])
def test_throttling_beyond_max_wait(
    backend: Backend, everyitem: Everyitem, proxy: Callable, table: Table, service: str, operation: str
) -> None:
    stream = backend.stream()

    def rule(request: Request, forward: Forward) -> Response:
        return throttled(request, forward) if request.operation == operation else forward(request)

    proxy(service).rule = rule
    scan = ("scan", "--table", table.name, "--stream", stream, "--segments", 2, "--max-wait", "1s")
    result = everyitem.run(*scan)
    assert result.code == 1, result.stderr
    assert "throttled requests are retried for at most 1.0 s" in result.stderr
    proxy(service).rule = None
    assert everyitem.run(*scan).code == 0
    assert backend.compared(table, stream).complete
