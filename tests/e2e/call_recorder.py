"""Sits between the function and the fault server, and records every call and its resource.

Requests and answers are passed on byte for byte, so that their signatures still hold. CBOR is refused, as
by an endpoint that understands JSON only: the resource is read from the request.
"""

import http.client
import json
import threading
from typing import Any, Dict, NamedTuple, Set

from lambda_host import Handler, Reply, Server


class Call(NamedTuple):
    """A call as IAM sees it: an action on a resource."""

    action: str  # "dynamodb:Scan"
    resource: str  # an ARN


class CallRecorder:
    """Use it in a `with`; `url` is the function's endpoint for DynamoDB and Kinesis."""

    def __init__(self, target: str) -> None:
        self.calls: Set[Call] = set()
        self._lock = threading.Lock()
        self._host = target.split("//")[1]
        self._server = Server(self._respond)
        self.url = f"http://{self._server.authority}"

    def __enter__(self) -> "CallRecorder":
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.close()

    def _respond(self, request: Handler, body: bytes) -> Reply:
        if "cbor" in request.headers["Content-Type"]:
            return 415, {}, b""
        with self._lock:
            self.calls |= calls_of(request.headers, json.loads(body))
        connection = http.client.HTTPConnection(self._host)
        try:
            # Keep the Host header that was signed.
            connection.request("POST", request.path, body, dict(request.headers))
            answer = connection.getresponse()
            kept = ("x-amz-crc32", "content-type", "date")
            headers = {name: value for name, value in answer.getheaders() if name.lower() in kept}
            return answer.status, headers, answer.read()
        finally:
            connection.close()


def calls_of(headers: Any, body: Dict[str, Any]) -> Set[Call]:
    """The calls in a request: one, or one per table for BatchWriteItem."""
    prefix, operation = headers["X-Amz-Target"].split(".")
    service = prefix.split("_")[0].lower()  # DynamoDB_20120810, Kinesis_20131202
    resources = body.get("RequestItems") or [body.get("TableName") or body["StreamARN"]]
    for resource in resources:
        # Signed for the region of the resource, not that of the function.
        region = resource.split(":")[3]
        assert f"/{region}/{service}/aws4_request" in headers["Authorization"], (operation, resource)
    return {Call(f"{service}:{operation}", resource) for resource in resources}
