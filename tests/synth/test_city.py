"""The synthetic city: the same for the same seed, valid to the last claim, and of the kinds that a city has."""

from __future__ import annotations

import json
from collections import Counter
from itertools import islice, pairwise

import numpy as np
import pytest

from adjudicator.claim.care_days import StoredDays
from adjudicator.claim.engine import Engine
from adjudicator.claim.local import Years, price_batch
from adjudicator.claim.state import PersonYears
from adjudicator.cli.main import main
from adjudicator.columns import CARE_DAYS
from adjudicator.errors import AdjudicatorError
from adjudicator.rules.bundle import load_bundle
from adjudicator.rules.load import shipped_packs
from adjudicator.synth.city import Synthesizer
from adjudicator.synth.write import read_protobuf
from adjudicator.v1 import claim_pb2, settlement_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch

PACKS = ["taohuayuan", "hangzhou"]


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(PACKS)


@pytest.fixture(scope="module")
def claims(bundle):
    return list(Synthesizer(bundle, seed=11, persons=3000).claims(3000))


def test_every_claim_settles(bundle):
    """All claims are valid: the engine settles each of them, in batches, over the persons' years."""
    engine, years, refused = Engine(bundle), Years(), Counter()
    settled = 0
    for batch in Synthesizer(bundle, seed=5, persons=2000).batches(2500, 500):
        answers, offsets = price_batch(engine, batch, years)
        for first, last in pairwise(offsets):
            answer = settlement_pb2.Settlement.FromString(answers[first:last].tobytes())
            refused.update(problem.message for problem in answer.problems if not problem.warning)
            parts = (
                answer.wholly_self_paid_fen, answer.over_ceiling_fen, answer.first_pay_fen, answer.in_scope_fen,
            )  # fmt: skip
            assert answer.total_fen == sum(parts) > 0  # H1
            settled += answer.outcome == settlement_pb2.OUTCOME_TRIAL
    assert not refused
    assert settled == 2500


def test_nobody_is_in_two_places_at_a_time(bundle):
    engine = Engine(bundle)
    claims = Synthesizer(bundle, seed=5, persons=200).claims(2500)
    data = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    _, rows = np.unique(resolved.state_keys, axis=0, return_inverse=True)
    years, nothing = PersonYears.new(int(rows.max()) + 1), np.zeros(int(rows.max()) + 1, np.int64)
    years.days = StoredDays(nothing, nothing, np.zeros(0, CARE_DAYS))
    result = engine.price(resolved, np.arange(len(resolved)), rows.reshape(-1), years)
    told = Counter(problem.row.code for problems in result.warnings.values() for problem in problems)
    assert not told.keys() & {"ADJ-9018", "ADJ-9019", "ADJ-9020"}, told


@pytest.mark.parametrize("pack", shipped_packs())
def test_claims_keep_to_what_a_pack_has_rules_for(pack):
    """Real cities leave cases open (reading "undefined"); no made-up claim is of such a case."""
    city = Synthesizer([pack], seed=2, year=2025, persons=1000)
    engine, years = Engine(city.bundle), Years()
    for batch in city.batches(600, 600):
        answers, offsets = price_batch(engine, batch, years)
        for first, last in pairwise(offsets):
            answer = settlement_pb2.Settlement.FromString(answers[first:last].tobytes())
            assert answer.outcome == settlement_pb2.OUTCOME_TRIAL, answer.problems


def test_a_year_without_rules_is_refused():
    with pytest.raises(AdjudicatorError, match="pack taizhou"):
        list(Synthesizer(["taizhou"], seed=2, year=2016, persons=100).claims(10))


def test_same_seed_same_bytes(bundle):
    first, again = (b"".join(Synthesizer(bundle, seed=3).batches(700, 64)) for _ in range(2))
    assert first == again
    assert first != b"".join(Synthesizer(bundle, seed=4).batches(700, 64))


def test_batch_size_changes_nothing(bundle):
    """The n-th claim is the same however the claims are read."""
    city = Synthesizer(bundle, seed=3)
    in_batches = [claim for batch in city.batches(600, 77) for claim in claim_pb2.ClaimBatch.FromString(batch).claims]
    assert in_batches == list(city.claims(600))
    assert in_batches[:5] == list(islice(city.claims(600), 5))


def test_claims_come_in_the_order_of_settlement(claims):
    dates = [claim.settlement_date for claim in claims]
    assert dates == sorted(dates)
    assert dates[0] == 20230101 and dates[-1] == 20231231


