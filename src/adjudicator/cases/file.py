"""Golden-style case files (YAML or JSON): what a benefit officer writes down, read into typed cases.

A file holds one case or a list of them. A case names a pack or an inline ``plan`` (see ``rules.inline``), the person,
one ``claim`` (or ``claims``, settled one after the other over the person's year), and what is expected in yuan::

    case: BEN-09
    title: Jiangmen employee 2024
    source: b3q24.cn
    quality: C
    plan: {deductible_yuan: 600, rate_percent: 90}
    claim:
      amounts: {in_scope: 8000, wholly_self_paid: 200, first_pay: 300}
    expect: {pooled_fund: 6660}

``never`` holds outcomes that must not come out: published answers that are wrong. A claim with ``reverse: 1`` takes
back the first settlement of the case. Every key: docs/cases.md.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

from adjudicator.cases.outcomes import NEVER, OUTCOME_ZH, PERCENT_DECIMALS, POINT_DECIMALS, WORDS
from adjudicator.errors import E, refuse
from adjudicator.limits import MAX_AMOUNT_FEN
from adjudicator.money import MoneyError, decimal_to_scaled, yuan_to_fen

PERSON_KEYS = (
    "scheme", "type", "age", "sex", "assistance", "civil_servant", "family_doctor", "contribution_tier", "suspended",
)  # fmt: skip
CLAIM_KEYS = (
    "care", "date", "admission", "discharge", "settlement", "level", "hospital", "hosp_lv", "place", "filing",
    "settled_at_counter", "referral", "chain", "chain_deductible", "disease", "programme", "maternity", "fetuses",
    "stay_days", "mid_stay", "at_signed_institution", "use_account", "account", "amounts", "lines",
    "hospital_borne", "other_payers", "year_to_date", "quota_used", "care_area", "assistance", "scheme", "type",
    "diagnoses", "procedures", "department", "discharge_way", "icu_hours", "age_days", "birth_weight_g", "stay",
    "reverse", "expect", "never",
)  # fmt: skip
CASE_KEYS = (
    "case", "title", "source", "quality", "kind", "note", "pack", "plan", "items", "catalogue", "payment", "grouping",
    "person", "claim", "claims", "head_quota", "review", "growth", "expect", "never",
)  # fmt: skip
PERIOD_KEYS = {
    "head_quota": (
        "members", "financing", "per_head", "personal_per_head", "carried", "interest", "risk_percent",
        "critical_percent", "adjustment",
    ),
    "review": ("average", "multiple", "costs", "limit_percent", "rounding"),
    "growth": ("now", "before"),
}  # fmt: skip
"""Keys of the cases that are not about a claim (``cases.period``); such a case has one of these and no claim."""
AMOUNT_KEYS = (
    "total", "wholly_self_paid", "over_ceiling", "first_pay", "in_scope", "copay_free", "special_drug",
    "in_catalogue_excess", "hospital_borne",
)  # fmt: skip
LINE_KEYS = ("item", "date", "price", "quantity", "amount", "approval", "refund_of", "id", "before_admission")
REVERSAL_KEYS = ("reverse", "settlement", "expect", "never")
"""A claim that takes back an earlier settlement says nothing else."""
ACCOUNT_KEYS = ("current", "past", "family")
OUTCOMES = tuple(OUTCOME_ZH)


class _Exact(yaml.SafeLoader):
    """YAML whose decimal numbers keep the digits that were written."""


def _decimal(loader: _Exact, node: yaml.ScalarNode) -> Decimal:
    return Decimal(str(loader.construct_scalar(node)))


_Exact.add_constructor("tag:yaml.org,2002:float", _decimal)


@dataclass(slots=True)
class ClaimCase:
    """One settlement of a case. ``values`` are the keys of CLAIM_KEYS as written; amounts are in fen."""

    values: dict[str, Any]
    expect: dict[str, int | str]
    never: dict[str, int | str]

    def differences(self, got: Mapping[str, int | str]) -> list[tuple[str, int | str, int | str]]:
        """(outcome, expected, got) of all that is not as expected; a ``never`` that came out counts too."""
        wrong = [(name, value, got[name]) for name, value in self.expect.items() if got[name] != value]
        return wrong + [
            (f"{NEVER}{name}", value, got[name]) for name, value in self.never.items() if got[name] == value
        ]


@dataclass(slots=True)
class Case:
    """One case of a file."""

    name: str
    title: str
    source: str
    quality: str
    note: str
    file: str
    pack: str
    """Pack of the place of insurance; more packs, whose catalogues hold elsewhere, on lines of their own."""
    plan: dict[str, Any]
    items: list[dict[str, Any]]
    catalogue: dict[str, Any]
    payment: dict[str, Any]
    """How the institution is paid, by the keys of payment.toml; a text of several lines stands for a CSV file."""
    grouping: Any
    """Name or folder of a grouping scheme, or the groups with their principal diagnoses."""
    person: dict[str, Any]
    claims: list[ClaimCase] = field(default_factory=list)
    """Of a case of a period one without values, with what is expected."""
    kind_of_period: str = ""
    """head_quota, review, growth; empty for a case about claims."""
    period: dict[str, Any] = field(default_factory=dict)
    """The values of a case of a period."""


def read_cases(paths: Iterable[Path], pack: str = "") -> Iterator[Case]:
    """Cases of some files in order. ``pack`` is used where a case names neither pack nor plan.

    Errors: E.CORRUPT_CASE_FILE for an unknown key or a file that is no text, E.NOT_AN_AMOUNT for an amount with a third
    decimal, E.AMOUNT_OUT_OF_RANGE.
    """
    for path in paths:
        try:
            text = path.read_text("utf-8")
            data = json.loads(text, parse_float=Decimal) if path.suffix == ".json" else yaml.load(text, _Exact)
        except (yaml.YAMLError, ValueError) as error:
            raise refuse(
                E.CORRUPT_CASE_FILE, str(path), f"{path.name} is no YAML or JSON: {str(error).splitlines()[0]}"
            ) from error
        for entry in data if isinstance(data, list) else [data]:
            yield _case(entry, path.name, pack)


def _case(raw: Any, file: str, pack: str) -> Case:
    name = str(raw.get("case", "")) if isinstance(raw, Mapping) else ""
    where = f"{file}:{name or '?'}"
    _known(raw, CASE_KEYS, where)
    kinds = [key for key in PERIOD_KEYS if key in raw]
    if kinds:
        return _period_case(raw, kinds, file, where)
    if "pack" not in raw and "plan" not in raw and not pack:
        raise refuse(E.CORRUPT_CASE_FILE, where, f"{where} names neither pack nor plan")
    for key in ("payment", "grouping"):
        if key in raw and "plan" not in raw:
            raise refuse(E.CORRUPT_CASE_FILE, where, f"{where}: {key} needs a plan; a pack has its own")
    claims = raw.get("claims") or [raw.get("claim") or {}]
    case = Case(
        name=name, title=str(raw.get("title", "")), source=str(raw.get("source", "")),
        quality=str(raw.get("quality", "")), note=str(raw.get("note", "")), file=file,
        pack=_packs(raw.get("pack")) or ("" if "plan" in raw else pack), plan=dict(raw.get("plan") or {}),
        items=list(raw.get("items") or []), catalogue=dict(raw.get("catalogue") or {}),
        payment=dict(raw.get("payment") or {}), grouping=raw.get("grouping") or "",
        person=dict(raw.get("person") or {}),
    )  # fmt: skip
    _known(case.person, PERSON_KEYS, f"{where}.person")
    for number, entry in enumerate(claims):
        own = dict(entry)
        if number == len(claims) - 1:
            own = {"expect": raw.get("expect", {}), "never": raw.get("never", {}), **own}
        case.claims.append(_claim(own, f"{where}.claims[{number}]"))
    return case


def _period_case(raw: Mapping[str, Any], kinds: list[str], file: str, where: str) -> Case:
    """Return a case that is not about a claim."""
    others = [key for key in raw if key in ("pack", "plan", "claim", "claims", "person", *kinds[1:])]
    if others:
        raise refuse(E.CORRUPT_CASE_FILE, where, f"{where}: {kinds[0]} stands alone, without {others[0]}")
    _known(raw[kinds[0]], PERIOD_KEYS[kinds[0]], f"{where}.{kinds[0]}")
    expected = ClaimCase(
        {}, _outcomes(raw.get("expect"), f"{where}.expect"), _outcomes(raw.get("never"), f"{where}.never")
    )
    texts = {key: str(raw.get(key, "")) for key in ("title", "source", "quality", "note")}
    return Case(
        name=str(raw.get("case", "")), **texts, file=file, pack="", plan={}, items=[], catalogue={}, payment={},
        grouping="", person={}, claims=[expected], kind_of_period=kinds[0], period=dict(raw[kinds[0]]),
    )  # fmt: skip


def _packs(raw: Any) -> str:
    """Return the packs of a case, one a line."""
    return "\n".join(map(str, raw)) if isinstance(raw, list) else str(raw or "")


def _claim(raw: dict[str, Any], where: str) -> ClaimCase:
    _known(raw, CLAIM_KEYS, where)
    if "reverse" in raw:
        _known(raw, REVERSAL_KEYS, f"{where}, which reverses,")
    values = {key: value for key, value in raw.items() if key not in ("expect", "never")}
    for key, allowed in (("amounts", AMOUNT_KEYS), ("account", ACCOUNT_KEYS)):
        if key in values:
            _known(values[key], allowed, f"{where}.{key}")
            values[key] = {name: fen(value, f"{where}.{key}.{name}") for name, value in values[key].items()}
    for key in ("chain_deductible", "hospital_borne", "other_payers"):
        if key in values:
            values[key] = fen(values[key], f"{where}.{key}")
    for number, line in enumerate(values.get("lines", [])):
        _known(line, LINE_KEYS, f"{where}.lines[{number}]")
    return ClaimCase(
        values, _outcomes(raw.get("expect"), f"{where}.expect"), _outcomes(raw.get("never"), f"{where}.never")
    )


def _outcomes(raw: Any, where: str) -> dict[str, int | str]:
    _known(raw or {}, OUTCOMES, where)
    return {name: _outcome(name, value, f"{where}.{name}") for name, value in (raw or {}).items()}


def _outcome(name: str, value: Any, where: str) -> int | str:
    """Return an outcome as it is compared: fen, points in 1e-8, or a word that exists."""
    if name in WORDS:
        words = WORDS[name]
        if words is not None and str(value) not in words:
            raise refuse(E.CORRUPT_CASE_FILE, where, f"{where}: unknown word {value!r}{_hint(value, words)}")
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    decimals = {"points": POINT_DECIMALS, "growth_percent": PERCENT_DECIMALS}
    if name not in decimals:
        return fen(value, where)
    try:
        return decimal_to_scaled(str(value), decimals[name])
    except MoneyError as error:
        raise refuse(E.CORRUPT_CASE_FILE, where, f"{where}: {error}") from error


def _known(raw: Any, allowed: tuple[str, ...], where: str) -> None:
    if not isinstance(raw, Mapping):
        raise refuse(E.CORRUPT_CASE_FILE, where, f"{where} is not a mapping")
    for key in raw:
        if key not in allowed:
            raise refuse(E.CORRUPT_CASE_FILE, where, f"{where}: unknown key {key!r}{_hint(key, allowed)}")


def _hint(word: Any, allowed: Iterable[str]) -> str:
    """Return a question for the nearest of the words that are allowed, "" where none is near."""
    close = difflib.get_close_matches(str(word), list(allowed), 1)
    return f"; did you mean {close[0]}" if close else ""


def fen(value: Any, where: str) -> int:
    """Return an amount in yuan as fen. Errors: E.NOT_AN_AMOUNT, E.AMOUNT_OUT_OF_RANGE."""
    try:
        amount_fen = yuan_to_fen(str(value))
    except MoneyError as error:
        raise refuse(E.NOT_AN_AMOUNT, where, str(value)[:32]) from error
    if abs(amount_fen) > MAX_AMOUNT_FEN:
        raise refuse(E.AMOUNT_OUT_OF_RANGE, where, str(MAX_AMOUNT_FEN))
    return amount_fen
