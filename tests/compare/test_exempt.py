"""A readmission that the principal diagnosis exempts keeps its points in a comparison that goes on to clearing."""

from __future__ import annotations

import pyarrow as pa

from adjudicator.codes import Method
from adjudicator.compare.through import Gatherer
from adjudicator.pooling.hospitals.review import halve_readmissions
from adjudicator.pooling.periods.context import load_context
from adjudicator.reprice import facts
from tests.compare.runs import rows
from tests.compare.test_answers import batch, results


def test_the_facts_have_the_principal_diagnosis_of_each_claim(base, claims) -> None:
    said = [next(iter(claim.diagnoses), "") for claim in claims]
    known = rows(base / "facts")
    assert len(said) == len(known) and any(said)
    assert all((row["principal_diagnosis"] or "") == own for row, own in zip(known, said, strict=True) if row["pack"])


DAYS = [(20250301, 20250305), (20250309, 20250312)] * 2


def test_chemotherapy_again_within_days_takes_no_points() -> None:
    answers = results(4, drg=["RE19"] * 4, payment_method=[int(Method.DRG_POINTS)] * 4, points_e8=[100_0000_0000] * 4)
    known = batch(answers, answers, [0, 0, 2, 2], [""] * 4)
    columns = {
        "pack": ["taohuayuan"] * 4, "county": ["990001"] * 4, "scheme": ["310"] * 4,
        "admission_date": [day for day, _ in DAYS], "discharge_date": [day for _, day in DAYS],
        "principal_diagnosis": ["Z51.102", "Z51.102", "J18.900", "J18.900"],
    }  # fmt: skip
    table = known.facts.to_pydict() | columns
    gatherer = Gatherer("taohuayuan")
    gatherer.add(known._replace(facts=pa.table(table, facts.SCHEMA)))
    rule = load_context("taohuayuan").rules(20250331).readmission
    assert rule is not None
    for side in range(2):
        cases = gatherer.cases(side)
        assert cases.diagnoses is not None and cases.diagnoses.tolist() == columns["principal_diagnosis"]
        points = halve_readmissions(cases, rule) // 1_0000_0000
        assert points.tolist() == [100, 100, 100 * rule.factor_ppm // 1_000_000, 100]