def test_a_person_is_in_one_bed_at_a_time(claims):
    """Stays of one person follow each other."""
    last: dict[str, int] = {}
    for claim in claims:
        if claim.discharge_date:
            assert claim.admission_date > last.get(claim.person_id, 0) or claim.admission_date == claim.discharge_date
            last[claim.person_id] = claim.discharge_date


def test_keys_are_unique(claims):
    assert len({(claim.institution_code, claim.encounter_id, claim.settlement_sequence) for claim in claims}) == 3000


def test_lines_add_up_and_refunds_have_their_line(claims):
    refunds = 0
    for claim in claims:
        assert claim.total_fen == sum(line.amount_fen for line in claim.lines)
        assert 1 <= len(claim.lines) <= 60
        amounts = {line.line_id: line.amount_fen for line in claim.lines}
        for line in claim.lines:
            if line.quantity_e4 < 0:
                refunds += 1
                assert amounts[line.original_line_id] >= -line.amount_fen
    assert refunds > 10


def test_the_city_has_every_kind(claims):
    """Stays and visits, schemes, filings, referrals, assistance, accounts, births, restricted use, procedures."""
    stays = sum(1 for claim in claims if claim.discharge_date)
    assert 0.25 < stays / len(claims) < 0.33
    assert {claim.scheme for claim in claims} == {"310", "390", "510"}
    assert {claim.person_type[:2] for claim in claims} >= {"11", "12", "14", "15", "16"}
    assert len({claim.insured_area for claim in claims}) == 20
    for field in (
        "filing", "care_area", "referral", "assistance_category", "use_account", "civil_servant", "disease_code",
        "maternity_type", "icu_hours", "procedures", "family_doctor_signed", "account_past_fen",
    ):  # fmt: skip
        assert any(getattr(claim, field) for claim in claims), field
    approvals = Counter(line.approval for claim in claims for line in claim.lines)
    assert approvals[1] > approvals[2] > 0


def test_command_writes_files_that_read_back(tmp_path, capsys):
    """`adjudicator synth`: delimited batches and Parquet tables of the same claims."""
    import pyarrow.parquet as pq

    folder = tmp_path / "out"
    words = ["synth", "--pack", "hangzhou", "--claims", "1100", "--seed", "9", "--output", str(folder)]
    assert main([*words, "--format", "both", "--batch", "250", "--json"]) == 0
    about = json.loads(capsys.readouterr().out)
    assert (about["claims"], about["seed"], about["packs"]) == (1100, 9, ["hangzhou"])
    batches = [claim_pb2.ClaimBatch.FromString(batch) for batch in read_protobuf(folder / "claims.pb")]
    assert [len(batch.claims) for batch in batches] == [250, 250, 250, 250, 100]
    claims = [claim for batch in batches for claim in batch.claims]
    rows = pq.read_table(folder / "claims.parquet").to_pylist()
    lines = pq.read_table(folder / "lines.parquet").to_pylist()
    assert [row["encounter_id"] for row in rows] == [claim.encounter_id for claim in claims]
    assert [row["total_fen"] for row in rows] == [claim.total_fen for claim in claims]
    assert len(lines) == sum(len(claim.lines) for claim in claims)
    by_claim = Counter(line["claim"] for line in lines)
    assert [by_claim[number] for number in range(1100)] == [len(claim.lines) for claim in claims]
    flat = [line for claim in claims for line in claim.lines]
    assert [line["item_code"] for line in lines] == [line.item_code for line in flat]
    assert [line["amount_fen"] for line in lines] == [line.amount_fen for line in flat]


@pytest.mark.parametrize(
    "option", [["--claims", "-1"], ["--batch", "0"], ["--inpatient-share", "1.5"], ["--persons", "0"]]
)
def test_command_refuses_nonsense(tmp_path, capsys, option):
    words = ["synth", "--pack", "hangzhou", "--claims", "5", "--output", str(tmp_path)]
    assert main([*words, *option]) == 2
    assert "inpatient-share" in capsys.readouterr().err


def test_a_cut_file_is_named(tmp_path):
    path = tmp_path / "claims.pb"
    path.write_bytes(b"\xac\x02abc")
    with pytest.raises(ValueError, match=r"claims\.pb ends inside a message"):
        list(read_protobuf(path))


def test_shares_may_be_chosen(bundle):
    """Only visits, only stays."""
    visits = Synthesizer(bundle, seed=1, inpatient_share=0).claims(200)
    assert not any(claim.discharge_date for claim in visits)
    stays = Synthesizer(bundle, seed=1, inpatient_share=1).claims(200)
    assert sum(1 for claim in stays if claim.discharge_date) > 190
