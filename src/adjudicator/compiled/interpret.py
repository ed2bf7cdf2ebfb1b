"""The Python source of a kernel as a variant of its own: the same rules, run by the interpreter with other globals.

What a kernel computes is one source. A variant that also tells how it came about (``benefit.trace``) is made from the
code objects of the kernel and its helpers, each with its own copy of the globals that it reads.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any, TypeVar, cast

from adjudicator.compiled.jit import interpreted
from adjudicator.compiled.unowned import itself, unowned

F = TypeVar("F")


def variant(kernel: F, **rebound: Any) -> F:
    """Return a kernel as a Python function in which some global names, its own and its helpers', have other values."""
    made = {
        source: FunctionType(
            source.__code__, dict(source.__globals__), source.__name__, source.__defaults__, source.__closure__
        )
        for source in helpers(kernel)
    }
    for source, function in made.items():
        names = function.__globals__
        for name in set(_names(source.__code__)) & names.keys():
            helper = _source(names[name])
            if name in rebound:
                names[name] = rebound[name]
            elif names[name] is unowned:
                names[name] = itself
            elif helper is not None:
                names[name] = made[helper]
    return cast(F, interpreted(next(iter(made.values()))))


@functools.cache
def helpers(kernel: Any) -> tuple[FunctionType, ...]:
    """Return the Python functions that a kernel, or one of its helpers, is made of; its own comes first."""
    found: list[FunctionType] = []
    waiting = [_source(kernel) or kernel]
    while waiting:
        source = waiting.pop()
        if source is not None and source not in found:
            found.append(source)
            names = set(_names(source.__code__)) & source.__globals__.keys()
            waiting += [_source(source.__globals__[name]) for name in sorted(names)]
    return tuple(found)


def _source(value: Any) -> FunctionType | None:
    """Return the Python function of a kernel or helper; None for anything else."""
    if value is unowned:
        return None
    source = getattr(value, "py_func", None) or getattr(value, "__wrapped__", None)
    return source if isinstance(source, FunctionType) else None


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
