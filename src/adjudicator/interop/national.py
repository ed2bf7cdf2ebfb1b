"""The national interface as JSON: a settlement request (2206, 2207, 2303, 2304) to a claim, an answer to ``setlinfo``.

Envelope and nodes are those of 医疗保障信息平台 定点医药机构接口规范: ``input`` holds ``data``, lines ``feedetail``,
and, as the transactions before have sent them, ``baseinfo``, ``insuinfo``, ``mdtrtinfo``, ``dscginfo``, ``diseinfo``,
``oprninfo``. Numbers may come as strings. Money is read by its digits, never as a float.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from adjudicator.errors import E, refuse
from adjudicator.money import MoneyError, decimal_to_scaled, fen_to_yuan
from adjudicator.payers import PAYERS, ROWS
from adjudicator.v1 import claim_pb2, settlement_pb2

TRIAL = ("2206", "2303")
SETTLE = ("2207", "2304")

_SETLINFO: dict[str, str] = {
    "medfee_sumamt": "total_fen", "fulamt_ownpay_amt": "wholly_self_paid_fen", "overlmt_selfpay": "over_ceiling_fen",
    "preselfpay_amt": "first_pay_fen", "inscp_scp_amt": "in_scope_fen", "act_pay_dedc": "deductible_fen",
    "fund_pay_sumamt": "fund_total_fen", "psn_part_amt": "personal_total_fen", "balc": "account_balance_fen",
    **{payer.national: payer.field for payer in PAYERS},
}  # fmt: skip
"""National result field -> field of Settlement."""

_WITHOUT_NATIONAL_CODE = {code for payer in ROWS if not payer.is_national for code in payer.codes}
"""Rows of ``funds`` that ``setldetail`` cannot name; their amounts are in ``setlinfo``."""


def is_national(path: Path) -> bool:
    """Return whether a JSON file has an ``infno`` envelope."""
    if path.suffix != ".json":
        return False
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError:
        return False
    return isinstance(data, dict) and "infno" in data


def read_claim(message: Mapping[str, Any]) -> claim_pb2.Claim:
    """Return the claim of a settlement request.

    Errors: E.INVALID_CODE_VALUE for another transaction or a node that is missing, E.NOT_AN_AMOUNT, E.INVALID_DATE.
    """
    if str(message.get("infno", "")) not in TRIAL + SETTLE:
        raise refuse(E.INVALID_CODE_VALUE, "infno")
    node = message.get("input")
    if not isinstance(node, Mapping) or not isinstance(node.get("data"), Mapping):
        raise refuse(E.INVALID_CODE_VALUE, "input.data")
    data = node["data"]
    person, insured = _first(node.get("baseinfo")), _insured(node, data)
    stay, discharge = _first(node.get("mdtrtinfo")), _first(node.get("dscginfo"))
    settled = _date(message.get("inf_time", ""), "inf_time")
    claim = claim_pb2.Claim(
        institution_code=_text(message, "fixmedins_code"), encounter_id=_text(data, "mdtrt_id"),
        settlement_sequence=int(data.get("setl_seq") or 1), person_id=_text(data, "psn_no"),
        insured_area=_text(message, "insuplc_admdvs"), care_area=_text(message, "mdtrtarea_admvs"),
        scheme=_text(data, "insutype"), person_type=_text(insured, "psn_type"),
        care_type=_text(data, "med_type") or _text(stay, "med_type"), settlement_date=settled,
        admission_date=_date(stay.get("begntime") or message.get("inf_time"), "mdtrtinfo.begntime"),
        discharge_date=_date(discharge.get("endtime") or "", "dscginfo.endtime"),
        total_fen=_money(data, "medfee_sumamt"), sex=_number(person, "gend"),
        civil_servant=_text(insured, "cvlserv_flag") == "1", assistance_category=_assistance(node),
        hospital_level=_text(data, "hosp_lv"), disease_code=_text(stay, "dise_codg") or _text(data, "dise_codg"),
        discharge_way=_number(discharge, "dscg_way"), maternity_type=_number(stay, "matn_type"),
        fetus_count=_number(stay, "fetus_cnt"), mid_stay=_text(data, "mid_setl_flag") == "1",
        use_account=_text(data, "acct_used_flag") == "1", account_current_fen=_money(insured, "balc"),
        enrolment_status=_number(insured, "psn_insu_stas"), department=_text(discharge, "dscg_dept_codg"),
    )  # fmt: skip
    if person.get("age") not in (None, ""):
        claim.age_years = int(Decimal(str(person["age"])))
    for line in node.get("feedetail") or ():
        claim.lines.append(_line(line))
    main_first = sorted(node.get("diseinfo") or (), key=lambda entry: str(entry.get("maindiag_flag", "0")) != "1")
    claim.diagnoses.extend(_text(entry, "diag_code") for entry in main_first)
    claim.procedures.extend(_text(entry, "oprn_oprt_code") for entry in node.get("oprninfo") or ())
    return claim


def write_setlinfo(settlement: settlement_pb2.Settlement) -> dict[str, Any]:
    """``setlinfo`` and ``setldetail`` of an answer, money in yuan with two decimals.

    The person's own fields (number, name, certificate) are the caller's to add: an answer does not carry them.
    """
    setlinfo: dict[str, Any] = {"mdtrt_id": settlement.encounter_id, "setl_id": settlement.settlement_id}
    setlinfo |= {name: fen_to_yuan(getattr(settlement, field)) for name, field in _SETLINFO.items()}
    rate = settlement.pooled_rate_ppm
    setlinfo["pool_prop_selfpay"] = f"{rate // 10**6}.{(rate % 10**6 + 50) // 100:04d}"
    setlinfo["clr_way"] = str(settlement.clearing_method)
    detail = [
        {"fund_pay_type": fund.fund_type, "fund_payamt": fen_to_yuan(fund.amount_fen)}
        for fund in settlement.funds
        if fund.fund_type not in _WITHOUT_NATIONAL_CODE
    ]
    lines = [_result(line) for line in settlement.lines]
    return {"setlinfo": setlinfo, "setldetail": detail, "result": lines}


def settle_message(path: Path, pack: str) -> dict[str, Any]:
    """Prices one request file under a pack as a first settlement of the year, and writes the answer message."""
    from adjudicator.claim.local import price_message
    from adjudicator.rules.bundle import load_bundle

    message = json.loads(path.read_text("utf-8"), parse_float=Decimal)
    claim = read_claim(message)
    answer = price_message(load_bundle([pack or "hangzhou"]), claim)
    problems = "; ".join(f"{problem.code} {problem.message_zh}" for problem in answer.problems if not problem.warning)
    refused = answer.outcome == settlement_pb2.OUTCOME_REFUSED
    return {
        "infcode": "-1" if refused else "0", "inf_refmsgid": str(message.get("msgid", "")), "err_msg": problems,
        "output": {} if refused else write_setlinfo(answer),
    }  # fmt: skip


def _line(entry: Mapping[str, Any]) -> claim_pb2.Line:
    line = claim_pb2.Line(
        line_id=_text(entry, "feedetl_sn"), item_code=_text(entry, "med_list_codg"),
        fee_date=_date(entry.get("fee_ocur_time", ""), "feedetail.fee_ocur_time"),
        unit_price_e4=_scaled(entry, "pric", 6), quantity_e4=_scaled(entry, "cnt", 4),
        amount_fen=_money(entry, "det_item_fee_sumamt"), original_line_id=_text(entry, "init_feedetl_sn"),
        approval=_number(entry, "hosp_appr_flag"), institution_item_code=_text(entry, "medins_list_codg"),
        department=_text(entry, "bilg_dept_codg"), discharge_drug=_text(entry, "dscg_tkdrug_flag") == "1",
        external_prescription=_text(entry, "rx_circ_flag") == "1", maternity=_text(entry, "matn_fee_flag") == "1",
    )  # fmt: skip
    return line


def _result(line: settlement_pb2.LineResult) -> dict[str, str]:
    ratio, ceiling = line.first_pay_ppm, line.price_ceiling_e4
    return {
        "feedetl_sn": line.line_id, "det_item_fee_sumamt": fen_to_yuan(line.amount_fen),
        "pric_uplmt_amt": f"{ceiling // 10**6}.{ceiling % 10**6:06d}",
        "selfpay_prop": f"{ratio // 10**6}.{ratio % 10**6 // 100:04d}",
        "fulamt_ownpay_amt": fen_to_yuan(line.wholly_self_paid_fen), "overlmt_amt": fen_to_yuan(line.over_ceiling_fen),
        "preselfpay_amt": fen_to_yuan(line.first_pay_fen), "inscp_scp_amt": fen_to_yuan(line.in_scope_fen),
        "chrgitm_lv": f"{line.item_class:02d}",
    }  # fmt: skip


def _first(node: Any) -> Mapping[str, Any]:
    if isinstance(node, list):
        node = node[0] if node else {}
    return node if isinstance(node, Mapping) else {}


def _insured(node: Mapping[str, Any], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the enrolment of the scheme that the encounter chose; a person may have several."""
    listed = node.get("insuinfo") or [{}]
    listed = listed if isinstance(listed, list) else [listed]
    return next((entry for entry in listed if _text(entry, "insutype") == _text(data, "insutype")), _first(listed))


def _assistance(node: Mapping[str, Any]) -> str:
    return next((_text(entry, "psn_idet_type") for entry in node.get("idetinfo") or () if entry), "")


def _text(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    return "" if value is None else str(value).strip()


def _number(node: Mapping[str, Any], name: str) -> int:
    text = _text(node, name)
    if (text and not text.isascii()) or (text and not text.isdigit()):
        raise refuse(E.INVALID_CODE_VALUE, name)
    return int(text or 0)


def _scaled(node: Mapping[str, Any], name: str, decimals: int) -> int:
    try:
        return decimal_to_scaled(_text(node, name) or "0", decimals)
    except MoneyError as error:
        raise refuse(E.NOT_AN_AMOUNT, name, name) from error


def _money(node: Mapping[str, Any], name: str) -> int:
    return _scaled(node, name, 2)


def _date(value: Any, field: str) -> int:
    """``yyyy-MM-dd`` or ``yyyy-MM-dd HH:mm:ss`` as YYYYMMDD; empty is 0."""
    text = str(value or "").strip()[:10].replace("-", "")
    if text and (len(text) != 8 or not text.isdigit()):
        raise refuse(E.INVALID_DATE, field)
    return int(text or 0)
