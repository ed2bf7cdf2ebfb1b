"""Resolving against its slow twin: random claims, right and wrong, give the same columns and the same problems."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from adjudicator import columns, limits
from adjudicator.claim.engine import Engine
from adjudicator.claim.fields import FIELDS, MOST_PROBLEMS
from adjudicator.claim.warnings import doubts_of
from adjudicator.codes import PERSON_TYPES
from adjudicator.rules.bundle import load_bundle
from adjudicator.v1 import claim_pb2
from adjudicator.wire.decode import BATCH_DEPTH, split_batch
from tests.benefit.naive_dates import decide
from tests.claim.naive_keys import DIRECTION_SETTLE, digest_keys
from tests.claim.naive_resolve import resolve

NOT_RESOLVED = (
    "error", "error_line", "rule_date", "benefit_year", "stay_row", "stay_row_over_years", "stay_charged_fen",
    "stay_charged_over_years_fen",
)  # fmt: skip
"""Columns of CLAIM that a later stage may change or that another twin proves."""
LONG = "X" * 65
DEPARTMENTS = ["", "A15", "A17.02", "A17", "A04", "0700", "ICU"]
TEXTS = (
    "", "0", "00", "x", "310 ", " 310", "310\0", "3\t1", "a b", "~!", "A\x7fB", "１２345678", "12345678１", "３１０",
    "9" * 7, "-1", "X" * 12, "X" * 13, "X" * 30, "X" * 31, "X" * 30 + " ", LONG,
)  # fmt: skip
LATEST = 20240624
"""Most claims are settled the day after."""

Random = np.random.Generator


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_bundle(["taohuayuan", "hangzhou"]))


def a_claim(engine: Engine, random: Random) -> claim_pb2.Claim:
    """A claim without a fault."""
    pack = engine.bundle.packs[int(random.integers(len(engine.bundle.packs)))]
    hospital = pack.hospitals[int(random.integers(len(pack.hospitals)))]
    admission = int(random.integers(1, 20))
    claim = claim_pb2.Claim(
        institution_code=hospital.code, encounter_id=f"E{random.integers(10**6)}", settlement_sequence=1,
        person_id=f"P{random.integers(100)}", insured_area=f"{pack.areas[int(random.integers(len(pack.areas)))].code}",
        scheme=str(random.choice(["310", "390", "391"])), person_type=str(random.choice(PERSON_TYPES[1:])),
        care_type=str(random.choice(list(pack.care_types))), admission_date=20240600 + admission,
        discharge_date=20240600 + int(random.integers(admission, 25)), settlement_date=20240625,
        sex=int(random.integers(3)), age_years=int(random.integers(100)), diagnoses=["I10.x00"],
        fetus_count=int(random.integers(4)), maternity_type=int(random.integers(8)),
        filing=int(random.integers(9)), referral=int(random.integers(5)), use_account=bool(random.integers(2)),
        civil_servant=bool(random.integers(2)), mid_stay=bool(random.integers(2)),
        settled_at_counter=bool(random.integers(2)), department=str(random.choice(DEPARTMENTS)),
    )  # fmt: skip
    if random.random() < 0.3:
        claim.care_area = str(random.choice(["330102", "339901", "110101", "990001", f"{pack.pool}"]))
        claim.hospital_level = str(random.choice(["", "01", "5", "11"]))
    if random.random() < 0.3:
        claim.institution_code = "H11010100001"
    for name, known in (
        ("assistance_category", pack.assistance_ids), ("disease_code", [one.code for one in pack.diseases]),
        ("programme", [one.id for one in pack.programmes]),
    ):  # fmt: skip
        if random.random() < 0.3 and known:
            setattr(claim, name, str(random.choice(known)))
    codes = engine.bundle.catalogue.codes
    for number in range(int(random.integers(1, 6))):
        price, quantity = int(random.integers(10**8)), int(random.integers(1, 10**5))
        claim.lines.add(
            line_id=f"L{number}", item_code=str(random.choice([*codes[:50], "unknown"])),
            fee_date=claim.admission_date, unit_price_e4=price, quantity_e4=quantity,
            amount_fen=price * quantity // 10**8, approval=int(random.integers(3)),
            maternity=bool(random.integers(2)), discharge_drug=bool(random.integers(2)),
        )  # fmt: skip
    if random.random() < 0.3:
        claim.lines.add(line_id="R", original_line_id="L0", item_code=claim.lines[0].item_code,
                        fee_date=claim.admission_date, quantity_e4=-1, amount_fen=0)  # fmt: skip
    claim.total_fen = sum(line.amount_fen for line in claim.lines)
    return claim


def _text(name: str) -> Callable[[claim_pb2.Claim, Random], None]:
    return lambda claim, random: setattr(claim, name, str(random.choice(TEXTS)))


def _number(name: str, *values: int) -> Callable[[claim_pb2.Claim, Random], None]:
    return lambda claim, random: setattr(claim, name, int(random.choice(values)))


def _line(name: str, *values: int | str) -> Callable[[claim_pb2.Claim, Random], None]:
    def spoil(claim: claim_pb2.Claim, random: Random) -> None:
        if claim.lines:
            line = claim.lines[int(random.integers(len(claim.lines)))]
            setattr(line, name, values[int(random.integers(len(values)))])

    return spoil


AMOUNTS = (-1, 0, limits.MAX_AMOUNT_FEN, limits.MAX_AMOUNT_FEN + 1, -(2**60))
DATES = (0, 1, 19891231, 19900101, 20230229, 20240229, 20240630, 20991231, 21000101, 99999999, -5)
SPOIL: tuple[Callable[[claim_pb2.Claim, Random], None], ...] = (
    *(_text(name) for name in (
        "institution_code", "encounter_id", "person_id", "insured_area", "care_area", "scheme", "person_type",
        "care_type", "hospital_level", "assistance_category", "disease_code", "programme", "referral_from_encounter",
        "department",
    )),
    *(_number(name, *DATES) for name in ("settlement_date", "admission_date", "discharge_date")),
    *(_number(name, *AMOUNTS) for name in (
        "total_fen", "account_current_fen", "account_past_fen", "account_family_fen", "hospital_borne_fen",
        "other_payer_fen", "referral_deductible_fen",
    )),
    *(_number(name, 0, 2, 4, 6, 9, 10, 21, 100, 1001, 30_001, 2**32 - 1) for name in (
        "sex", "discharge_way", "maternity_type", "fetus_count", "enrolment_status", "contribution_tier",
        "birth_weight_g", "age_years", "age_days", "icu_hours", "stay_days", "settlement_sequence",
    )),
    *(_number(name, -1, 0, 4, 5, 8, 9) for name in ("filing", "referral")),
    _line("line_id", "L0", *TEXTS), _line("item_code", *TEXTS), _line("fee_date", *DATES, 20240601, 20240501),
    _line("department", *TEXTS), _line("institution_item_code", *TEXTS),
    _line("unit_price_e4", -1, limits.MAX_UNIT_PRICE_E4, limits.MAX_UNIT_PRICE_E4 + 1),
    _line("quantity_e4", 0, -1, limits.MAX_QUANTITY_E4, limits.MAX_QUANTITY_E4 + 1, -(2**40)),
    _line("amount_fen", *AMOUNTS), _line("approval", 0, 2, 3, 2000), _line("before_admission", 0, 1, 2, 3),
    _line("original_line_id", "", "L1", "nobody", LONG),
    lambda claim, random: claim.ClearField("lines"),
    lambda claim, random: claim.ClearField("diagnoses"),
    lambda claim, random: claim.diagnoses.extend(["I10.x00"] * limits.MAX_DIAGNOSES_PER_CLAIM),
    lambda claim, random: claim.procedures.extend(["47.0100"] * (limits.MAX_PROCEDURES_PER_CLAIM + 1)),
    lambda claim, random: claim.accumulators.SetInParent(),
)  # fmt: skip
"""Ways to spoil a claim; most of them also set a value that is in order."""


def claims_of(engine: Engine, seed: int, count: int) -> list[claim_pb2.Claim]:
    random = np.random.default_rng(seed)
    claims = [a_claim(engine, random) for _ in range(count)]
    for claim in claims:
        for spoil in random.choice(len(SPOIL), int(random.integers(0, 4)), replace=False).tolist():
            SPOIL[spoil](claim, random)
    return claims


@pytest.mark.parametrize("seed", range(8))
def test_resolving_equals_its_twin(engine: Engine, seed: int) -> None:
    claims = claims_of(engine, seed, 150)
    data = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
    starts, ends, _ = split_batch(data)
    latest = LATEST if seed % 4 == 0 else limits.LAST_DATE
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH, latest=latest)
    first_line = wrong = 0
    for number, claim in enumerate(claims):
        twin = resolve(engine.bundle, claim, first_line, latest)
        row = resolved.claims[number]
        got = {name: int(row[name]) for name in columns.CLAIM.names if name not in NOT_RESOLVED}
        wanted = {name: value for name, value in twin.claim.items() if name not in NOT_RESOLVED}
        if not twin.found:  # the columns of a refused claim say nothing
            assert got == wanted, f"claim {number}"
        for at, line in enumerate(twin.lines if not twin.found else ()):
            got = {name: int(resolved.lines[first_line + at][name]) for name in columns.LINE.names}
            assert got == line, f"claim {number}, line {at}"
        first_line += len(claim.lines)
        found = resolved.found[resolved.found["claim"] == number]
        problems = [(int(one["number"]), FIELDS[one["field"]], int(one["line"])) for one in found]
        if len(twin.found) <= MOST_PROBLEMS:
            assert sorted(problems) == sorted(twin.found), f"claim {number}"
        if twin.claim["error"]:
            wrong += 1
            assert row["error"] == twin.claim["error"], f"claim {number}"
            assert len(twin.found) > MOST_PROBLEMS or row["error"] == min(problems)[0]
        pack = engine.bundle.packs[row["pack"]] if row["pack"] >= 0 else None
        assert (row["rule_date"], row["benefit_year"]) == decide(pack, claim), f"claim {number}"
        keys = digest_keys(claim, int(row["scheme"]), int(row["benefit_year"]), DIRECTION_SETTLE)
        if twin.claim["error"]:
            keys = (bytes(16),) * 3
        own = (resolved.keys[number], resolved.state_keys[number], resolved.persons[number])
        assert tuple(part.tobytes() for part in own) == keys, f"claim {number}"
    assert wrong == 150 if latest == LATEST else 30 < wrong < 140


@pytest.mark.parametrize("seed", range(8, 14))
def test_the_sieve_lets_every_doubtful_claim_through(engine: Engine, seed: int) -> None:
    """The kernel sees at least what ``claim.warnings`` finds when it looks at every claim."""
    claims = claims_of(engine, seed, 300)
    data = claim_pb2.ClaimBatch(claims=claims).SerializeToString()
    starts, ends, _ = split_batch(data)
    resolved = engine.prepare(data, starts, ends, max_depth=BATCH_DEPTH)
    doubtful = 0
    for row in resolved.good.tolist():
        claim = resolved.claims[row]
        wanted = doubts_of(resolved.incoming, engine.bundle, claim, row)
        assert list(resolved.warnings.get(row, ()))[: len(wanted)] == wanted
        doubtful += bool(wanted)
    assert doubtful > 20
