"""Journal records: the kernel writes what the document says, byte for byte; damage does not go unnoticed."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjudicator.columns import ACCUMULATOR_NAMES, ACCUMULATORS, BENEFIT, CLAIM, PAYMENT, QUOTA
from adjudicator.errors import AdjudicatorError, E
from adjudicator.ledger.batch import pack
from adjudicator.ledger.journal import parse
from adjudicator.ledger.layout import Kind
from adjudicator.ledger.record import Record, read_block
from adjudicator.ledger.states import StateRead
from adjudicator.payers import Fund
from adjudicator.v1.record_pb2 import RecordBasis
from tests.ledger import naive
from tests.ledger.made import Case, fund_amounts, random_case, settlements, unique_states


def born_or_grown(keys: list[bytes], random_: random.Random) -> tuple[StateRead, list[naive.Year]]:
    """States as a store would give them: some new, some with a past and quotas."""
    years = []
    for _ in keys:
        year = naive.Year()
        if random_.random() < 0.6:
            year = naive.Year(random_.randrange(1, 2**63), random_.randbytes(16))
            year.amounts = {
                name: random_.randrange(-(2**62), 2**62) or 1 for name in ACCUMULATOR_NAMES if random_.random() < 0.3
            }
            year.days = {2**63 + random_.randrange(1, 5): random_.randrange(1, 9_999) for _ in range(2)}
            year.quotas = {random_.randrange(1, 5): random_.randrange(1, 9_999) for _ in range(random_.randrange(3))}
        years.append(year)
    values = [year.value() if year.version else b"" for year in years]
    return StateRead.parse(np.frombuffer(b"".join(keys), np.uint8).reshape(-1, 16), values), years


def on_paper(case: Case, year: naive.Year):
    """Writes a settlement into the person's year and returns its record."""
    changes = {name: change for name, change in case.deltas.items() if change}
    funds = {0: case.pooled_fen, 2: case.catastrophic_fen, 7: case.account_fen, 9: case.due_fen, 10: 1}
    funds = {fund: amount for fund, amount in {**funds, 11: case.total_fen}.items() if amount}
    data = naive.record(
        kind=1, date=case.date, year=case.date // 10000, scheme=int(case.scheme),
        sequence=case.sequence, county=case.county, institution=case.institution, encounter=case.encounter,
        fields=case.field_digests, postings=funds, changes=changes, quotas=dict([case.quota] if case.quota else []),
        answer=case.answer, key=case.key, content=case.content, person=case.person_digest, state_key=case.state_key,
        previous=year.last, basis=case.basis, days=dict([case.days] if case.days[0] else []),
    )  # fmt: skip
    year.version, year.last = year.version + 1, case.key
    for name, change in changes.items():
        year.amounts[name] = year.amounts.get(name, 0) + change
    if case.quota:
        year.quotas[case.quota[0]] = year.quotas.get(case.quota[0], 0) + case.quota[1]
    if case.days[0]:
        year.days[case.days[0]] = year.days.get(case.days[0], 0) + case.days[1]
    return data


