"""The insurances whose money a pool keeps apart: basic insurance, employees' large-sum fund, catastrophic insurance.

A row of a pooling year belongs to a scheme and an insurance, named together by a key: ``310`` is basic insurance of
employees, ``310/large_sum`` their large-sum fund. Maternity insurance is a scheme of its own.
"""

from __future__ import annotations

from adjudicator.codes import scheme_zh

BASIC = "basic"
INSURANCES = {BASIC: "", "large_sum": "大额补助", "catastrophic": "大病保险"}
"""Words of the column ``insurance``, and what follows the name of the scheme in Chinese."""


def key_of(scheme: str, insurance: str) -> str:
    """Return the key of a scheme (national code) and an insurance.

    >>> key_of("310", "basic"), key_of("390", "catastrophic")
    ('310', '390/catastrophic')
    """
    return scheme if insurance == BASIC else f"{scheme}/{insurance}"


def parts_of(key: str) -> tuple[str, str]:
    """Return the national code and the insurance of a key.

    >>> parts_of("310"), parts_of("390/catastrophic")
    (('310', 'basic'), ('390', 'catastrophic'))
    """
    scheme, _, insurance = key.partition("/")
    return scheme, insurance or BASIC


def name_zh(key: str) -> str:
    """Return the Chinese name of a key.

    >>> name_zh("310"), name_zh("310/large_sum")
    ('职工', '职工大额补助')
    """
    scheme, insurance = parts_of(key)
    return scheme_zh(scheme) + INSURANCES[insurance]
