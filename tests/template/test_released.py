"""A release as a stranger has it: the same bytes from other hands, and a stack of it without building anything."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from local import sam
from local.ministack import REGION
from tests.cfn_lint.linting import lint
from tools import packages, release

if TYPE_CHECKING:
    from local.ministack import MiniStack
    from local.response_host import ResponseHost

ROOT = Path(__file__).parents[2]
AWS = ROOT / ".venv/awscli/bin/aws"
VERSION = release.version_of((ROOT / "template.yaml").read_text())
CONSTRUCTS = {f"cdk-neptune-ml-{VERSION}.tgz", f"cdk_neptune_ml-{VERSION}-py3-none-any.whl"}
FILES = {
    *("LICENSE", "README.md", "SHA256SUMS", "provider.zip", "sbom.cdx.json", "template.yaml"),
    f"cfn_lint_neptune_ml-{VERSION}-py3-none-any.whl",
    f"terraform-aws-neptune-ml-{VERSION}.zip",
    *({*CONSTRUCTS, "NOTES.md"} if packages.can_build_constructs() else ()),
}
SOURCES = ("CHANGELOG.md", "LICENSE", "docs/releases.md", "packages", "src", "template.yaml", "tools")

MAKE = """
import os, sys
from pathlib import Path
from tools import release
os.umask(0o077)
release.make(Path(sys.argv[1]), python=sys.argv[2], source_url="https://example.com/provider", tag=sys.argv[3])
"""


def make_elsewhere(directory: Path, python: str, tag: str) -> Path:
    """Make the release in a copy of the sources: another directory, another time, another user's settings."""
    clone = directory / "some where/else"
    for source in SOURCES:
        target = clone / source
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("node_modules"))
        else:
            shutil.copy(ROOT / source, target)
    for path in clone.rglob("*"):
        os.utime(path, (1e9, 1e9))
    (clone / ".venv").symlink_to(ROOT / ".venv")
    (clone / "src/provider/__pycache__").mkdir(exist_ok=True)
    (clone / "src/provider/__pycache__/handler.cpython-313.pyc").write_bytes(b"of another time")
    settings = {
        "PYTHONHASHSEED": "7",
        "TZ": "Asia/Tokyo",
        "LC_ALL": "C",
        "TMPDIR": str(directory),
        "PYTHONOPTIMIZE": "2",
    }
    subprocess.run(
        [sys.executable, "-c", MAKE, clone / "made", python, tag],
        cwd=clone,
        env={**os.environ, **settings},
        check=True,
        timeout=900,
    )
    return clone / "made"


def test_the_same_sources_make_the_same_bytes_elsewhere(
    released: Path, version: str, python: str, tmp_path: Path
) -> None:
    again = make_elsewhere(tmp_path, python, f"v{version}" if "NOTES.md" in FILES else "")

    assert {path.name for path in released.iterdir()} == {path.name for path in again.iterdir()} == FILES
    assert [name for name in FILES if (released / name).read_bytes() != (again / name).read_bytes()] == []


