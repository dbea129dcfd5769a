#!/usr/bin/python3
"""Compares our signatures with those of botocore: sigv4_against_botocore.py SIGV4_TOOL [SEED]

Runs under Debian's own Python, which has botocore (package python3-botocore).
"""

import datetime
import json
import random
import subprocess
import sys
from unittest import mock

import botocore.auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

TIME = datetime.datetime(2026, 2, 28, 23, 59, 59, tzinfo=datetime.timezone.utc)
BODY_BYTES = [0, 1, 1 << 10, 64 << 10, 1 << 20, 2 << 20]
SERVICES = {
    "dynamodb": ("/", "DynamoDB_20120810.Scan", "application/x-amz-json-1.0"),
    "kinesis": ("/", "Kinesis_20131202.PutRecords", "application/x-amz-json-1.1"),
    "ssm": ("/", "AmazonSSM.PutParameter", "application/x-amz-json-1.1"),
    "lambda": (
        "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Ascanner/invocations",
        "",
        "application/json",
    ),
    "sts": ("/", "", "application/x-www-form-urlencoded; charset=utf-8"),
}
REGIONS = ["us-east-1", "eu-central-2", "cn-north-1", "us-gov-west-1"]
TEXT = "abcdefghijklmnopqrstuvwxyz0123456789 \n\"\\{}:,/+="
KEY = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/+"


def requests(seed):
    chance = random.Random(seed)
    for service, (path, target, content_type) in SERVICES.items():
        for body_bytes in BODY_BYTES:
            for with_token in (False, True):
                region = chance.choice(REGIONS)
                headers = {
                    "Host": f"{service}.{region}.amazonaws.com",
                    "Content-Type": content_type,
                    "X-Amz-Target": target,
                    "Amz-Sdk-Request": "  attempt=1;   max=3 ",
                }
                yield {
                    "method": "POST",
                    "path": path,
                    "query": chance.choice(["", "b=2&a=1&a=0", "Action=x%20y&Version="]),
                    "headers": {name: value for name, value in headers.items() if value},
                    "body": "".join(chance.choices(TEXT, k=body_bytes)),
                    "region": region,
                    "service": service,
                    "access_key_id": "AKIA" + "".join(chance.choices(KEY[26:62], k=16)),
                    "secret_access_key": "".join(chance.choices(KEY, k=40)),
                    "session_token": "".join(chance.choices(KEY, k=400)) if with_token else "",
                    "epoch_seconds": int(TIME.timestamp()),
                }


def botocore_authorization(request):
    url = f"https://{request['headers']['Host']}{request['path']}"
    if request["query"]:
        url += "?" + request["query"]
    signed = AWSRequest(
        method=request["method"],
        url=url,
        headers=request["headers"],
        data=request["body"].encode(),
    )
    credentials = Credentials(
        request["access_key_id"], request["secret_access_key"], request["session_token"] or None
    )
    with mock.patch("botocore.auth.datetime") as clock:
        clock.datetime.utcnow.return_value = TIME.replace(tzinfo=None)
        botocore.auth.SigV4Auth(credentials, request["service"], request["region"]).add_auth(signed)
    return signed.headers["Authorization"]


def main():
    tool = sys.argv[1]
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 20260228
    print(f"seed {seed}")
    described = list(requests(seed))
    lines = "".join(json.dumps(request) + "\n" for request in described)
    answer = subprocess.run([tool], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    ours = answer.stdout.splitlines()
    differing = 0
    for number, request in enumerate(described):
        wanted = botocore_authorization(request)
        got = ours[number] if number < len(ours) else "(nothing)"
        if got != wanted:
            differing += 1
            print(
                f"{request['service']} {request['region']} {len(request['body'])} bytes, "
                f"token: {bool(request['session_token'])}\n  ours     {got}\n  botocore {wanted}"
            )
    print(f"{len(described)} requests, {differing} signed differently")
    return 1 if differing or len(ours) != len(described) else 0


if __name__ == "__main__":
    sys.exit(main())
