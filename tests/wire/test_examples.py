"""The examples in the docstrings run."""

from __future__ import annotations

import doctest

import pytest

from adjudicator.wire import codetable, digest


@pytest.mark.parametrize("module", [codetable, digest], ids=lambda module: module.__name__)
def test_examples(module):
    result = doctest.testmod(module)
    assert result.attempted and not result.failed
