"""The national interface as JSON: a settlement request (2206, 2207, 2303, 2304) to a claim, an answer to ``setlinfo``.

Envelope and nodes are those of 医疗保障信息平台 定点医药机构接口规范: ``input`` holds ``data``, lines ``feedetail``,
and, as the transactions before have sent them, ``baseinfo``, ``insuinfo``, ``mdtrtinfo``, ``dscginfo``, ``diseinfo``,
``oprninfo``. Numbers may come as strings. Money is read by its digits, never as a float. What is wrong with a request
is answered with ``infcode`` -1 and an ``err_msg`` that names every field in both languages.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from adjudicator.errors import AdjudicatorError, E
from adjudicator.interop.claim_file import shipped_pack_of
from adjudicator.interop.national_file import is_national, problem, read_message, sentence, shown
from adjudicator.interop.national_nodes import Node
from adjudicator.money import fen_to_yuan
from adjudicator.payers import PAYERS, ROWS
from adjudicator.v1 import claim_pb2, settlement_pb2

__all__ = ["is_national", "read_claim", "read_message", "settle_message", "write_setlinfo"]

OUTPATIENT, INPATIENT = ("2206", "2207"), ("2303", "2304")
SETTLED, REFUSED = "0", "-1"
"""``infcode`` of an answer."""

_SETLINFO: dict[str, str] = {
    "medfee_sumamt": "total_fen", "fulamt_ownpay_amt": "wholly_self_paid_fen", "overlmt_selfpay": "over_ceiling_fen",
    "preselfpay_amt": "first_pay_fen", "inscp_scp_amt": "in_scope_fen", "act_pay_dedc": "deductible_fen",
    "fund_pay_sumamt": "fund_total_fen", "psn_part_amt": "personal_total_fen", "balc": "account_balance_fen",
    **{payer.national: payer.field for payer in PAYERS},
}  # fmt: skip
"""National result field -> field of Settlement."""

AT_COUNTER, ONLINE = "1", "2"
"""Ways of settlement of a bill [setl_type 结算类别]; 3, assistance settled by itself, is no claim of a hospital."""

_WITHOUT_NATIONAL_CODE = {code for payer in ROWS if not payer.is_national for code in payer.codes}
"""Rows of ``funds`` that ``setldetail`` cannot name; their amounts are in ``setlinfo``."""


_PLACES: dict[str, str] = {
    "institution_code": "fixmedins_code", "encounter_id": "input.data.mdtrt_id",
    "settlement_sequence": "input.data.setl_seq", "person_id": "input.data.psn_no", "insured_area": "insuplc_admdvs",
    "care_area": "mdtrtarea_admvs", "scheme": "input.data.insutype", "person_type": "input.insuinfo.psn_type",
    "care_type": "input.data.med_type", "settlement_date": "inf_time", "admission_date": "input.mdtrtinfo.begntime",
    "discharge_date": "input.dscginfo.endtime", "total_fen": "input.data.medfee_sumamt", "lines": "input.feedetail",
    "diagnoses": "input.diseinfo", "procedures": "input.oprninfo", "sex": "input.baseinfo.gend",
    "age_years": "input.baseinfo.age", "assistance_category": "input.idetinfo.psn_idet_type",
    "civil_servant": "input.insuinfo.cvlserv_flag", "enrolment_status": "input.insuinfo.psn_insu_stas",
    "hospital_level": "input.data.hosp_lv", "department": "input.dscginfo.dscg_dept_codg",
    "discharge_way": "input.dscginfo.dscg_way", "disease_code": "input.mdtrtinfo.dise_codg",
    "mid_stay": "input.data.mid_setl_flag", "settled_at_counter": "input.data.setl_type",
    "maternity_type": "input.mdtrtinfo.matn_type", "fetus_count": "input.mdtrtinfo.fetus_cnt",
    "use_account": "input.data.acct_used_flag", "account_current_fen": "input.insuinfo.balc",
    "line_id": "feedetl_sn", "item_code": "med_list_codg",
    "fee_date": "fee_ocur_time", "unit_price_e4": "pric", "quantity_e4": "cnt", "amount_fen": "det_item_fee_sumamt",
    "original_line_id": "init_feedetl_sn", "approval": "hosp_appr_flag",
    "institution_item_code": "medins_list_codg", "discharge_drug": "dscg_tkdrug_flag",
    "external_prescription": "rx_circ_flag", "maternity": "matn_fee_flag",
}  # fmt: skip
"""Field of Claim or Line -> where the national message has it."""


def read_claim(message: Mapping[str, Any]) -> claim_pb2.Claim:
    """Return the claim of a settlement request.

    Errors: E.INVALID_CODE_VALUE, E.NOT_AN_AMOUNT, E.INVALID_DATE, E.ID_TOO_LONG, all that the request has, with the
    path of each.
    """
    top = Node(message, "", [])
    infno = top.text("infno")
    if infno not in OUTPATIENT + INPATIENT and not top.problems:
        listed = ", ".join(OUTPATIENT + INPATIENT)
        top.fault("infno", f"is none of {listed}", f"不是 {listed} 之一")
    top.text("msgid")  # it is sent back
    node = top.child("input")
    data = node.child("data")
    if not data.is_given and not top.problems:
        data.missing("Send what is to be settled", "请填写结算信息")
    if top.problems:
        raise AdjudicatorError(*top.problems)
    claim = _claim(top, node, data)
    if top.problems:
        raise AdjudicatorError(*top.problems)
    return claim


def _claim(top: Node, node: Node, data: Node) -> claim_pb2.Claim:
    person, insured = node.child("baseinfo", personal=True), _insured(node, data)
    stay, discharge = node.child("mdtrtinfo", personal=True), node.child("dscginfo", personal=True)
    data_of_person = Node(data.values, data.path, data.problems, personal=True)
    settled, begun = top.date("inf_time"), stay.date("begntime")
    if not begun and top.text("infno") in OUTPATIENT:
        begun = settled  # an outpatient request may have no registration node: the visit is its day
    listed = (entry.text("psn_idet_type") for entry in node.children("idetinfo", personal=True))
    first, *others = [*filter(None, listed)] or [""]
    claim = claim_pb2.Claim(
        institution_code=top.text("fixmedins_code"), encounter_id=data_of_person.text("mdtrt_id"),
        settlement_sequence=data.number("setl_seq") or 1, person_id=data_of_person.text("psn_no"),
        insured_area=top.text("insuplc_admdvs"), care_area=top.text("mdtrtarea_admvs"),
        scheme=data.text("insutype"), person_type=insured.text("psn_type"),
        care_type=data.text("med_type") or stay.text("med_type"), settlement_date=settled, admission_date=begun,
        discharge_date=discharge.date("endtime"), total_fen=data.money("medfee_sumamt"), sex=person.number("gend"),
        civil_servant=insured.flag("cvlserv_flag"), assistance_category=first, other_assistance_categories=others,
        hospital_level=data.text("hosp_lv"), disease_code=stay.text("dise_codg") or data_of_person.text("dise_codg"),
        discharge_way=discharge.number("dscg_way"), maternity_type=stay.number("matn_type"),
        fetus_count=stay.number("fetus_cnt"), mid_stay=data.flag("mid_setl_flag"),
        use_account=data.flag("acct_used_flag"), account_current_fen=insured.money("balc"),
        enrolment_status=insured.number("psn_insu_stas"), department=discharge.text("dscg_dept_codg"),
        settled_at_counter=_is_at_counter(data),
    )  # fmt: skip
    _set_age(claim, person)
    claim.lines.extend(_line(entry) for entry in node.children("feedetail"))
    main_first = sorted(node.children("diseinfo", personal=True), key=lambda entry: not entry.flag("maindiag_flag"))
    claim.diagnoses.extend(_codes(main_first, "diag_code"))
    claim.procedures.extend(_codes(node.children("oprninfo", personal=True), "oprn_oprt_code"))
    return claim


def _is_at_counter(data: Node) -> bool:
    """Return whether the bill is claimed at the counter [setl_type 结算类别]: 1 agency, 2 or nothing online."""
    written = data.text("setl_type")
    if written not in ("", AT_COUNTER, ONLINE):
        data.fault(
            "setl_type", f"is neither {AT_COUNTER} (at the counter) nor {ONLINE} (online)",
            f"既不是 {AT_COUNTER}（中心报销）也不是 {ONLINE}（联网结算）",
        )  # fmt: skip
    return written == AT_COUNTER


def _set_age(claim: claim_pb2.Claim, person: Node) -> None:
    """Set the age where it is given; the interface writes it with one decimal, the started year counts."""
    tenths = person.scaled("age", 1, default=-1)
    if tenths >= 0 and len(str(tenths)) <= len("1500"):
        claim.age_years = tenths // 10
    elif tenths != -1 or person.text("age"):
        person.fault("age", "is no age in years", "不是以岁为单位的年龄", E.AGE_OUT_OF_RANGE)


def _codes(entries: Iterable[Node], name: str) -> Iterable[str]:
    for entry in entries:
        code = entry.text(name)
        if not code and not isinstance(entry.values.get(name), (bool, dict, list)):
            entry.fault(name, "is missing. Send the code", "缺失，请填写编码")
        yield code


def _line(entry: Node) -> claim_pb2.Line:
    return claim_pb2.Line(
        line_id=entry.text("feedetl_sn"), item_code=entry.text("med_list_codg"),
        fee_date=_day_of(entry, "fee_ocur_time"),
        unit_price_e4=entry.scaled("pric", 6), quantity_e4=entry.scaled("cnt", 4),
        amount_fen=entry.money("det_item_fee_sumamt"), original_line_id=entry.text("init_feedetl_sn"),
        approval=entry.number("hosp_appr_flag"), institution_item_code=entry.text("medins_list_codg"),
        department=entry.text("bilg_dept_codg"), discharge_drug=entry.flag("dscg_tkdrug_flag"),
        external_prescription=entry.flag("rx_circ_flag"), maternity=entry.flag("matn_fee_flag"),
    )  # fmt: skip


def _day_of(entry: Node, name: str) -> int:
    """Return the day of a value that every line has."""
    if entry.values.get(name) in (None, ""):
        entry.fault(
            name, "is missing. Write yyyy-MM-dd HH:mm:ss", "缺失，请按 yyyy-MM-dd HH:mm:ss 填写", E.MISSING_DATE
        )
    return entry.date(name)


def _insured(node: Node, data: Node) -> Node:
    """Return the enrolment of the scheme that the encounter chose; a person may have several."""
    listed, scheme = node.children("insuinfo", personal=True), data.text("insutype")
    for entry in listed:
        if entry.text("insutype") == scheme:
            return entry
    if len(listed) == 1 and not listed[0].text("insutype"):
        return listed[0]
    if listed:
        node.problems.append(
            problem(
                E.UNKNOWN_SCHEME, "input.insuinfo", f"has no entry of the insutype of the settlement{shown(scheme)}.",
                f"没有与结算险种类型{shown(scheme)}相同的参保信息。",
            )
        )  # fmt: skip
    return Node({}, "input.insuinfo", node.problems, personal=True, is_given=False)


def write_setlinfo(settlement: settlement_pb2.Settlement) -> dict[str, Any]:
    """Return ``setlinfo`` and ``setldetail`` of an answer, money in yuan with two decimals.

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
    """Return the answer to a request file, priced under a pack as the first settlement of the year.

    Without a pack the shipped one of the area of insurance is taken. A request that cannot be read or settled is
    answered with ``infcode`` -1; an error is raised only for a pack with faults.
    """
    from adjudicator.claim.local import price_message
    from adjudicator.rules.bundle import load_bundle

    message: Mapping[str, Any] = {}
    try:
        message = read_message(path)
        claim = read_claim(message)
        bundle = load_bundle([pack or shipped_pack_of(claim.insured_area)])
    except AdjudicatorError as error:
        said = (_said(one.row.code, one.field, one.message, one.message_zh) for one in error.problems)
        return _answer(message, sentence(said), "", None)
    answer = price_message(bundle, claim)
    faults, warnings = (
        sentence(
            _said(one.code, one.field, one.message, one.message_zh)
            for one in answer.problems
            if one.warning == is_warning
        )
        for is_warning in (False, True)
    )
    if answer.outcome == settlement_pb2.OUTCOME_REFUSED:
        return _answer(message, faults, warnings, None)
    return _answer(message, faults, warnings, write_setlinfo(answer))


def _answer(message: Mapping[str, Any], faults: str, warnings: str, output: dict[str, Any] | None) -> dict[str, Any]:
    """Return the envelope of an answer; without ``output`` the request was not settled."""
    return {
        "infcode": REFUSED if output is None else SETTLED, "inf_refmsgid": Node(message, "", []).text("msgid"),
        "err_msg": faults, "warn_msg": warnings, "output": output or {},
    }  # fmt: skip


def _said(code: str, field: str, en: str, zh: str) -> str:
    """Return one problem for ``err_msg``: code, place in the national message, Chinese, English."""
    return f"{code} {_place(field)}: {zh} {en}"


def _place(field: str) -> str:
    """Return the national name of a field of the claim.

    >>> _place("lines[3].fee_date"), _place("total_fen"), _place("")
    ('input.feedetail[3].fee_ocur_time', 'input.data.medfee_sumamt', 'input')
    """
    parts = re.findall(r"(\w+)(\[\d+\])?", field)
    return ".".join(_PLACES.get(name, name) + index for name, index in parts) or "input"


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
