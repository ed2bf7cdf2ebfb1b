"""Each package that is asked for has its reason on the page, and is used."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from itertools import chain

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
    asked = names(project["dependencies"]) + [
        n for extra in project["optional-dependencies"].values() for n in names(extra)
    ]
    assert set(asked) - {"chs-adjudicator"} - explained == set()


def test_each_runtime_package_is_imported(root, project):
    files = (file for folder in ("src", "deploy") for file in (root / folder).rglob("*.py"))
    source = "\n".join(file.read_text(encoding="utf-8") for file in files)
    extras = {
        name: names(asked) for name, asked in project["optional-dependencies"].items() if name not in ("build", "dev")
    }
    for name in {*names(project["dependencies"]), *chain.from_iterable(extras.values())} - {"chs-adjudicator"}:
        module = re.escape(IMPORTED_AS.get(name, name))
        assert re.search(rf"^\s*(?:import|from) {module}\b", source, re.MULTILINE), f"{name} is asked for and not used"


CLIENT = """
import sys
for name in {away!r}:
    sys.modules[name] = None
import adjudicator
from adjudicator import Client
from adjudicator.v1 import claim_pb2
print(Client.__name__, claim_pb2.Claim.__name__, "numba" in sys.modules and sys.modules["numba"] is not None)
"""


def test_the_client_needs_what_its_extra_brings_and_nothing_else(project):
    """All other packages are made impossible to import in a fresh process."""
    brought = {*names(project["dependencies"]), *names(project["optional-dependencies"]["client"])}
    rest = {name for extra in project["optional-dependencies"].values() for name in names(extra)} - brought
    away = sorted(
        {IMPORTED_AS.get(name, name.replace("-", "_")) for name in rest} - {"chs_adjudicator", "chs-adjudicator"}
    )
    assert "numba" in away and "redis" in away
    done = subprocess.run([sys.executable, "-c", CLIENT.format(away=away)], capture_output=True, text=True)
    assert done.stdout.split() == ["Client", "Claim", "False"], done.stderr


def test_a_missing_package_names_the_extra_that_brings_it():
    code = "import sys; sys.modules['numba'] = None; from adjudicator.cli.main import main; sys.exit(main(['warmup']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2 and "pip install 'chs-adjudicator[engine]'" in done.stderr, done.stderr
