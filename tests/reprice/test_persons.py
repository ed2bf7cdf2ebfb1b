"""What belongs together: parts of a stay, referral chains, years and categories that claims bring, opening years."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adjudicator.cases.file import read_cases
from adjudicator.cases.rules import engine_of
from adjudicator.cases.run import _by_amounts, run_case
from adjudicator.errors import AdjudicatorError
from adjudicator.reprice import job
from adjudicator.reprice.manifest import verify, write_manifest
from adjudicator.reprice.run import Options, plan, run
from adjudicator.rules.bundle import load_bundle
from adjudicator.synth.write import _varint
from adjudicator.v1 import claim_pb2, settlement_pb2
from tests.golden.test_golden import FOLDER
from tests.reprice.tables import (
    assert_same,
    contents,
    in_order,
    nested,
    price_files,
    protobuf_way,
    result_rows,
    write_nested,
)


def write_messages(claims, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    batch = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
    path.write_bytes(_varint(len(batch)) + batch)
    return path


def copy(claim, **values):
    other = claim_pb2.Claim.FromString(claim.SerializeToString())
    for name, value in values.items():
        setattr(other, name, value)
    return other


def stays(claims):
    """Inpatient stays among some claims, with nothing special about them."""
    return [claim for claim in claims if claim.care_type == "21" and not claim.referral_from_encounter]


def part(claim, sequence, share, first_day, last_day, final):
    """A part of a stay: the lines of a share of the claim, with ids of their own."""
    other = copy(claim, settlement_sequence=sequence, admission_date=first_day, settlement_date=last_day)
    del other.lines[:]
    for number, line in enumerate(claim.lines):
        if number % 2 == share and line.quantity_e4 > 0:
            other.lines.add().CopyFrom(line)
            other.lines[-1].line_id = f"{sequence}-{number}"
            other.lines[-1].fee_date = first_day
    other.total_fen = sum(line.amount_fen for line in other.lines)
    other.mid_stay, other.discharge_date = not final, last_day if final else 0
    other.ClearField("stay_days")
    return other


@pytest.fixture(scope="module")
def stay(claims):
    return next(one for one in stays(claims) if sum(line.quantity_e4 > 0 for line in one.lines) > 6)


def test_parts_of_a_stay_share_one_deductible(stay, tmp_path, engine):
    whole = copy(stay, admission_date=20230310, discharge_date=20230330, settlement_date=20230330, person_id="WHOLE")
    for line in whole.lines:
        line.fee_date = 20230310
    whole.ClearField("stay_days")
    one = copy(whole, person_id="PARTS", encounter_id="E-PARTS")
    parts = [part(one, 1, 0, 20230310, 20230320, False), part(one, 2, 1, 20230310, 20230330, True)]
    alone = copy(parts[1], person_id="ALONE", encounter_id="E-ALONE")
    price_files(write_nested([parts[1], alone, parts[0]], tmp_path / "in" / "c.parquet"), tmp_path / "out")
    second, single, first = result_rows(tmp_path / "out")
    assert first["outcome"] == second["outcome"] == 1 and first["deductible_fen"] > 0
    assert second["deductible_fen"] + first["deductible_fen"] == single["deductible_fen"]
    assert not second["counts_as_admission"] and first["counts_as_admission"]


def test_a_stay_that_was_settled_is_not_paid_again(stay, tmp_path):
    again = copy(stay, settlement_sequence=2)
    price_files(write_nested([stay, again, stay], tmp_path / "in" / "c.parquet"), tmp_path / "out", buckets=3)
    assert [row["outcome"] for row in result_rows(tmp_path / "out")] == [1, 4, 4]
    told = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    assert [(row["row"], row["code"]) for row in told] == [(1, "ADJ-9012"), (2, "ADJ-9001")]


def test_a_referral_chain_is_looked_up_among_the_claims(claims, tmp_path):
    several = {(one.scheme, one.person_type, one.institution_code): one for one in stays(claims)}
    chains = []
    for number, one in enumerate(several.values()):
        own = copy(one, person_id=f"P{number}", encounter_id=f"C1-{number}")
        known = copy(
            own, encounter_id=f"C2-{number}", referral_from_encounter=f"C1-{number}", referral_deductible_fen=1
        )
        lost = copy(own, encounter_id=f"C3-{number}", referral_from_encounter="NOWHERE")
        chains += [own, known, lost]
    days = [copy(one, settlement_date=20231001 + number % 3) for number, one in enumerate(chains)]
    price_files(write_nested(days, tmp_path / "in" / "c.parquet"), tmp_path / "out", buckets=2)
    warned = pq.read_table(tmp_path / "out" / "warnings.parquet").to_pylist()
    of_code = {code: {row["row"] % 3 for row in warned if row["code"] == code} for code in ("ADJ-9016", "ADJ-9017")}
    assert of_code == {"ADJ-9016": {2}, "ADJ-9017": {1}}


def test_years_and_categories_that_claims_bring(claims, engine, tmp_path):
    """Special claims in the middle of a year change nothing else of it; the messages are priced the same."""
    year = [claim_pb2.Claim.FromString(claim.SerializeToString()) for claim in claims[:600]]
    for number, claim in enumerate(year):
        if number % 5 == 0:
            claim.accumulators.year = claim.settlement_date // 10_000
            claim.accumulators.entries.add(name="deductible_charged_fen", value=20_000)
            claim.accumulators.entries.add(name="stays", value=1)
        if number % 50 == 0:
            claim.accumulators.entries.add(name="nothing", value=1)
        if number % 9 == 0:
            claim.other_assistance_categories.extend(["low_income", "extreme_poverty"][: 1 + number % 2])
    source = write_messages(year, tmp_path / "in" / "claims.pb")
    answers = protobuf_way(year, engine)
    for buckets in (1, 4):
        price_files(source, tmp_path / f"out{buckets}", buckets=buckets)
        for row, answer in zip(result_rows(tmp_path / f"out{buckets}"), answers, strict=True):
            assert_same(row, answer)
    assert contents(tmp_path / "out1") == contents(tmp_path / "out4")
    refused = [answer for answer in answers if answer.outcome == settlement_pb2.OUTCOME_REFUSED]
    table = pq.read_table(tmp_path / "out4" / "rejected.parquet").to_pylist()
    told = [problem for answer in refused for problem in answer.problems if not problem.warning]
    assert [(row["code"], row["field"], row["message"]) for row in table] == [
        (problem.code, problem.field, problem.message) for problem in told
    ]
    assert refused
    with_years = nested(year).append_column("accumulators", pa.array([years_of(claim) for claim in year], BROUGHT))
    (tmp_path / "nested").mkdir()
    pq.write_table(with_years, tmp_path / "nested" / "claims.parquet", row_group_size=130)
    price_files(tmp_path / "nested", tmp_path / "out", buckets=2)
    name = "settlements/part-00000.parquet"
    assert contents(tmp_path / "out")[name] == contents(tmp_path / "out4")[name]
    same = pq.read_table(tmp_path / "out" / "rejected.parquet").drop_columns(["file"])
    assert same.equals(pq.read_table(tmp_path / "out4" / "rejected.parquet").drop_columns(["file"]))


BROUGHT = pa.struct(
    {
        "year": pa.int32(),
        "entries": pa.list_(
            pa.struct({"name": pa.string(), "value": pa.int64(), "disease_code": pa.string(), "period": pa.int32()})
        ),
    }
)


def years_of(claim):
    if not claim.HasField("accumulators"):
        return None
    names = ("name", "value", "disease_code", "period")
    entries = [{name: getattr(entry, name) for name in names} for entry in claim.accumulators.entries]
    return {"year": claim.accumulators.year, "entries": entries}


def test_a_year_with_a_hole_is_rejected_and_a_column_of_another_form_refused(claims, tmp_path):
    rows = [{"year": 2023, "entries": [{"name": "stays", "value": value}]} for value in (1, None)]
    for form, values in ((BROUGHT, [*rows, None]), (pa.int64(), [1, 2, 3])):
        (tmp_path / str(form)[:3]).mkdir()
        table = nested(claims[:3]).append_column("accumulators", pa.array(values, form))
        pq.write_table(table, tmp_path / str(form)[:3] / "claims.parquet")
    price_files(tmp_path / "str", tmp_path / "out")
    (told,) = pq.read_table(tmp_path / "out" / "rejected.parquet").to_pylist()
    assert (told["row"], told["code"], told["field"]) == (1, "ADJ-1006", "accumulators.entries.value")
    with pytest.raises(AdjudicatorError, match="accumulators is int64"):
        price_files(tmp_path / "int", tmp_path / "none")


def opening(path, rows):
    names = ("person_id", "insured_area", "scheme", "year", "name", "value", "disease_code", "period")
    pq.write_table(pa.Table.from_pylist([dict(zip(names, row, strict=False)) for row in rows]), path)
    return str(path)


def test_opening_years_count_as_if_the_claim_had_brought_them(stay, engine, tmp_path):
    brought = copy(stay, encounter_id="E-1")
    brought.accumulators.year = 2023
    entries = [("deductible_charged_fen", 30_000), ("highest_standard_fen", 30_000), ("stays", 1)]
    for name, value in entries:
        brought.accumulators.entries.add(name=name, value=value)
    (answer,) = protobuf_way([brought], engine)
    (fresh,) = protobuf_way([stay], engine)
    table = [(stay.person_id, stay.insured_area, stay.scheme, 2023, name, value, "", 0) for name, value in entries]
    source = write_nested([copy(stay, encounter_id="E-1")], tmp_path / "in" / "c.parquet")
    price_files(source, tmp_path / "out", opening=opening(tmp_path / "opening.parquet", table))
    (row,) = result_rows(tmp_path / "out")
    assert_same(row, answer)
    assert row["deductible_fen"] != fresh.deductible_fen


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({4: "nothing"}, "ADJ-3014"), ({5: -1}, "ADJ-3014"), ({1: "000000"}, "ADJ-2010"), ({2: "999"}, "ADJ-2012"),
        ({5: None}, "ADJ-3014"), ({0: None}, "ADJ-2004"),
    ],
)  # fmt: skip
def test_a_wrong_row_of_an_opening_table_is_refused(stay, tmp_path, changed, code):
    row = [stay.person_id, stay.insured_area, stay.scheme, 2023, "stays", 1, "", 0]
    for place, value in changed.items():
        row[{4: 4, 5: 5, 1: 1, 2: 2, 0: 0}[place]] = value
    source = write_nested([stay], tmp_path / "in" / "c.parquet")
    with pytest.raises(AdjudicatorError) as caught:
        price_files(source, tmp_path / "out", opening=opening(tmp_path / "opening.parquet", [row]))
    assert caught.value.problems[0].row.code == code


def golden():
    """Golden cases as claims and what they settle at: those without reversals and years that the claims bring."""
    for case in read_cases(sorted(FOLDER.rglob("*.yaml"))):
        if case.kind_of_period:
            continue
        ways = {_by_amounts(claim) for claim in case.claims if "reverse" not in claim.values}
        if len(ways) > 1 or any("reverse" in claim.values for claim in case.claims):
            continue
        settled = run_case(case)
        if not any(one.claim.HasField("accumulators") for one in settled):
            yield case, ways.pop(), settled


@pytest.mark.check
def test_golden_cases_settle_at_the_same_fen(tmp_path, monkeypatch):
    """Each case under its own rules, as a Parquet file; every fund of every claim, and what refuses one."""
    count = 0
    for number, (case, by_amounts, settled) in enumerate(golden()):
        engine = engine_of(case, by_amounts)
        monkeypatch.setattr(job, "same_engine", lambda *_, engine=engine: engine)
        folder = tmp_path / str(number)
        claims = in_the_order_of_keys([one.claim for one in settled])
        if claims is None:
            continue
        price_files(write_nested(claims, folder / "in" / "c.parquet"), folder / "out")
        for row, one in zip(result_rows(folder / "out"), settled, strict=True):
            refused = one.answer.outcome == settlement_pb2.OUTCOME_REFUSED
            assert row["outcome"] == (4 if refused else 1), case.name
            amounts = {name: value for name, value in row.items() if name.endswith("_fen")}
            assert amounts == {name: _amount(one.answer, name) for name in amounts}, case.name
            count += 1
    assert count > 150


def in_the_order_of_keys(claims):
    """The claims of a case; those of one day get encounter ids whose keys follow each other, which is their order.

    None for a case whose days are not in order.
    """
    days = [(claim.settlement_date, claim.admission_date) for claim in claims]
    if days != sorted(days):
        return None
    found, names = [], {"": ""}
    for claim in claims:
        named, number = copy(claim), 0
        named.referral_from_encounter = names.get(claim.referral_from_encounter, claim.referral_from_encounter)
        while in_order([*found, named])[-1] != len(found):
            number += 1
            named.encounter_id = f"{claim.encounter_id}-{number}"
            if number > 100:
                return None
        names[claim.encounter_id] = named.encounter_id
        found.append(named)
    return found


def _amount(answer, name):
    return getattr(answer.payment if name in ("due_fen", "difference_fen") else answer, name)


def test_the_manifest_proves_the_results(year, tmp_path):
    options = Options(["taohuayuan"], year / "parquet", tmp_path / "out")
    planned = plan(options, load_bundle(["taohuayuan"]).hash)
    summary = run(planned, options, lambda *_: None)
    manifest = write_manifest(planned.job, summary._asdict())
    assert verify(manifest, sample=40)["summary"]["claims"] == 3000
    result = tmp_path / "out" / "settlements" / "part-00000.parquet"
    table = pq.read_table(result)
    place = table.schema.get_field_index("cash_fen")
    pq.write_table(table.set_column(place, "cash_fen", pa.array([1] * len(table), pa.int64())), result)
    with pytest.raises(AdjudicatorError, match=r"part-00000\.parquet"):
        verify(manifest)
    write_manifest(planned.job, summary._asdict())  # a forger writes a new one
    with pytest.raises(AdjudicatorError, match="cash_fen"):
        verify(manifest, sample=3)
