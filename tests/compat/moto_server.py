"""Runs moto's server on a free loopback port, which is printed, until standard input closes.

Run it with the Python of the judges' venv. moto 5 loses records if two requests put into one shard at
the same time, so its shards take one record at a time here.
"""

import json
import sys
import threading
from typing import Any

from moto.kinesis.models import Shard
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

LOCK = threading.Lock()
put_record_of_moto = Shard.put_record


def put_record(self: Shard, *arguments: Any, **named: Any) -> Any:
    with LOCK:
        return put_record_of_moto(self, *arguments, **named)


Shard.put_record = put_record


def main() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    print(json.dumps({"port": server.get_host_and_port()[1]}), flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
