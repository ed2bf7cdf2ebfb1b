"""An explained settlement as a person reads it: lines of text, JSON, or a sheet to print (结算单说明)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from adjudicator.cli.reports import pages
from adjudicator.cli.reports.tables import AMOUNTS, OUTCOMES, pad, width
from adjudicator.codes import CARE_KIND_ZH, NATIONAL_CARE_TYPES, Method, scheme_zh
from adjudicator.money import fen_to_yuan
from adjudicator.payment.registry import NAMES_ZH
from adjudicator.steps import CHAIN_NAMES
from adjudicator.v1 import claim_pb2, settlement_pb2

WORDS: dict[str, tuple[str, str]] = {
    "title": ("Settlement explained", "结算单说明"),
    "institution": ("Institution", "医疗机构"), "encounter": ("Encounter", "就诊号"),
    "sequence": ("Settlement no.", "结算次序"), "settlement_id": ("Settlement id", "结算ID"),
    "outcome": ("State", "状态"), "area": ("Place of insurance", "参保地"), "scheme": ("Scheme", "险种"),
    "care": ("Kind of care", "医疗类别"), "stay": ("From, to", "起止日期"), "settled_on": ("Settled on", "结算日期"),
    "diagnoses": ("Diagnoses", "诊断"), "drg": ("DRG", "病组"), "year": ("Benefit year", "待遇年度"),
    "amounts": ("Amounts in yuan", "费用与支付（元）"), "step": ("Step", "步骤"), "before": ("Before", "计算前"),
    "amount": ("Amount", "本步金额"), "after": ("After", "计算后"), "how": ("How it was computed", "计算过程与依据"),
    "lines": ("Fee lines", "费用明细"), "line": ("Line", "明细号"), "line_amount": ("Amount", "金额"),
    "item": ("Item", "项目编码"),
    "self_paid": ("Self-paid", "全自费"), "over": ("Over ceiling", "超限价"), "first_pay": ("First pay", "先行自付"),
    "in_scope": ("In scope", "范围内"), "payment": ("Owed to the institution", "应付医疗机构"),
    "rules": ("Rules", "规则版本"), "refused": ("Refused", "已拒绝"), "note": ("Note", "提示"),
    "unverified": ("not compared with its document", "未与文件核对"),
    "some_unverified": (
        "Some of the rule values in use have not been compared with their documents.",
        "所用规则中有尚未与文件核对的数值。",
    ),
}  # fmt: skip
"""Words of the page and of the text, in English and Chinese."""

OUTCOMES_EN = {
    settlement_pb2.OUTCOME_TRIAL: "trial", settlement_pb2.OUTCOME_SETTLED: "settled",
    settlement_pb2.OUTCOME_REVERSED: "reversed", settlement_pb2.OUTCOME_REFUSED: "refused",
}  # fmt: skip

Words = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Explained:
    """A settlement and its steps; ``claim`` is what was asked, where it is known."""

    answer: settlement_pb2.Settlement
    explanation: settlement_pb2.Explanation
    claim: claim_pb2.Claim | None = None
    title: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether nothing was settled."""
        return self.answer.outcome == settlement_pb2.OUTCOME_REFUSED

    def as_json(self) -> dict[str, Any]:
        """Return answer and explanation with the names of the wire."""
        return {
            name: json_format.MessageToDict(message, preserving_proto_field_name=True)
            for name, message in (("settlement", self.answer), ("explanation", self.explanation))
        }


def words_of(lang: str) -> Words:
    """Return the words of a language."""
    return lambda name: WORDS[name][lang == "zh"]


def chains_of(explanation: settlement_pb2.Explanation) -> list[tuple[str, list[settlement_pb2.ExplanationStep]]]:
    """Return the steps by chain, in the order of the cascade."""
    chains = ((chain, [step for step in explanation.steps if step.chain == chain]) for chain in CHAIN_NAMES)
    return [(chain, steps) for chain, steps in chains if steps]


def amounts_of(answer: settlement_pb2.Settlement, lang: str) -> list[tuple[str, str]]:
    """Return name and yuan of the amounts that are not zero."""
    return [
        (chinese if lang == "zh" else field.removesuffix("_fen").replace("_", " "), fen_to_yuan(getattr(answer, field)))
        for field, _, chinese in AMOUNTS
        if getattr(answer, field) or field in ("total_fen", "fund_total_fen", "cash_fen")
    ]


def head_of(one: Explained, lang: str) -> list[tuple[str, str]]:
    """Return what the settlement is about: label and value; the person's number is not part of it."""
    words, answer, claim = words_of(lang), one.answer, one.claim
    outcome = (OUTCOMES if lang == "zh" else OUTCOMES_EN).get(answer.outcome, "")
    rows = [
        ("institution", answer.institution_code), ("encounter", answer.encounter_id),
        ("sequence", str(answer.settlement_sequence)), ("settlement_id", answer.settlement_id), ("outcome", outcome),
        ("year", str(answer.benefit_year or "")), ("drg", answer.grouping.drg),
    ]  # fmt: skip
    if claim is not None:
        stay = " — ".join(_day(date) for date in (claim.admission_date, claim.discharge_date) if date)
        kind = NATIONAL_CARE_TYPES.get(claim.care_type)
        care = f"{claim.care_type} {CARE_KIND_ZH[kind] if kind and lang == 'zh' else choice_words(kind)}"
        rows += [
            ("area", claim.insured_area), ("scheme", _scheme(claim.scheme, lang)), ("care", care.strip()),
            ("stay", stay), ("settled_on", _day(claim.settlement_date)), ("diagnoses", ", ".join(claim.diagnoses)),
        ]  # fmt: skip
    return [(words(name), value) for name, value in rows if value]


