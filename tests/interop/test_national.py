"""A settlement request of the national interface (2207, 2304) as JSON, to a claim and back to ``setlinfo``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adjudicator.cli.main import main
from adjudicator.errors import AdjudicatorError
from adjudicator.interop.national import is_national, read_claim
from tests.claim.claims import engine


def message(**changes: Any) -> dict[str, Any]:
    """A 2304 request as a hospital system would send it: numbers as strings."""
    pack = engine().bundle.packs[0]
    codes = engine().bundle.catalogue.codes
    line = {
        "feedetl_sn": "F1", "med_list_codg": codes[0], "fee_ocur_time": "2024-06-02 10:00:00", "cnt": "2",
        "pric": "50.000000", "det_item_fee_sumamt": "100.00",
    }  # fmt: skip
    return {
        "infno": "2304", "msgid": "H33010200001202406101200000001", "mdtrtarea_admvs": "330102",
        "insuplc_admdvs": "330102", "fixmedins_code": pack.hospitals[0].code, "inf_time": "2024-06-10 12:00:00",
        "input": {
            "data": {"psn_no": "P1", "mdtrt_id": "E1", "insutype": "310", "med_type": "21", "medfee_sumamt": "100.00",
                     "acct_used_flag": "0", "mid_setl_flag": "0"},
            "baseinfo": {"gend": "1", "age": "50.0"},
            "insuinfo": [{"insutype": "390", "psn_type": "15"}, {"insutype": "310", "psn_type": "11", "balc": "12.34"}],
            "mdtrtinfo": {"begntime": "2024-06-01 08:00:00"},
            "dscginfo": {"endtime": "2024-06-10 09:00:00", "dscg_way": "1"},
            "diseinfo": [
                {"diag_code": "E11.900", "maindiag_flag": "0"},
                {"diag_code": "I10.x00", "maindiag_flag": "1"},
            ],
            "feedetail": [line],
        },
        **changes,
    }  # fmt: skip


def test_request_becomes_a_claim() -> None:
    claim = read_claim(message())
    assert (claim.scheme, claim.person_type, claim.care_type) == ("310", "11", "21")
    assert (claim.admission_date, claim.discharge_date, claim.settlement_date) == (20240601, 20240610, 20240610)
    assert (claim.total_fen, claim.account_current_fen, claim.age_years) == (10_000, 1_234, 50)
    assert list(claim.diagnoses) == ["I10.x00", "E11.900"], "the principal diagnosis comes first"
    line = claim.lines[0]
    assert (line.unit_price_e4, line.quantity_e4, line.amount_fen) == (50_000_000, 20_000, 10_000)


@pytest.mark.parametrize(("written", "at_counter"), [("1", True), ("2", False), ("", False)])
def test_a_bill_settled_by_the_agency_was_claimed_at_the_counter(written: str, at_counter: bool) -> None:
    request = message()
    request["input"]["data"]["setl_type"] = written
    assert read_claim(request).settled_at_counter is at_counter


def test_command_answers_with_setlinfo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "2304.json"
    path.write_text(json.dumps(message()), "utf-8")
    assert is_national(path)
    assert main(["settle", "--pack", "hangzhou", str(path)]) == 0
    answer = json.loads(capsys.readouterr().out)
    info = answer["output"]["setlinfo"]
    assert answer["infcode"] == "0" and info["medfee_sumamt"] == "100.00"
    parts = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    assert sum(round(100 * float(info[name])) for name in parts) == 10_000
    assert "psn_no" not in info


def test_refused_request_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    request = message(fixmedins_code="H00000000000")
    path = tmp_path / "2304.json"
    path.write_text(json.dumps(request), "utf-8")
    assert main(["settle", "--pack", "hangzhou", str(path)]) == 1, "a script sees that nothing was settled"
    answer = json.loads(capsys.readouterr().out)
    assert answer["infcode"] == "-1" and "ADJ-2015" in answer["err_msg"] and answer["output"] == {}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda request: request.update(infno="1101"), "ADJ-2020"),
        (lambda request: request["input"].pop("data"), "ADJ-2020"),
        (lambda request: request["input"]["data"].update(medfee_sumamt="100.005"), "ADJ-3015"),
        (lambda request: request["input"]["feedetail"][0].update(fee_ocur_time="yesterday"), "ADJ-3001"),
        (lambda request: request["input"]["baseinfo"].update(gend="male"), "ADJ-2020"),
    ],
)
def test_wrong_requests(change: Any, code: str) -> None:
    request = message()
    change(request)
    with pytest.raises(AdjudicatorError, match=code):
        read_claim(request)
