"""The stages tell what they do: nothing goes untold, every word is known, and compiled code has none of it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core import compiler, ir
from numba.core.analysis import dead_branch_prune
from numba.core.ir_utils import simplify_CFG

from adjudicator.benefit import cascade, explain, sentences
from adjudicator.benefit.cascade import settle_claims
from adjudicator.benefit.plan.keys import KEY, SPECIAL_KEYS
from adjudicator.benefit.trace import PROGRAMME
from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.claim import traced
from adjudicator.compiled.interpret import helpers, variant
from adjudicator.steps import STEP_NAMES

GOLDEN = Path(__file__).parent.parent / "golden"
HELPERS = {function.__name__: function for function in helpers(settle_claims)}


def calls(tree: ast.AST) -> Iterator[tuple[str, list[ast.expr]]]:
    """Each call of the trace: its verb and its arguments."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("trace."):
            yield ast.unparse(node.func).removeprefix("trace."), node.args


def emitters() -> dict[str, tuple[str, ...]]:
    """Function -> the steps that it announces."""
    found: dict[str, tuple[str, ...]] = {}
    for path in [*Path(cascade.__file__).parent.glob("stages/*.py"), Path(cascade.__file__)]:
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                steps = [ast.literal_eval(words[0]) for verb, words in calls(function) if verb == "step"]
                if steps:
                    found[function.name] = tuple(steps)
    return found


EMITTERS = emitters()


@pytest.fixture(scope="module")
def explained() -> list[tuple[tuple[Any, ...], dict[str, int]]]:
    """The arguments of each explanation of the cases of the invented city, and what each step took."""
    asked: list[tuple[tuple[Any, ...], dict[str, int]]] = []

    def note(*arguments: Any) -> tuple[explain.Step, ...]:
        kept = tuple(one.copy() if isinstance(one, np.ndarray) else one for one in arguments)
        steps = explain.explain(*arguments)
        asked.append((kept, {step.stage: step.amount_fen for step in steps}))
        return steps

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(traced, "explain", note)
        for case in read_cases(sorted((GOLDEN / "toy").glob("*.yaml"))):
            run_case(case)
    return asked


def test_every_step_has_its_stage() -> None:
    """Each step is announced by one function; what is paid above the cap is a part of the large sum's payer."""
    announced = [step for name, steps in EMITTERS.items() for step in steps if name != "run_stages"]
    assert sorted(announced) == sorted(set(announced))
    assert set(STEP_NAMES) - set(announced) == {"large_sum", "account"}  # their parts have steps of their own


@pytest.mark.parametrize("stage", sorted(EMITTERS))
def test_a_stage_that_keeps_silent_is_noticed(
    stage: str, explained: list[tuple[tuple[Any, ...], dict[str, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage changes an amount and says nothing: the chains do not add up, and no explanation is given."""
    taking = [arguments for arguments, took in explained if any(took.get(step) for step in EMITTERS[stage])]
    assert taking, f"no case in which {stage} takes anything"
    assert explain.explain(*taking[0])
    silent = variant(HELPERS[stage])
    monkeypatch.setattr(explain, "variant", lambda kernel, **names: variant(kernel, **names, **{stage: silent}))
    with pytest.raises(explain.UnexplainedError):
        explain.explain(*taking[0])


def test_a_variant_that_pays_otherwise_is_noticed(
    explained: list[tuple[tuple[Any, ...], dict[str, int]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = next(arguments for arguments, took in explained if took.get("enterprise"))
    monkeypatch.setattr(
        explain, "variant", lambda kernel, **names: variant(kernel, **names, enterprise=lambda *_: None)
    )
    with pytest.raises(explain.UnexplainedError, match="compiled"):
        explain.explain(*arguments)


def globals_read(code: ir.FunctionIR) -> set[str]:
    return {
        statement.value.name
        for block in code.blocks.values()
        for statement in block.body
        if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Global)
    }


def test_compiled_code_has_no_trace_of_the_trace() -> None:
    """Before a kernel gets its types, the branches of the trace are gone: each helper reads no global named so."""
    speaking = 0
    for function in HELPERS.values():
        code = compiler.run_frontend(function)
        speaking += "trace" in globals_read(code)
        dead_branch_prune(code, [None] * function.__code__.co_argcount)
        code.blocks = simplify_CFG(code.blocks)
        assert "trace" not in globals_read(code), function.__name__
    assert speaking > 15


def test_every_word_of_a_stage_is_known() -> None:
    """Steps, keys and sentences that a stage names exist, and each sentence is said by some stage."""
    said: dict[str, set[str]] = {"because": set(), "note": set(), "cite": set()}
    steps = set()
    for path in [*Path(cascade.__file__).parent.glob("stages/*.py"), Path(cascade.__file__)]:
        for verb, words in calls(ast.parse(path.read_text("utf-8"))):
            steps.add(ast.literal_eval(words[0]))
            if verb in said:
                literals = [node.value for node in ast.walk(words[1]) if isinstance(node, ast.Constant)]
                said[verb] |= {value for value in literals if isinstance(value, str)}
    assert steps <= {*STEP_NAMES, "rate"}
    assert said["because"] == set(sentences.RULES) and said["note"] == set(sentences.NOTES)
    assert said["because"] | said["cite"] <= {*KEY, *SPECIAL_KEYS, PROGRAMME}
    assert set(sentences.STEPS) <= steps