def step_names(step: settlement_pb2.ExplanationStep, lang: str) -> tuple[str, str]:
    """Return the name of a step and its arithmetic."""
    return (step.stage_zh, step.text_zh) if lang == "zh" else (step.stage_en, step.text)


def source_of(step: settlement_pb2.ExplanationStep, words: Words) -> str:
    """Return document and clause of a step, and whether somebody has compared the value with them."""
    source = f"{step.document} {step.clause}".strip()
    return source if step.verified or not source else f"{source} ({words('unverified')})"


def text_lines(one: Explained, lang: str) -> list[str]:
    """Return the explanation as lines for a terminal."""
    words = words_of(lang)
    lines = [one.title or words("title"), *(f"{label}: {value}" for label, value in head_of(one, lang)), ""]
    lines += [f"{mark} {text}" for mark, text in _problems(one.answer, lang)]
    if one.is_refused:
        return lines
    amounts = amounts_of(one.answer, lang)
    widest = max(width(name) for name, _ in amounts)
    lines += [words("amounts"), *(f"  {pad(name, widest)} {yuan:>14}" for name, yuan in amounts)]
    for chain, steps in chains_of(one.explanation):
        lines += ["", CHAIN_NAMES[chain][lang == "zh"]]
        for step in steps:
            name, text = step_names(step, lang)
            lines.append(f"  {name}: {_arithmetic(step)}")
            lines += [f"      {more}" for more in (text, source_of(step, words)) if more and more != name]
    return [*lines, "", *_feet(one, lang)]


def page(many: Sequence[Explained], lang: str) -> str:
    """Return the sheets as one HTML page without scripts, one settlement a printed page or more."""
    words = words_of(lang)
    language = "zh-CN" if lang == "zh" else "en"
    sheets = [_sheet(one, lang) for one in many]
    return pages.page(
        "sheet.html", language=language, style="sheet.css", title=words("title"), words=words, sheets=sheets
    )


def _sheet(one: Explained, lang: str) -> dict[str, Any]:
    """Return what the template of the sheet shows of one settlement."""
    sheet = {"title": one.title, "head": head_of(one, lang), "problems": _problems(one.answer, lang)}
    if one.is_refused:
        return sheet | {"amounts": [], "chains": [], "lines": [], "feet": []}
    chains = [
        {"name": CHAIN_NAMES[chain][lang == "zh"], "steps": [_step(step, lang) for step in steps]}
        for chain, steps in chains_of(one.explanation)
    ]
    amounts, feet = amounts_of(one.answer, lang), _feet(one, lang)
    return sheet | {"amounts": amounts, "chains": chains, "lines": _lines(one), "feet": feet}


def _step(step: settlement_pb2.ExplanationStep, lang: str) -> dict[str, Any]:
    name, text = step_names(step, lang)
    amounts = [fen_to_yuan(fen) for fen in (step.before_fen, step.amount_fen, step.after_fen)]
    source = source_of(step, words_of(lang))
    return {"name": name, "amounts": amounts, "text": text if text != name else "", "source": source}


def _lines(one: Explained) -> list[dict[str, Any]]:
    items = {line.line_id: line.item_code for line in one.claim.lines} if one.claim is not None else {}
    return [
        {
            "id": line.line_id,
            "item": items.get(line.line_id, ""),
            "amounts": [
                fen_to_yuan(fen)
                for fen in (
                    line.amount_fen, line.wholly_self_paid_fen, line.over_ceiling_fen, line.first_pay_fen,
                    line.in_scope_fen,
                )
            ],
        }
        for line in one.answer.lines
    ]  # fmt: skip


def _problems(answer: settlement_pb2.Settlement, lang: str) -> list[tuple[str, str]]:
    """Why a claim was refused, or what was noticed."""
    words = words_of(lang)
    return [
        (
            words("note" if problem.warning else "refused"),
            f"{problem.code} {problem.field} {problem.message_zh if lang == 'zh' else problem.message}",
        )
        for problem in answer.problems
    ]


def _feet(one: Explained, lang: str) -> list[str]:
    words, answer = words_of(lang), one.answer
    lines = [f"{words('rules')}: {answer.rules_version} ({answer.rules_hash})"]
    if answer.payment.method:
        method = Method(answer.payment.method)
        name = NAMES_ZH[method] if lang == "zh" else choice_words(method)
        lines.insert(0, f"{words('payment')} ({name}): {fen_to_yuan(answer.payment.due_fen)}")
    return [*lines, words("some_unverified")] if answer.unverified_rules else lines


def _arithmetic(step: settlement_pb2.ExplanationStep) -> str:
    before, amount, after = (fen_to_yuan(fen) for fen in (step.before_fen, step.amount_fen, step.after_fen))
    return f"{before} - {amount} = {after}"


def _scheme(code: str, lang: str) -> str:
    return f"{code} {scheme_zh(code)}" if lang == "zh" else code


def _day(date: int) -> str:
    return f"{date // 10_000:04d}-{date // 100 % 100:02d}-{date % 100:02d}"


def choice_words(member: Any) -> str:
    """Return the name of a member of an enumeration in words, empty for none."""
    return member.name.lower().replace("_", " ") if member is not None else ""
