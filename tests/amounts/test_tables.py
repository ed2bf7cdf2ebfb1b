"""What a table may look like, and what is told where it is wrong."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest

from adjudicator import AdjudicatorError, load_bundle, price_columns
from adjudicator.errors import E

TABLE = {
    "insured_area": "330102", "scheme": "310", "person_type": np.array(["11", "12", "11"]), "care_type": "21",
    "level": "tertiary", "settlement_date": 20250610, "admission_date": 20250601,
    "in_scope_fen": np.array([1_000_000, 5_000_000, 70_000]),
}  # fmt: skip
ASKED = ("deductible_fen", "pooled_fund_fen", "cash_fen", "error")


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(["hangzhou"])


def named(value: object) -> str:
    """Return the id of a parameter: an address in it would differ from process to process."""
    return ",".join(value) if isinstance(value, dict) else str(value)


@pytest.fixture(scope="module")
def want(bundle):
    return price_columns(bundle, TABLE, ASKED)


@pytest.mark.parametrize(
    "changes",
    [
        {"person_type": np.array([11, 12, 11], np.int16), "scheme": 310, "care_type": np.int64(21)},
        {"person_type": pa.array(["11", "12", "11"]).dictionary_encode()},
        {"person_type": pa.DictionaryArray.from_arrays(np.array([1, 0, 1], np.uint8), ["12", "11"])},
        {"person_type": ["11", "12", "11"], "in_scope_fen": [1_000_000, 5_000_000, 70_000]},
        {"in_scope_fen": pa.chunked_array([[1_000_000], [5_000_000, 70_000]])},
        {"in_scope_fen": np.array([1_000_000, 0, 5_000_000, 0, 70_000, 0])[::2]},
        {"in_scope_fen": np.array([1_000_000, 5_000_000, 70_000], np.int32)},
        {"in_scope_fen": np.array([1_000_000, 5_000_000, 70_000], ">i8")},
        {"settlement_date": datetime.date(2025, 6, 10), "admission_date": "2025-06-01"},
        {"settlement_date": np.array(["2025-06-10"] * 3, "datetime64[ns]"), "admission_date": np.array([20250601] * 3)},
        {"settlement_date": pa.array([datetime.date(2025, 6, 10)] * 3), "stay_days": [9, 9, 9]},
        {"insured_area": np.array([330102, 330105, 330102])},
        {"insured_area": None},
        {"total_fen": np.array([1_000_000, 5_000_000, 70_000]), "first_pay_fen": 0},
        {"assistance_category": pa.array([None, None, ""]), "age_years": pa.array([None, 50, 60])},
        {"person_id": np.array([7, 8, 9])},
        {"person_id": np.array(["a", "b", "c"])},
    ],
    ids=named,
)
def test_every_form_of_a_column(bundle, want, changes) -> None:
    table = {name: value for name, value in (TABLE | changes).items() if value is not None}
    got = price_columns(bundle, table, ASKED)
    assert {name: column.tolist() for name, column in got.items()} == {k: v.tolist() for k, v in want.items()}


def test_arrow_in_arrow_out(bundle, want) -> None:
    columns = {name: value if isinstance(value, np.ndarray) else [value] * 3 for name, value in TABLE.items()}
    for table in (pa.table(columns), pa.RecordBatch.from_pydict(columns)):
        got = price_columns(bundle, table, ASKED)
        assert type(got) is type(table) and got.schema.names == list(ASKED)
        assert all(got.column(name).to_pylist() == want[name].tolist() for name in ASKED)


def test_the_institution_or_the_national_level_instead_of_the_level(bundle, want) -> None:
    pack = bundle.packs[0]
    tertiary = pack.level_ids.index("tertiary")
    code = next(h.code for h in pack.hospitals if h.deductible_level == tertiary and h.county >= 0)
    for changes in ({"institution_code": code}, {"hospital_level": "03"}, {"hospital_level": 3}):
        table = {name: value for name, value in TABLE.items() if name != "level"} | changes
        assert price_columns(bundle, table, ASKED)["cash_fen"].tolist() == want["cash_fen"].tolist()


@pytest.mark.parametrize(
    ("changes", "number", "says"),
    [
        ({"in_scope_fen": np.array([1.0, 2.0, 3.0])}, E.INPUT_TYPE, "whole number of fen"),
        ({"in_scope_fen": 1.5}, E.INPUT_TYPE, "whole number of fen"),
        ({"in_scope_fen": None}, E.INPUT_COLUMN, "in_scope_fen"),
        ({"level": None}, E.INPUT_COLUMN, "level, institution_code, hospital_level"),
        ({"in_scope": 5}, E.INPUT_TYPE, "is in_scope_fen meant?"),
        ({"first_pay_fen": np.array([1, 2])}, E.INPUT_TYPE, "different lengths"),
        ({"scheme": "999"}, E.UNKNOWN_SCHEME, "received: 999"),
        ({"level": "huge"}, E.UNKNOWN_HOSPITAL_LEVEL, "huge"),
        ({"settlement_date": 20250631}, E.INVALID_DATE, "settlement_date 20250631"),
        ({"admission_date": 20250611}, E.DATE_ORDER, "admission_date 20250611"),
        ({"first_pay_fen": -1}, E.NEGATIVE_AMOUNT, "-1"),
        ({"person_type": np.array([[11]])}, E.INPUT_TYPE, "dimensions"),
        ({"use_account": 2}, E.INVALID_CODE_VALUE, "2"),
    ],
    ids=named,
)
def test_what_is_wrong_with_the_whole_table_is_raised(bundle, changes, number, says) -> None:
    table = {name: value for name, value in (TABLE | changes).items() if value is not None}
    with pytest.raises(AdjudicatorError, match=str(int(number))) as raised:
        price_columns(bundle, table)
    assert says in str(raised.value)


def test_a_result_that_nobody_knows(bundle) -> None:
    with pytest.raises(AdjudicatorError, match="is pooled_fund_fen meant"):
        price_columns(bundle, TABLE, ["pooled_fen"])
    with pytest.raises(AdjudicatorError, match="give a pyarrow Table"):
        price_columns(bundle, [1, 2])


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({"person_type": np.array(["11", "99", "11"])}, E.UNKNOWN_PERSON_TYPE),
        ({"person_type": np.array([11, 98, 11])}, E.UNKNOWN_PERSON_TYPE),
        ({"scheme": pa.array(["310", None, "310"])}, E.UNKNOWN_SCHEME),
        ({"in_scope_fen": pa.array([1_000_000, None, 70_000])}, E.MISSING_VALUE),
        ({"in_scope_fen": np.array([1_000_000, -1, 70_000])}, E.NEGATIVE_AMOUNT),
        ({"in_scope_fen": np.array([1_000_000, 2**62, 70_000])}, E.AMOUNT_OUT_OF_RANGE),
        ({"total_fen": np.array([1_000_000, 5_000_001, 70_000])}, E.LINES_DO_NOT_ADD_UP),
        ({"other_payer_fen": np.array([0, 5_000_001, 0])}, E.PAYERS_EXCEED_TOTAL),
        ({"settlement_date": np.array([20250610, 20250631, 20250610])}, E.INVALID_DATE),
        ({"settlement_date": np.array([20250610, 0, 20250610])}, E.MISSING_DATE),
        ({"admission_date": np.array([20250601, 20250701, 20250601])}, E.DATE_ORDER),
        ({"discharge_date": np.array([20250610, 0, 20250610])}, E.MISSING_DATE),
        ({"stay_days": np.array([9, 99_999, 9])}, E.STAY_OUT_OF_RANGE),
        ({"insured_area": np.array(["330102", "110101", "330105"])}, E.UNKNOWN_AREA),
        ({"age_years": np.array([50, 151, 50])}, E.AGE_OUT_OF_RANGE),
        ({"care_type": np.array(["21", "98", "21"])}, E.UNKNOWN_CARE_TYPE),
        ({"disease_code": np.array(["", "no such", ""])}, E.UNKNOWN_DISEASE),
        ({"filing": np.array([0, 9, 0])}, E.INVALID_CODE_VALUE),
        ({"person_id": np.array(["a", "", "a"])}, E.MISSING_PERSON),
        ({"settlement_date": np.array([20250610, 19910610, 20250610]), "admission_date": 19910601}, E.NO_RULE_ON_DATE),
    ],
    ids=named,
)
def test_a_row_that_is_wrong_has_an_error_and_no_amounts(bundle, want, changes, number) -> None:
    table = TABLE | changes
    got = price_columns(bundle, table, ASKED)
    assert got["error"].tolist() == [0, number, 0] and got["error"].dtype == np.int32
    assert got["pooled_fund_fen"][1] == got["cash_fen"][1] == 0
    if "person_id" not in changes and "admission_date" not in changes:
        assert got["cash_fen"][[0, 2]].tolist() == want["cash_fen"][[0, 2]].tolist()
    with pytest.raises(AdjudicatorError, match=f"{int(number)}.*row 1, the first of 1"):
        price_columns(bundle, table, ["cash_fen"])


def test_years_in_and_out(bundle) -> None:
    several = TABLE | {"person_id": "a", "settlement_date": np.array([20250630, 20250610, 20250620])}
    asked = ("after_stays", "after_deductible_charged_fen", "deductible_fen")
    got = price_columns(bundle, several, asked)
    assert got["after_stays"].tolist() == [3, 1, 2]
    opening = {"before_stays": np.array([0, 4, 0]), "before_deductible_charged_fen": 80_000}
    later = price_columns(bundle, several | opening, asked)
    assert later["after_stays"].tolist() == [7, 5, 6]
    alone = price_columns(bundle, TABLE | {"before_stays": np.array([0, 4, 9])}, asked)
    assert alone["after_stays"].tolist() == [1, 5, 10]