@pytest.mark.parametrize("seed", range(20))
def test_records_states_and_totals_are_those_written_by_hand(seed):
    random_ = random.Random(seed)
    cases = [random_case(random_, number, people=12) for number in range(random_.randrange(1, 60))]
    keys, rows = unique_states(cases)
    states, years = born_or_grown(keys, random_)
    batch = pack(settlements(cases, states, rows, "990100"), recorded_ms=1_700_000_000_000 + seed)

    records = [on_paper(case, years[row]) for case, row in zip(cases, rows.tolist(), strict=True)]
    assert sum(entry.records for entry in batch.entries) == len(records)
    first = 0
    for entry in batch.entries:
        of_entry = records[first : first + entry.records]
        assert {case.date // 100 for case in cases[first : first + entry.records]} == {entry.month}
        assert bytes(entry.block) == naive.block(
            of_entry, pool=990100, month=entry.month, commit=batch.commit, recorded_ms=1_700_000_000_000 + seed
        )
        first += entry.records
    assert batch.states.pieces() == [year.value() for year in years]
    assert batch.state_keys == b"".join(keys)

    totals: dict[tuple[int, ...], int] = {}
    stored = [record for entry in batch.entries for record in read_block(bytes(entry.block))]
    for case, record in zip(cases, stored, strict=True):
        assert record.answer == case.answer
        for county, scheme, fund, amount in record.postings:
            place = (case.date // 100, county, scheme, fund)
            totals[place] = totals.get(place, 0) + amount
    assert {tuple(total[:4]): total[4] for total in batch.totals} == {key: fen for key, fen in totals.items() if fen}


def test_every_payer_is_posted_to_its_own_fund():
    """Each amount of the benefit has its own decimal digit, so that a fund tells which amounts went into it."""
    names = (
        "pooled_fen", "large_sum_fen", "catastrophic_fen", "civil_servant_fen", "enterprise_fen", "assistance_fen",
        "tilt_fen", "other_fen", "hospital_borne_fen", "account_current_fen", "account_past_fen", "account_family_fen",
        "cash_fen", "first_pay_fen", "in_scope_fen", "deductible_fen",
    )  # fmt: skip
    benefits, claims, payments = np.zeros(1, BENEFIT), np.zeros(1, CLAIM), np.zeros(1, PAYMENT)
    for digit, name in enumerate(names):
        benefits[name] = 10**digit
    claims["total_fen"], payments["due_fen"] = 777, -5
    (amounts,) = fund_amounts(claims, benefits, payments).tolist()
    assert {Fund(fund): amount for fund, amount in enumerate(amounts) if amount} == {
        Fund.POOLED: 1,
        Fund.LARGE_SUM: 10,
        Fund.CATASTROPHIC: 100,
        Fund.CIVIL_SERVANT: 1_000,
        Fund.ENTERPRISE: 10_000,
        Fund.ASSISTANCE: 1_100_000,  # with tilt
        Fund.OTHER: 10_000_000,
        Fund.HOSPITAL: 100_000_000,
        Fund.ACCOUNT: 11_000_000_000,  # current and past years
        Fund.FAMILY_ACCOUNT: 100_000_000_000,
        Fund.PROVIDER_DUE: -5,
        Fund.CLAIMS: 1,
        Fund.TOTAL_COST: 777,
    }


def test_the_journal_reader_sees_the_same_parts_as_the_reader_of_one_record():
    random_ = random.Random(5)
    cases = [random_case(random_, number) for number in range(50)]
    keys, rows = unique_states(cases)
    states, _ = born_or_grown(keys, random_)
    batch = pack(settlements(cases, states, rows, "990100"))
    values = [bytes(entry.block) for entry in batch.entries]
    ends = np.cumsum([entry.records for entry in batch.entries]).tolist()
    chunk = parse(202405, ends, values)
    assert chunk.unreadable == {}
    assert chunk.positions.tolist() == list(range(1, 51))
    listed = [record for end, value in zip(ends, values, strict=True) for record in read_block(value, end)]
    for row, record in enumerate(listed):
        start, size = int(chunk.institution_starts[row]), int(chunk.institution_sizes[row])
        assert chunk.octets[start : start + size].tobytes() == record.institution.encode()
        assert chunk.record(row) == record
        postings = chunk.postings[chunk.postings[:, 0] == row]
        counties = chunk.posting_counties[chunk.postings[:, 0] == row]
        assert tuple((c, *p[1:]) for c, p in zip(counties.tolist(), postings.tolist(), strict=True)) == record.postings
        assert tuple(map(tuple, chunk.changes[chunk.changes[:, 0] == row, 1:].tolist())) == record.changes
        assert tuple(map(tuple, chunk.quotas[chunk.quotas[:, 0] == row, 1:].tolist())) == record.quotas


NUMBERS = [number for number, _ in ACCUMULATORS]
int64 = st.integers(-(2**63), 2**63 - 1)
digests = st.binary(min_size=16, max_size=16)
records = st.builds(
    Record,
    kind=st.sampled_from(Kind),
    pool=st.integers(0, 999_999),
    month=st.integers(0, 999_999),
    key=digests,
    content=digests,
    settlement_date=st.integers(0, 2**31),
    scheme=st.integers(0, 4),
    county=st.integers(0, 999_999),
    institution=st.text(max_size=12),
    encounter=st.text(max_size=30),
    sequence=st.integers(0, 2**32 - 1),
    person=digests,
    state_key=st.none() | digests,
    previous=digests,
    last=digests,
    original=digests,
    field_digests=st.lists(st.integers(0, 2**8 - 1), max_size=50).map(tuple),
    postings=st.lists(
        st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 4), st.integers(0, 12), int64), max_size=13
    ).map(tuple),
    changes=st.lists(st.tuples(st.sampled_from(NUMBERS), int64), max_size=64).map(tuple),
    quotas=st.lists(st.tuples(st.integers(0, 2**64 - 1), int64), max_size=4).map(tuple),
    answer=st.binary(max_size=100),
    basis=st.integers(0, 2**64 - 1).map(lambda number: RecordBasis(rules_hash=number).SerializeToString()),
    commit=st.integers(0, 2**63),
    recorded_ms=st.integers(0, 2**63 - 1),
)


