"""Every option that a pack can write has a Chinese word."""

from __future__ import annotations

import pytest

from adjudicator.benefit.plan.keys import KEYS
from adjudicator.cli.main import main
from adjudicator.options import in_words

CHOICES = {key.choices for key in KEYS if key.unit in ("option", "names")}


@pytest.mark.parametrize("choices", sorted(CHOICES, key=lambda choices: choices.__name__))
def test_each_option_has_its_own_word(choices) -> None:
    assert len({member.zh for member in choices}) == len(choices) and all(member.zh for member in choices)
    assert all(in_words(member).split()[0] == member.name.lower() for member in choices)


def test_a_change_of_an_option_is_told_in_words(capsys) -> None:
    assert main(["rules", "diff", "zhuzhou@2023-05-31", "zhuzhou@2023-06-01"]) == 0
    said = capsys.readouterr().out
    assert "how the deductible is counted (V01): year_per_level 年度按级别分别计 → per_stay 每次计算" in said
