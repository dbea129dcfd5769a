"""The Serverless Framework's fork osls: turns a serverless.yml into CloudFormation, offline."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict

from running import ROOT

OSLS = ROOT / "tests/deploying/node_modules/osls/bin/serverless.js"


def packaged(folder: Path, tool: Path = OSLS, warns: bool = False) -> Dict[str, Any]:
    """The template `osls package` creates in a folder, without credentials or telemetry."""
    node = shutil.which("node")
    assert node and tool.exists(), f"there is no {tool}: run scripts/setup test"
    run = subprocess.run(
        [node, tool, "package"],
        cwd=folder,
        env={
            "HOME": str(folder),
            "PATH": str(Path(node).parent),
            "CI": "1",
            "SLS_TELEMETRY_DISABLED": "1",
            "SLS_NOTIFICATIONS_MODE": "off",
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert run.returncode == 0 and ("Warning" in run.stdout) == warns, run.stdout
    template = folder / ".serverless/cloudformation-template-update-stack.json"
    return json.loads(template.read_text())