@given(records)
def test_a_record_is_read_as_it_was_written(record):
    data = record.to_bytes()
    assert Record.from_bytes(data) == record


@given(records, st.data())
def test_a_damaged_record_is_refused(record, data):
    written = bytearray(record.to_bytes())
    written[data.draw(st.integers(0, len(written) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(AdjudicatorError) as refused:
        Record.from_bytes(bytes(written), 7)
    assert refused.value.problems[0].number == E.LEDGER_CORRUPT
    chunk = parse(record.month, [7], [bytes(written)])
    assert (len(chunk), 7 in chunk.unreadable) == (0, True)


@given(records, st.integers(0, 2000))
def test_a_cut_record_is_refused(record, size):
    written = record.to_bytes()
    if size < len(written):
        with pytest.raises(AdjudicatorError):
            Record.from_bytes(written[:size], 7)
        assert parse(record.month, [7], [written[:size]]).unreadable.keys() == {7}


def test_other_content_under_the_same_key_names_the_field():
    first, second = Case("Wang", total_fen=100), Case("Wang", total_fen=101)
    keys, rows = unique_states([first])
    states = StateRead.parse(np.frombuffer(keys[0], np.uint8).reshape(1, 16), [b""])
    record = Record.from_bytes(bytes(pack(settlements([first], states, rows)).entries[0].block))
    assert record.first_difference(first.content, first.field_digests) is None
    assert record.first_difference(second.content, second.field_digests) == 4
    assert record.first_difference(second.content, first.field_digests) == -1


@given(
    st.lists(
        st.none()
        | st.tuples(
            st.integers(1, 2**64 - 1), digests,
            st.dictionaries(st.sampled_from(ACCUMULATOR_NAMES), int64.filter(bool), max_size=60),
            st.dictionaries(st.integers(0, 2**64 - 1), int64, max_size=3),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_states_are_read_as_they_were_written(years):
    values = [naive.Year(*year).value() if year else b"" for year in years]
    states = StateRead.parse(np.zeros((len(years), 16), np.uint8), values)
    assert (states.slots.dtype, states.quotas.dtype) == (np.int64, QUOTA)
    for row, year in enumerate(years):
        version, last, amounts, quotas = year or (0, bytes(16), {}, {})
        assert (int(states.versions[row]), states.last[row].tobytes()) == (version, last)
        assert states.slots[row].tolist() == [amounts.get(name, 0) for name in ACCUMULATOR_NAMES]
        assert states.quotas_of(row) == quotas


@pytest.mark.parametrize("size", [1, 503, 505, 519])
def test_a_state_of_impossible_size_is_refused(size):
    with pytest.raises(AdjudicatorError) as refused:
        StateRead.parse(np.zeros((1, 16), np.uint8), [bytes(size)])
    assert refused.value.problems[0].number == E.LEDGER_CORRUPT
