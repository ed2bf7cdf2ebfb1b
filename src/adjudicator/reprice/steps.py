"""What a step of a run is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from adjudicator.reprice.job import Job


class Step(NamedTuple):
    """One step: its function, the numbers of its tasks, and where the receipt of each is."""

    name: str
    function: Callable[..., dict[str, Any]]
    numbers: Sequence[int]
    receipt: Callable[[Job, int], Path]
