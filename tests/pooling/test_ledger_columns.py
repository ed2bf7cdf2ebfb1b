"""Records of a ledger as columns of cases: equal to the slow twin, record by record."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from adjudicator.errors import AdjudicatorError
from adjudicator.ledger.store import Ledger
from adjudicator.pooling.cases import Cases
from adjudicator.pooling.periods.ledger_cases import Reading, cases_by_month
from adjudicator.pooling.periods.ledger_columns import numbered
from tests.pooling import naive_ledger_cases as naive
from tests.pooling.test_ledger_cases import CASES, POOL, DrgCase, settle_all

FUNDS = ("pooled", "catastrophic")


def lines(cases: Cases) -> list[dict[str, Any]]:
    """Cases as the twin writes them."""
    assert cases.diagnoses is not None and cases.reasons is not None
    names = {"hospital": cases.hospitals, "county": cases.counties, "scheme": cases.schemes, "group": cases.groups}
    found = []
    for row, case, diagnosis, reason in zip(cases.rows, cases.ids, cases.diagnoses, cases.reasons, strict=True):
        line = {name: names[name][row[name]] if name in names else int(row[name]) for name in row.dtype.names}
        found.append({"case": case, "diagnosis": diagnosis, "reason": reason} | line)
    return found


async def both(url: str, pool: str, month: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        slow = await naive.lines(ledger, pool, month, FUNDS)
        reading = Reading(pool, (month,), clearing_funds=FUNDS)
        fast = [line async for found in cases_by_month(ledger, reading) for line in lines(found.cases)]
        return fast, slow


def test_made_settlements_of_many_forms(store_url: str) -> None:
    """With and without what is kept of the claim, long names, several schemes and counties, a reversal."""
    generator = np.random.default_rng(1)
    made = [
        DrgCase(
            f"p{n % 7}", f"E{'x' * int(generator.integers(0, 40))}{n}", institution=f"H{n % 5}", county=990001 + n % 3,
            points_e8=int(generator.integers(0, 10**12)), group=("FR21", "", "GZ15", "TU11A")[n % 4],
            total_fen=int(generator.integers(70_000, 10**9)), catastrophic_fen=n,
            stay=(20250301, 20250308) if n % 3 else (0, 0), principal=("I21.000", "", "I21.000x001")[n % 3],
        )
        for n in range(40)
    ]  # fmt: skip
    asyncio.run(settle_all(store_url, [*CASES, *made], reverse=made[-1]))
    fast, slow = asyncio.run(both(store_url, POOL, 202503))
    assert len(fast) == len(slow) == 43 and fast == slow
    assert {line["sign"] for line in fast} == {1, -1}


@pytest.mark.compiled
def test_what_the_engine_settles(store_url: str, tmp_path) -> None:
    """Real claims: by points, without a price (an unknown hospital's coefficient), outpatient care by item."""
    import shutil

    from adjudicator.claim.engine import Engine
    from adjudicator.rules.bundle import load_bundle
    from tests.pooling.test_ledger_cases import OTHER_HOSPITAL, PACKS
    from tests.service import claims
    from tests.service.test_settling import settle, settler

    shutil.copytree(PACKS, tmp_path / "packs")
    table = tmp_path / "packs/hangzhou/payment/coefficients_demo.csv"
    listed = table.read_text("utf-8").splitlines(keepends=True)
    table.write_text("".join(line for line in listed if OTHER_HOSPITAL not in line), "utf-8")
    sent = [claims.claim(n * 100_000 + 7) for n in range(1, 8)]
    sent += [claims.claim(900_000, institution_code=OTHER_HOSPITAL), claims.claim(diagnoses=["E11.900", "I10.x00x002"])]
    sent += [claims.claim(5_000, care_type="11", admission_date=20250314)]

    async def day() -> None:
        async with settler(Engine(load_bundle([str(tmp_path / "packs/hangzhou")])), store_url) as one:
            await settle(one, *sent)

    asyncio.run(day())
    fast, slow = asyncio.run(both(store_url, claims.POOL, 202503))
    assert fast == slow and len(fast) >= 9
    assert {line["reason"] for line in fast} == {"", "ADJ-8003"}
    assert len({line["method"] for line in fast}) >= 2 and all(line["total_fen"] > 0 for line in fast)


def test_an_answer_that_cannot_be_read_is_named(store_url: str) -> None:
    asyncio.run(settle_all(store_url, [BadAnswer("p1", "E1")]))
    with pytest.raises(AdjudicatorError, match="H99000100001/E1/1 has no answer"):
        asyncio.run(both_fast(store_url))


class BadAnswer(DrgCase):
    """A settlement whose record has lost its answer."""

    @property
    def answer(self) -> bytes:
        return b""


async def both_fast(url: str) -> None:
    async with await Ledger.open(url, allow_volatile=True) as ledger:
        async for _ in cases_by_month(ledger, Reading(POOL, (202503,))):
            pass


def test_texts_become_numbers_of_a_sorted_list() -> None:
    octets = np.frombuffer("bab医a".encode(), np.uint8)
    starts, sizes = np.array([0, 1, 0, 6, 2, 3]), np.array([1, 2, 0, 1, 1, 3])
    numbers, names = numbered(octets, (starts, sizes))
    assert names == ["", "a", "ab", "b", "医"]
    assert [names[number] for number in numbers] == ["b", "ab", "", "a", "b", "医"]
