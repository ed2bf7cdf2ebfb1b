"""Reads bad payment data of the toy town and gives its faults as text."""

from __future__ import annotations

from tests.payment import toy


def faults_of(folder, toml: str, **files: str) -> list[str]:
    _, faults = toy.read(folder, toml, **files)
    return [str(fault) for fault in faults]


def only(folder, toml: str, **files: str) -> str:
    found = faults_of(folder, toml, **files)
    assert len(found) == 1, "\n".join(found)
    return found[0]


def method(name: str, method: str, conditions: str = "", priority: int = 0) -> str:
    return (
        f'[[method]]\nid = "{name}"\n{toy.SOURCE}method = "{method}"\npriority = {priority}\n{conditions}\n'
    )  # fmt: skip
