"""The repository's services and template, with the tools that users may have: versions 3 and 4."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests/e2e"))

from osls import OSLS, packaged  # noqa: E402

JUDGES = Path(os.environ.get("EVERYITEM_JUDGES", ROOT / "build/judges"))
NPM = JUDGES / "packaging/node_modules"
TOOLS = {
    "osls-newest": NPM / "osls/bin/serverless.js",
    "osls-pinned": OSLS,
    "serverless-3": NPM / "serverless/bin/serverless.js",
}
SAM = JUDGES / "sam/bin"
# The Serverless Framework 3 does not know Python 3.12, warns, and continues (examples/serverless).
WARNS = {("serverless-3", "examples/serverless")}


def checked(folder: Path, *command: object) -> str:
    """The output of a command that must succeed and stays on this machine."""
    run = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        env={"HOME": str(folder), "PATH": os.environ["PATH"], "SAM_CLI_TELEMETRY": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def lint(folder: Path, template: Path) -> str:
    return checked(folder, SAM / "cfn-lint", "--regions", "us-east-1", "--template", template)


@pytest.mark.parametrize("service", ["deploy", "examples/serverless"])
@pytest.mark.parametrize("tool", TOOLS)
def test_packaged_and_linted(
    tool: str, service: str, tmp_path: Path
) -> None:
    folder = tmp_path / service
    shutil.copytree(ROOT / service, folder, ignore=shutil.ignore_patterns(".serverless"))
    (tmp_path / "dist").mkdir()
    with zipfile.ZipFile(tmp_path / "dist/everyitem-lambda.zip", "w") as archive:
        archive.writestr("bootstrap", "")
    template = packaged(folder, TOOLS[tool], (tool, service) in WARNS)
    assert "AWS::Lambda::Function" in {one["Type"] for one in template["Resources"].values()}
    written = tmp_path / "packaged.json"
    written.write_text(json.dumps(template))
    assert lint(tmp_path, written) == ""


def test_sam_accepts_the_template(tmp_path: Path) -> None:
    template = ROOT / "deploy/template.yaml"
    said = checked(
        tmp_path, SAM / "sam", "validate", "--lint", "--region", "us-east-1", "--template", template
    )
    assert "is a valid SAM Template" in said
    assert lint(tmp_path, template) == ""
