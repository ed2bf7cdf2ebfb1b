"""Each package that is asked for has its reason on the page, and is used."""

from __future__ import annotations

import re
import tomllib

import pytest

IMPORTED_AS = {
    "grpcio": "grpc",
    "grpcio-health-checking": "grpc_health",
    "grpcio-reflection": "grpc_reflection",
    "googleapis-common-protos": "google.rpc",
    "protobuf": "google.protobuf",
    "pyyaml": "yaml",
}


@pytest.fixture(scope="module")
def project(root) -> dict:
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> list[str]:
    return [re.match(r"[\w-]+", requirement).group() for requirement in requirements]


def test_each_has_its_reason(root, project):
    page = (root / "docs" / "adr" / "0002-dependencies.md").read_text(encoding="utf-8")
    explained = {name.split("[")[0] for cell in re.findall(r"^\| ([^|]+) \|", page, re.M) for name in cell.split(", ")}
    asked = names(project["dependencies"]) + names(project["optional-dependencies"]["dev"])
    assert set(asked) - {"adjudicator"} - explained == set()


def test_each_runtime_package_is_imported(root, project):
    source = "\n".join(file.read_text(encoding="utf-8") for file in (root / "src").rglob("*.py"))
    for name in names(project["dependencies"]):
        module = re.escape(IMPORTED_AS.get(name, name))
        assert re.search(rf"^\s*(?:import|from) {module}\b", source, re.MULTILINE), f"{name} is asked for and not used"
