"""Wire bytes to columns and back, beside the protobuf library in the same run: 100 claims of 50 lines, one core.

The peer does what a Python service must do with the library: parse, read every field, build the answer, serialise it.
Ours and the peer take turns; the table shows ours, the lines above it the ratio and the aim of the design.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from google.protobuf.message import Message
from numba import njit

from adjudicator.v1.claim_pb2 import Claim, ClaimBatch
from adjudicator.v1.settlement_pb2 import Settlement, SettlementBatch
from adjudicator.wire.codetable import CodeTable
from adjudicator.wire.decode import BATCH_DEPTH, decode, split_batch
from adjudicator.wire.digest import digests
from adjudicator.wire.encode import encode, encode_batch
from adjudicator.wire.schema import compile_schema

CLAIMS, LINES, ROUNDS, CALLS = 100, 50, 9, 5
CLAIM, SETTLEMENT = compile_schema(Claim.DESCRIPTOR), compile_schema(Settlement.DESCRIPTOR)
ITEMS = [f"XN05AXW{row:06d}A001010{row * 7919 % 10**6:06d}" for row in range(20_000)]


def _amount(rng: random.Random) -> int:
    return int(10 ** rng.uniform(1, 7))


def _claim(rng: random.Random) -> Claim:
    """No two claims alike: a processor learns the branches of claims that repeat."""
    claim = Claim(
        institution_code="H33010100012", encounter_id=f"{rng.randrange(10**20):020d}", settlement_sequence=1,
        person_id=f"{rng.randrange(10**18):018d}", insured_area="330102", scheme="310", person_type="11",
        care_type="21", settlement_date=20240601, admission_date=20240520, discharge_date=20240601,
        total_fen=_amount(rng), diagnoses=["I25.103", "I10.x00x002", "E11.900"], procedures=["36.0601"], sex=1,
        age_years=rng.randrange(90), hospital_level="03", department="A03.01", discharge_way=1,
    )  # fmt: skip
    for _ in range(LINES):
        claim.lines.add(
            line_id=f"{rng.randrange(10**18):018d}", item_code=rng.choice(ITEMS), fee_date=20240520 + rng.randrange(9),
            unit_price_e4=100 * _amount(rng), quantity_e4=10_000 * rng.randrange(1, 30), amount_fen=_amount(rng),
            original_line_id=f"{rng.randrange(10**18):018d}", approval=1,
            institution_item_code=f"YPBM{rng.randrange(10 ** rng.randrange(4, 12))}",
            department=rng.choice(("A03.01", "心血管内科", "B02")), before_admission=1, discharge_drug=True,
            external_prescription=True, maternity=True,
        )  # fmt: skip
    return claim


def _settlement(rng: random.Random) -> Settlement:
    settlement = Settlement(
        institution_code="H33010100012", encounter_id=f"{rng.randrange(10**20):020d}", settlement_sequence=1,
        direction=1, outcome=2, settlement_id="0123456789abcdef" * 2, total_fen=_amount(rng),
        in_scope_fen=_amount(rng), deductible_fen=80_000, pooled_fund_fen=_amount(rng), pooled_rate_ppm=850_000,
        fund_total_fen=_amount(rng), personal_total_fen=_amount(rng), cash_fen=_amount(rng),
        rules_hash="0123456789abcdef", rules_version="taohuayuan@2024-01-01", clearing_method=4, benefit_year=2024,
    )  # fmt: skip
    for _ in range(LINES):
        settlement.lines.add(
            line_id=f"{rng.randrange(10**18):018d}", amount_fen=_amount(rng),
            wholly_self_paid_fen=_amount(rng) if rng.random() < 0.3 else 0, over_ceiling_fen=_amount(rng),
            first_pay_fen=_amount(rng), in_scope_fen=_amount(rng), price_ceiling_e4=999_999_000_000,
            first_pay_ppm=rng.choice((0, 100_000, 300_000, 1_000_000)), item_class=rng.choice((1, 2, 3)),
        )  # fmt: skip
    for fund in ("310100", "330100", "610100"):
        settlement.funds.add(fund_type=fund, amount_fen=_amount(rng))
    return settlement


def _read_all(message: Message) -> Iterator[object]:
    """Every field of a message, the way a program reads them: by name."""
    for name in _NAMES[type(message)]:
        yield getattr(message, name)
    for part in _PARTS.get(type(message), ()):
        for below in getattr(message, part):
            names = _NAMES[type(below)]
            for name in names:
                yield getattr(below, name)


_NAMES = {kind: [member.name for member in kind.DESCRIPTOR.fields] for kind in (Claim, type(Claim().lines.add()))}
_PARTS = {Claim: ("lines",)}


@pytest.fixture(scope="module")
def claims() -> list[bytes]:
    rng = random.Random(1)
    return [_claim(rng).SerializeToString() for _ in range(CLAIMS)]


@pytest.fixture(scope="module")
def settlements() -> list[bytes]:
    rng = random.Random(2)
    return [_settlement(rng).SerializeToString() for _ in range(CLAIMS)]


def _together(messages: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    ends = np.cumsum([len(message) for message in messages])
    return np.frombuffer(b"".join(messages), np.uint8), ends - [len(message) for message in messages], ends


def _micros(call: Callable[[], object], claims: int) -> float:
    start = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - start) * 1e6 / claims / CALLS


def _compare(benchmark, what: str, ours: Callable[[], object], peer: Callable[[], object] | None, aim: str) -> None:
    """Turns of ours and the peer, best of each; the first turn warms up."""
    turns = [(_micros(ours, CLAIMS), _micros(peer, CLAIMS) if peer else 0.0) for _ in range(ROUNDS + 1)][1:]
    best, best_peer = (min(column) for column in zip(*turns, strict=True))
    beside = f", protobuf library {best_peer:7.2f} us, {best_peer / best:5.1f} x" if peer else ""
    print(f"\n{what}: {best:6.2f} us a claim ({1e6 / best:,.0f}/s){beside}; aim {aim}")
    benchmark.extra_info.update(micros_a_claim=best, micros_of_peer=best_peer, aim=aim)
    benchmark.pedantic(ours, rounds=ROUNDS, iterations=3)


def test_decode(benchmark, claims):
    buffer, starts, ends = _together(claims)

    def peer():
        for data in claims:
            for _ in _read_all(Claim.FromString(data)):
                pass

    _compare(benchmark, "decode", lambda: decode(CLAIM, buffer, starts, ends), peer, "<= 8 us")


def test_parse_only(benchmark, claims):
    """What the library needs alone, without a look at the fields."""
    buffer, starts, ends = _together(claims)
    parse = lambda: [Claim.FromString(data) for data in claims]  # noqa: E731
    _compare(benchmark, "decode beside parsing alone", lambda: decode(CLAIM, buffer, starts, ends), parse, "none")


def test_encode(benchmark, settlements):
    buffer, starts, ends = _together(settlements)
    tables = decode(SETTLEMENT, buffer, starts, ends).tables
    messages = [Settlement.FromString(data) for data in settlements]
    assert encode(SETTLEMENT, tables, buffer)[0].tobytes() == b"".join(settlements)

    def peer():
        for message in messages:
            message.SerializeToString()

    _compare(benchmark, "encode beside serialising alone", lambda: encode(SETTLEMENT, tables, buffer), peer, "<= 4 us")


def test_codes(benchmark, claims):
    buffer, starts, ends = _together(claims)
    lines = decode(CLAIM, buffer, starts, ends).tables["lines"]
    codes, sizes = lines["item_code_start"], lines["item_code_size"]
    table, known = CodeTable(ITEMS), {code: row for row, code in enumerate(ITEMS)}
    texts = [bytes(buffer[start : start + size]).decode() for start, size in zip(codes, sizes, strict=True)]
    assert table.find_all(buffer, codes, sizes).tolist() == [known[text] for text in texts]
    peer = lambda: [known.get(text, -1) for text in texts]  # noqa: E731
    _compare(benchmark, "50 codes beside a dict", lambda: table.find_all(buffer, codes, sizes), peer, "none")


def test_digests(benchmark, claims):
    buffer, starts, ends = _together(claims)
    decoded = decode(CLAIM, buffer, starts, ends)
    _compare(benchmark, "digests of all fields", lambda: digests(CLAIM, buffer, starts, ends, decoded), None, "none")


@njit(nogil=True, error_model="numpy")
def _fill(claims, lines, items, answers, results):
    """Stands in for pricing: each line is answered with its own amount."""
    for row in range(len(claims)):
        claim, answer = claims[row], answers[row]
        answer.institution_code_start, answer.institution_code_size = (
            claim.institution_code_start,
            claim.institution_code_size,
        )
        answer.encounter_id_start, answer.encounter_id_size = claim.encounter_id_start, claim.encounter_id_size
        answer.settlement_sequence, answer.total_fen = claim.settlement_sequence, claim.total_fen
        answer.lines_start, answer.lines_end = claim.lines_start, claim.lines_end
    for row in range(len(lines)):
        line, result = lines[row], results[row]
        result.line_id_start, result.line_id_size = line.line_id_start, line.line_id_size
        result.amount_fen = line.amount_fen
        result.wholly_self_paid_fen = line.amount_fen
        result.over_ceiling_fen = line.amount_fen
        result.first_pay_fen = line.amount_fen
        result.in_scope_fen = line.amount_fen
        result.price_ceiling_e4 = line.amount_fen
        result.first_pay_ppm, result.item_class = 100_000, items[row] % 3 + 1


def _answer(data: bytes, table: CodeTable) -> np.ndarray:
    """A batch in, a batch out: decode, look up the items, answer each line with its amount, encode."""
    starts, ends, _ = split_batch(data)
    tables = decode(CLAIM, data, starts, ends, max_depth=BATCH_DEPTH).tables
    claims, lines = tables[""], tables["lines"]
    items = table.find_all(data, lines["item_code_start"], lines["item_code_size"])
    out = SETTLEMENT.allocate({"": len(claims), "lines": len(lines)})
    _fill(claims, lines, items, out[""], out["lines"])
    return encode_batch(SETTLEMENT, out, data)


def _answer_of_library(data: bytes, known: dict[str, int]) -> bytes:
    out = SettlementBatch()
    for claim in ClaimBatch.FromString(data).claims:
        for _ in _read_all(claim):
            pass
        answer = out.settlements.add(
            institution_code=claim.institution_code, encounter_id=claim.encounter_id,
            settlement_sequence=claim.settlement_sequence, total_fen=claim.total_fen,
        )  # fmt: skip
        for line in claim.lines:
            amount = line.amount_fen
            answer.lines.add(
                line_id=line.line_id, amount_fen=amount, wholly_self_paid_fen=amount, over_ceiling_fen=amount,
                first_pay_fen=amount, in_scope_fen=amount, price_ceiling_e4=amount, first_pay_ppm=100_000,
                item_class=known[line.item_code] % 3 + 1,
            )  # fmt: skip
    return out.SerializeToString()


def test_whole(benchmark, claims):
    """Bytes to bytes without pricing; the engine's benchmark adds the rules."""
    data = ClaimBatch(claims=[Claim.FromString(claim) for claim in claims]).SerializeToString()
    table, known = CodeTable(ITEMS), {code: row for row, code in enumerate(ITEMS)}
    assert _answer(data, table).tobytes() == _answer_of_library(data, known)
    _compare(
        benchmark,
        "wire to wire",
        lambda: _answer(data, table),
        lambda: _answer_of_library(data, known),
        "<= 10 us with pricing (100,000 claims/s)",
    )