def test_the_package_has_bytecode_and_what_sam_build_puts_into_it(released: Path, built_template: Path) -> None:
    built = built_template.parent / "Provider"
    with zipfile.ZipFile(released / "provider.zip") as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}

    assert any(re.fullmatch(r"provider/__pycache__/handler\.cpython-\d+\.pyc", name) for name in contents)
    assert {name: content for name, content in contents.items() if not name.endswith(".pyc")} == {
        path.relative_to(built).as_posix(): path.read_bytes()
        for path in built.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def test_the_checksums_are_those_of_the_files(released: Path) -> None:
    lines = (released / "SHA256SUMS").read_text().splitlines()
    sums = {name: checksum for checksum, _, name in (line.partition("  ") for line in lines)}

    assert set(sums) == FILES - {"SHA256SUMS", "NOTES.md"}
    assert {name: hashlib.sha256((released / name).read_bytes()).hexdigest() for name in sums} == sums


def test_the_bill_of_materials_names_what_is_in_the_package(released: Path, version: str) -> None:
    locked = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", (ROOT / "src/requirements.txt").read_text(), re.M))
    bill: dict[str, Any] = json.loads((released / "sbom.cdx.json").read_text())
    product = bill["metadata"]["component"]

    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert (product["name"], product["version"]) == ("neptune-ml-provider", version)
    assert product["hashes"] == [{"alg": "SHA-256", "content": checksum_of_the_released(released)}]
    assert {it["purl"] for it in bill["components"]} == {f"pkg:pypi/{name}@{locked[name]}" for name in locked}
    assert all(it["licenses"] for it in bill["components"])
    depended_on = {ref for it in bill["dependencies"] for ref in it.get("dependsOn", [])}
    assert depended_on == {it["bom-ref"] for it in bill["components"]}


def test_the_page_of_the_release_can_be_read_by_itself(released: Path) -> None:
    links = re.findall(r"\]\(([^)]+)\)|^\[[^\]]+\]: (\S+)", (released / "README.md").read_text(), re.M)

    assert [link for link, definition in links if "://" not in link + definition] == []
    table = (released / "README.md").read_text().partition("\n## ")[0].replace("VERSION", VERSION)
    assert set(re.findall(r"`([\w.@-]+)`", table)) | CONSTRUCTS == FILES - {"NOTES.md"} | CONSTRUCTS


def test_the_released_template_has_no_faults(released: Path) -> None:
    assert lint(released / "template.yaml") == []


def checksum_of_the_deployed(ministack: MiniStack, outputs: dict[str, str]) -> str:
    """The SHA-256 of the function's package, as Lambda tells it."""
    function = ministack.client("lambda").get_function_configuration(FunctionName=outputs["FunctionName"])
    return base64.b64decode(function["CodeSha256"]).hex()


def checksum_of_the_released(released: Path) -> str:
    return hashlib.sha256((released / "provider.zip").read_bytes()).hexdigest()


def test_sam_deploys_it_without_building(released: Path, ministack: MiniStack, response_host: ResponseHost) -> None:
    parameters = {"ClusterResourceId": "*", "ResponseHosts": "127.0.0.1,localhost"}
    outputs = sam.deploy(ministack, released / "template.yaml", "released", parameters)
    delete = {
        "RequestType": "Delete",
        "ResponseURL": response_host.url_for("a-request"),
        "StackId": f"arn:aws:cloudformation:{REGION}:000000000000:stack/movies/0b6d2f90",
        "RequestId": "a-request",
        "LogicalResourceId": "TransformJob",
        "PhysicalResourceId": "an-id-of-CloudFormation",
        "ResourceType": "Custom::NeptuneMLModelTransformJob",
        "ResourceProperties": {"Endpoint": "movies.cluster-abc.us-east-1.neptune.amazonaws.com", "Id": "movies"},
    }
    invoked = ministack.client("lambda").invoke(FunctionName=outputs["FunctionName"], Payload=json.dumps(delete))

    assert checksum_of_the_deployed(ministack, outputs) == checksum_of_the_released(released)
    assert json.loads(invoked["Payload"].read())["Status"] == "SUCCESS"


def test_the_aws_cli_deploys_it_without_sam(released: Path, ministack: MiniStack, tmp_path: Path) -> None:
    if not AWS.exists():
        pytest.skip("the AWS CLI is not installed: run `make install`")
    ministack.client("s3").create_bucket(Bucket="packages")
    package = ["--template-file", str(released / "template.yaml"), "--s3-bucket", "packages"]
    packaged = tmp_path / "packaged.yaml"
    for arguments in (
        ["package", *package, "--output-template-file", str(packaged)],
        [
            *(
                "deploy",
                "--template-file",
                str(packaged),
                "--stack-name",
                "packaged",
                "--capabilities",
                "CAPABILITY_IAM",
            ),
            *("--parameter-overrides", "ClusterResourceId=*", "ResponseHosts=127.0.0.1,localhost"),
        ],
    ):
        command = [str(AWS), "cloudformation", *arguments, "--region", REGION]
        done = subprocess.run(
            command, env=ministack.environment(), capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr

    stack = ministack.client("cloudformation").describe_stacks(StackName="packaged")["Stacks"][0]
    outputs = {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}
    assert checksum_of_the_deployed(ministack, outputs) == checksum_of_the_released(released)
    metadata = yaml.safe_load(packaged.read_text())["Metadata"]["AWS::ServerlessRepo::Application"]
    assert metadata["LicenseUrl"].startswith("s3://packages/")
    assert metadata["ReadmeUrl"].startswith("s3://packages/")
