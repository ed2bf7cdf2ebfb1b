"""Every kind of fault of a rule file speaks Chinese: each place of the source that writes one is looked at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest

from adjudicator.rulefile.chinese import MESSAGES, REMEDIES, in_chinese
from adjudicator.rules.check import check_pack

PACKAGE = Path(__file__).resolve().parents[2] / "src" / "adjudicator"
ROOMS = ("rulefile", "rules", "benefit", "payment", "catalogue", "grouping", "pooling")
CHINESE = re.compile("[\u4e00-\u9fff]")
SAMPLE = "x7"
"""What stands for a value in a message."""
COMPOSED = (
    "write a whole number", "write a number", "write yuan", "write percent", "write it: ", "write a code of",
    "write a class of", "write a code that begins", "write a hospital code",
    "correct the code", "the keys are", "use ", "has {} cells",
    "{} is not a decimal", "{} has a ", "{} has more than", "{} is not a number",
    "{} has too many", "{} is out of range",
)  # fmt: skip
"""Kinds that are put together from parts, or that a function further away writes."""


def texts(node: ast.expr, names: dict[str, list[ast.expr]]) -> set[str]:
    """Every text that an expression can be, with SAMPLE for each value; of a call only that it is some text."""
    if isinstance(node, ast.Constant):
        return {str(node.value)}
    if isinstance(node, ast.JoinedStr):
        return {"".join(str(part.value) if isinstance(part, ast.Constant) else SAMPLE for part in node.values)}
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return {one + other for one, other in product(texts(node.left, names), texts(node.right, names))}
    if isinstance(node, ast.IfExp):
        return texts(node.body, names) | texts(node.orelse, names)
    if isinstance(node, ast.Name) and node.id in names:
        return set().union(*(texts(value, {}) for value in names[node.id]))
    return {SAMPLE}


def assigned(function: ast.FunctionDef) -> dict[str, list[ast.expr]]:
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
            pairs = (
                zip(target.elts, value.elts, strict=False)
                if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
                else [(target, value)]
            )
            for name, one in pairs:
                if isinstance(name, ast.Name):
                    found.setdefault(name.id, []).append(one)
    return found


def written() -> Iterator[tuple[str, str]]:
    """Each message and remedy that the source writes, with its place."""
    for path in sorted(path for room in ROOMS for path in (PACKAGE / room).rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(function, ast.FunctionDef):
                continue
            names = assigned(function)
            for node in ast.walk(function):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and len(node.args) >= 3
                if (
                    is_call
                    and node.func.attr in ("add", "fault")
                    and re.search("fault|reading", ast.unparse(node.func.value))
                ):
                    for argument in node.args[2:4]:
                        for text in texts(argument, names):
                            text = re.sub(f"([a-z]){SAMPLE}$", r"\1", text.replace(SAMPLE * 2, SAMPLE))
                            yield f"{path.relative_to(PACKAGE)}:{node.lineno}", text


def has_own_words(text: str) -> bool:
    return bool(re.search("[a-z]{3}", text.replace(SAMPLE, "")))


def test_every_kind_is_there() -> None:
    found = [(place, text) for place, text in written() if has_own_words(text)]
    assert len(found) > 200
    assert [entry for entry in found if not CHINESE.search(in_chinese(entry[1]))] == []


def test_no_kind_is_there_for_nothing() -> None:
    kinds = {text.replace(SAMPLE, "{}") for _, text in written()}
    idle = [kind for kind in {**MESSAGES, **REMEDIES} if kind not in kinds and not kind.startswith(COMPOSED)]
    assert idle == []


@pytest.mark.parametrize("kind", [*MESSAGES, *REMEDIES])
def test_a_kind_keeps_every_value(kind: str) -> None:
    values = [f"v{number}" for number in range(kind.count("{}"))]
    english = kind
    for value in values:
        english = english.replace("{}", value, 1)
    said = in_chinese(english)
    assert CHINESE.search(said) and all(value in said for value in values), said


def test_every_fault_of_the_bad_pack_is_told_in_chinese() -> None:
    for fault in check_pack(PACKAGE.parents[1] / "tests" / "bad" / "packs" / "many_faults", 20_261_127):
        said = fault.text("zh").removeprefix(f"{fault.file}: {fault.key}: ")
        message, _, remedy = said.partition(" — ")
        assert CHINESE.search(message) and CHINESE.search(remedy), said


def test_an_unknown_kind_stays_as_it_is() -> None:
    assert in_chinese("the moon is full") == "the moon is full"
