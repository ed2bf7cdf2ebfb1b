"""What the columns, stages and groups of a comparison are called, in English and Chinese."""

from __future__ import annotations

from adjudicator.payers import PAYERS

Words = dict[str, tuple[str, str]]
"""Id -> (English, Chinese)."""

AMOUNTS: Words = {payer.field: (payer.en, payer.zh) for payer in PAYERS} | {
    "fund_total_fen": ("all funds", "基金支付合计"),
    "personal_total_fen": ("all that persons pay", "个人负担合计"),
    "total_fen": ("total cost", "医疗费总额"),
    "due_fen": ("owed to institutions", "应付医疗机构"),
}


def said(words: tuple[str, str], language: str) -> str:
    """Return the English or the Chinese."""
    return words[language == "zh"]


def amount_name(name: str, language: str) -> str:
    """Return the name of an amount.

    >>> amount_name("cash_fen", "zh"), amount_name("due_fen", "en")
    ('个人现金支付', 'owed to institutions')
    """
    return said(AMOUNTS[name], language)
