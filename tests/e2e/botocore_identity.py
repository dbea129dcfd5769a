"""Prints the identity, region and endpoints botocore finds, for comparison with `everyitem whoami`.

Reads one JSON object a line: {"env": {...}, "cwd": ..., "profile": ..., "region": ...}; answers each
with one, in a process of its own with that environment and nothing else.
"""

import json
import os
import sys
import urllib.parse
import xml.etree.ElementTree  # noqa: F401  what botocore imports, once for all cases
from typing import Any, Dict

import botocore
import dateutil.parser  # noqa: F401
import jmespath  # noqa: F401
import urllib3  # noqa: F401

# A call of each service, which is not sent.
CALLS: Dict[str, Any] = {
    "dynamodb": ("scan", {"TableName": "orders"}),
    "kinesis": (
        "put_records",
        {"StreamName": "orders", "Records": [{"Data": b"x", "PartitionKey": "x"}]},
    ),
    "sts": ("get_caller_identity", {}),
}


class Stopped(Exception):
    """In place of a request; says its URL."""


def endpoint_of(client: Any, service: str) -> str:
    def stop(request: Any, **_: Any) -> None:
        raise Stopped(request.url)

    client.meta.events.register("before-send", stop)
    operation, arguments = CALLS[service]
    try:
        getattr(client, operation)(**arguments)
    except Stopped as stopped:
        url = urllib.parse.urlsplit(str(stopped))
        return f"{url.scheme}://{url.netloc}"
    raise AssertionError("it was sent")


def identity_of(case: Dict[str, Any]) -> Dict[str, Any]:
    import botocore.session  # it looks for the home directory when it is imported

    session = botocore.session.Session(profile=case.get("profile") or None)
    credentials = session.get_credentials()
    if credentials is None:
        return {"error": "no credentials"}
    frozen = credentials.get_frozen_credentials()
    clients = {
        service: session.create_client(service, region_name=case.get("region") or None)
        for service in CALLS
    }
    return {
        "access_key_id": frozen.access_key,
        "provider": credentials.method,
        "region": clients["dynamodb"].meta.region_name,
        "endpoints": {name: endpoint_of(client, name) for name, client in clients.items()},
    }


def answer(case: Dict[str, Any]) -> Dict[str, Any]:
    os.environ.clear()
    os.environ.update(case["env"])
    os.chdir(case["cwd"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # there is no terminal to ask for an MFA code on
    try:
        return identity_of(case)
    except Exception as error:  # any exception from botocore or its libraries is a result too
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    for line in sys.stdin:
        case = json.loads(line)
        if case.get("ask") == "version":
            print(json.dumps({"version": botocore.__version__}), flush=True)
            continue
        child = os.fork()
        if child == 0:
            print(json.dumps(answer(case)), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
