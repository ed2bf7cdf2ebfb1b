"""Settles the cases of ``cases.file`` with the engine's kernels, claim by claim over the person's year."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator import codes, columns
from adjudicator.benefit import settle as benefit
from adjudicator.benefit.explain import Step
from adjudicator.benefit.explain import explain as steps
from adjudicator.cases.file import Case, ClaimCase, fen
from adjudicator.catalogue import lines
from adjudicator.catalogue import section as catalogue
from adjudicator.claim.state import quota_key
from adjudicator.claim.years import period_of
from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.money import decimal_to_scaled
from adjudicator.rulefile.faults import Faults
from adjudicator.rules.bundle import Bundle, load_bundle
from adjudicator.rules.inline import inline_bundle

DEFAULT_DATE = 20240601
_SCHEMES = {scheme.name.lower(): scheme for scheme in codes.Scheme if scheme}
_DEFAULT_TYPES = {codes.Scheme.EMPLOYEE: "11", codes.Scheme.RESIDENT: "15"}


@dataclasses.dataclass(slots=True)
class Settled:
    """One claim of a case as the engine settled it; the record arrays have one row."""

    case: Case
    number: int
    claim: np.ndarray
    lines: np.ndarray
    line_splits: np.ndarray
    split: np.ndarray
    benefit: np.ndarray
    slots_before: np.ndarray
    slots_after: np.ndarray
    quota_before_fen: int
    bundle: Bundle

    @property
    def problem(self) -> Problem | None:
        """Why the claim was refused, if it was."""
        number = int(self.claim["error"][0])
        return Problem(number, self.case.name) if number else None

    def amounts(self) -> dict[str, int | str]:
        """Every outcome that a case may expect, in fen."""
        split, paid = self.split[0], self.benefit[0]
        own = int(paid["account_current_fen"] + paid["account_past_fen"])
        result: dict[str, int | str] = {
            "total": int(self.claim["total_fen"][0]),
            "wholly_self_paid": int(split["wholly_self_paid_fen"]),
            "over_ceiling": int(split["over_ceiling_fen"]),
            "assistance_total": int(paid["assistance_fen"] + paid["tilt_fen"]),
            "account": own,
            "family_account": int(paid["account_family_fen"]),
            "pooled_fund": int(paid["pooled_fen"]),
            "other_fund": int(paid["other_fen"]),
            "error": E(int(self.claim["error"][0])).name,
        }
        for name in (
            "first_pay", "in_scope", "deductible_standard", "deductible", "large_sum", "catastrophic", "civil_servant",
            "enterprise", "assistance", "tilt", "hospital_borne", "fund_total", "personal_total", "account_current",
            "account_past", "cash",
        ):  # fmt: skip
            result[name] = int(paid[f"{name}_fen"])
        return result

    @property
    def expected(self) -> ClaimCase:
        """The claim of the case with what it expects."""
        return self.case.claims[self.number]

    def differences(self) -> list[tuple[str, int | str, int | str]]:
        """(outcome, expected, got) of all that is not as the case says; a ``never`` that came out counts too."""
        got = self.amounts()
        wrong = [(name, value, got[name]) for name, value in self.expected.expect.items() if got[name] != value]
        if "error" not in self.expected.expect and got["error"] != "NONE":
            wrong.append(("error", "NONE", got["error"]))
        wrong += [
            (f"never {name}", value, got[name]) for name, value in self.expected.never.items() if got[name] == value
        ]
        return wrong


def run_case(case: Case) -> list[Settled]:
    """Settles the claims of a case in order. Errors: AdjudicatorError or PackError where the case cannot be set up."""
    bundle = _pack_bundle(case.pack) if case.pack else _inline(case)
    slots = np.zeros((1, columns.ACCUMULATOR_COUNT), np.int64)
    quotas: dict[int, int] = {}
    years: dict[int, np.ndarray] = {}
    settled = []
    for number, expected in enumerate(case.claims):
        claim, line_rows, line_splits, split = _columns(bundle, case, expected.values)
        benefit.decide_dates(bundle, claim)
        year = int(claim["benefit_year"][0])
        slots = years.setdefault(year, np.zeros((1, columns.ACCUMULATOR_COUNT), np.int64))
        _year_to_date(slots, expected.values.get("year_to_date", {}), case)
        before = slots.copy()
        quota = _quota(bundle, claim, quotas, expected.values)
        quota_before = int(quota["used_fen"][0])
        out = np.zeros(1, columns.BENEFIT)
        benefit.settle(bundle, claim, split, slots, quota, out, np.ascontiguousarray(line_splits["in_scope_fen"]))
        if claim["error"][0] == 0:
            claim["error"] = out["error"]
        if quota["key"][0]:
            quotas[int(quota["key"][0])] = int(quota["used_fen"][0])
        settled.append(
            Settled(case, number, claim, line_rows, line_splits, split, out, before, slots.copy(), quota_before, bundle)
        )
    return settled


def explain(settled: Settled) -> tuple[Step, ...]:
    """Every step of one settled claim, with its clause."""
    in_scope = np.ascontiguousarray(settled.line_splits["in_scope_fen"])
    return steps(
        settled.bundle, settled.claim, settled.split, settled.slots_before[0], settled.quota_before_fen, in_scope
    )


@lru_cache(maxsize=16)
def _pack_bundle(name: str) -> Bundle:
    """The bundle of a case's packs, one a line; the first is that of the place of insurance."""
    return load_bundle(name.splitlines())


def _inline(case: Case) -> Bundle:
    """The bundle of a case's own plan, with its own catalogue where it lists items."""
    bundle = inline_bundle(case.plan)
    if not case.items:
        return bundle
    with tempfile.TemporaryDirectory() as folder:
        _write_catalogue(Path(folder), case)
        faults = Faults()
        source = catalogue.load_folders([(Path(folder), "items")], catalogue.view_of(bundle.packs[0]), faults)
        faults.raise_if_any(f"the items of {case.name}")
        return dataclasses.replace(bundle, catalogue=catalogue.compile_sections([source]))


def _write_catalogue(folder: Path, case: Case) -> None:
    """The items of a case as the tables of a catalogue folder."""
    area, since = "990000", "1990-01-01"
    tables: dict[str, list[dict[str, Any]]] = {"item.csv": [], "class.csv": [], "ceiling.csv": [], "ratio.csv": []}
    for item in case.items:
        code = item["code"]
        base = {"code": code, "area": area, "from": str(item.get("from", since)), "to": str(item.get("to", ""))}
        flags = " ".join(item.get("flags", []))
        tables["item.csv"].append(
            {"code": code, "name": item.get("name", code), "list_type": str(item.get("list_type", "201")),
             "charge_category": str(item.get("charge_category", "14")), "flags": flags}
        )  # fmt: skip
        tables["class.csv"].append(
            base | {"class": item["class"], "restricted_use": str(item.get("restricted", False)).lower()}
        )
        if "ceiling" in item:
            handling = item.get("handling", "excess_to_patient")
            tables["ceiling.csv"].append(
                base | {"level_group": "*", "ceiling_yuan": item["ceiling"], "handling": handling}
            )
        if "first_pay_percent" in item:
            ratio = decimal_to_scaled(str(item["first_pay_percent"]), 4)
            row = {"person_class": "*", "ratio_class": "*", "ratio": f"{ratio // 10**6}.{ratio % 10**6:06d}"}
            tables["ratio.csv"].append(base | row)
    source = f'document = "case"\nchecked_on = {since}\nverified = true\n'
    header = [f'[files."{name}"]\n{source}' for name in tables]
    options = [
        f'[[options.{name}]]\nfrom = {since}\nvalue = "{value}"\n{source}' for name, value in case.catalogue.items()
    ]
    (folder / "catalogue.toml").write_text("\n".join(header + options), "utf-8")
    for name, rows in tables.items():
        with (folder / name).open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(catalogue.COLUMNS[name]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


def _columns(bundle: Bundle, case: Case, values: Mapping[str, Any]) -> tuple[np.ndarray, ...]:
    """CLAIM[1], LINE[m], LINE_SPLIT[m] and SPLIT[1] of one claim."""
    claim = np.zeros(1, columns.CLAIM)
    row = claim[0]
    _person(bundle, case, row, values)
    _stay(bundle, case, row, values)
    split = np.zeros(1, columns.SPLIT)
    if "lines" in values:
        rows = _lines(bundle, case, row, values["lines"])
        line_splits = np.zeros(rows.shape[0], columns.LINE_SPLIT)
        row["total_fen"] = rows["amount_fen"].sum()
        lines.split_lines(bundle, claim, rows, line_splits, split)
        return claim, rows, line_splits, split
    _amounts(case, row, split[0], values.get("amounts", {}))
    return claim, np.zeros(0, columns.LINE), np.zeros(0, columns.LINE_SPLIT), split


def _person(bundle: Bundle, case: Case, row: np.void, values: Mapping[str, Any]) -> None:
    pack, person = bundle.packs[0], case.person
    scheme = _SCHEMES[_word(person.get("scheme", case.plan.get("scheme", "employee")), _SCHEMES, case, "scheme")]
    row["scheme"] = scheme
    person_type = str(person.get("type", _DEFAULT_TYPES.get(scheme, "11")))
    row["person_type"] = codes.PERSON_TYPES.index(_word(person_type, codes.PERSON_TYPES, case, "type"))
    category = str(values.get("assistance", person.get("assistance", "")))
    row["assistance"] = pack.assistance_ids.index(_word(category, pack.assistance_ids, case, "assistance"))
    row["age_years"], row["age_days"] = int(person.get("age", 40)), -1
    row["sex"] = int(person.get("sex", 1))
    row["contribution_tier"] = int(person.get("contribution_tier", 0))
    for key, name in (
        ("civil_servant", "civil_servant"),
        ("family_doctor", "family_doctor"),
        ("suspended", "suspended"),
    ):
        row[name] = int(bool(person.get(key, False)))


def _stay(bundle: Bundle, case: Case, row: np.void, values: Mapping[str, Any]) -> None:
    pack = bundle.packs[0]
    row["quota"] = row["disease"] = row["care_county"] = row["hospital"] = -1
    row["care_kind"] = _member(values.get("care", "inpatient"), codes.CareKind, case, "care")
    row["place"] = _member(values.get("place", "local"), codes.Place, case, "place")
    row["filing"] = _member(values.get("filing", "unspecified"), codes.Filing, case, "filing")
    row["referral"] = _member(values.get("referral", "unspecified"), codes.Referral, case, "referral")
    _hospital(pack, case, row, values)
    if "care_area" in values:
        _place_of_care(bundle, case, row, values)
    day = _date(values.get("date", DEFAULT_DATE))
    row["admission_date"] = _date(values.get("admission", day))
    row["discharge_date"] = _date(values.get("discharge", day))
    row["settlement_date"] = _date(values.get("settlement", row["discharge_date"]))
    row["stay_days"] = int(values.get("stay_days", _days(int(row["admission_date"]), int(row["discharge_date"]))))
    if "disease" in values:
        known = tuple(disease.code for disease in pack.diseases)
        row["disease"] = known.index(_word(str(values["disease"]), known, case, "disease"))
    if "programme" in values:
        known = ("", *(programme.id for programme in pack.programmes))
        row["programme"] = known.index(_word(str(values["programme"]), known, case, "programme"))
    row["maternity_type"], row["fetus_count"] = int(values.get("maternity", 0)), int(values.get("fetuses", 1))
    row["mid_stay"] = int(bool(values.get("mid_stay", False)))
    row["chain_continues"] = int(bool(values.get("chain", "chain_deductible" in values)))
    row["chain_deductible_fen"] = values.get("chain_deductible", 0)
    row["at_signed_institution"] = int(bool(values.get("at_signed_institution", False)))
    account = values.get("account", {})
    row["use_account"] = int(bool(values.get("use_account", bool(account))))
    for name in ("current", "past", "family"):
        row[f"account_{name}_fen"] = account.get(name, 0)
    row["hospital_borne_fen"], row["other_payer_fen"] = values.get("hospital_borne", 0), values.get("other_payers", 0)


def _hospital(pack: Any, case: Case, row: np.void, values: Mapping[str, Any]) -> None:
    """Level groups from a hospital of the register, from a national level, or from the name of a level group."""
    if "hospital" in values:
        known = tuple(hospital.code for hospital in pack.hospitals)
        hospital = pack.hospitals[known.index(_word(str(values["hospital"]), known, case, "hospital"))]
        row["hospital"] = known.index(hospital.code)
        row["deductible_level"], row["price_level"] = hospital.deductible_level, hospital.price_level
        row["hospital_level"] = codes.HOSPITAL_LEVELS.index(hospital.hosp_lv)
        row["care_county"] = hospital.county
        return
    level = _word(str(values.get("level", pack.level_ids[0])), pack.level_ids, case, "level")
    row["deductible_level"] = row["price_level"] = pack.level_ids.index(level)


def _place_of_care(bundle: Bundle, case: Case, row: np.void, values: Mapping[str, Any]) -> None:
    """The catalogue of the place of care (10.1): a county of the pool, or an area of another pack of the case."""
    pack, area = bundle.packs[0], str(values["care_area"])
    counties = [str(county.code) for county in pack.areas]
    if area in counties:
        row["care_county"] = counties.index(area)
        return
    row["care_catalogue"] = 1 + bundle.catalogue.area_group(area)
    if row["care_catalogue"] == 0:
        raise refuse(E.CORRUPT_CASE_FILE, case.name, f"{case.name}: no pack of the case has the catalogue of {area}")
    if "place" not in values:
        same_province = area[:2] == str(pack.pool)[:2]
        row["place"] = codes.Place.PROVINCE if same_province else codes.Place.OUTSIDE


def _lines(bundle: Bundle, case: Case, row: np.void, written: list[dict[str, Any]]) -> np.ndarray:
    rows = np.zeros(len(written), columns.LINE)
    names = [str(line.get("id", number)) for number, line in enumerate(written)]
    for number, line in enumerate(written):
        quantity = decimal_to_scaled(str(line.get("quantity", 1)), 4)
        amount = fen(line["amount"], f"{case.name}.lines[{number}].amount") if "amount" in line else None
        price = (
            decimal_to_scaled(str(line["price"]), 6) if "price" in line else abs(amount or 0) * 10**8 // abs(quantity)
        )
        if amount is None:
            amount = (price * quantity + 5 * 10**7) // 10**8
        rows[number] = (bundle.catalogue.item(str(line["item"])), price, quantity, amount, 0, 0, 0, -1)
        rows["fee_date"][number] = _date(line.get("date", int(row["admission_date"])))
        rows["approval"][number] = int(line.get("approval", 0))
        rows["flags"][number] = int(quantity < 0) | bool(line.get("before_admission", False)) << 1
        if "refund_of" in line:
            rows["original"][number] = names.index(_word(str(line["refund_of"]), names, case, "refund_of"))
    row["line_start"], row["line_end"] = 0, len(rows)
    return rows


def _amounts(case: Case, row: np.void, split: np.void, amounts: Mapping[str, int]) -> None:
    for name, value in amounts.items():
        if name != "total":
            split[f"{name}_fen"] = value
    parts = sum(int(split[f"{name}_fen"]) for name in ("wholly_self_paid", "over_ceiling", "first_pay", "in_scope"))
    row["total_fen"] = amounts.get("total", parts)
    if row["total_fen"] != parts:
        raise AdjudicatorError(Problem(int(E.LINES_DO_NOT_ADD_UP), f"{case.name}.amounts"))


def _year_to_date(slots: np.ndarray, given: Mapping[str, Any], case: Case) -> None:
    """Accumulators that the case sets before the claim: amounts in yuan, counts as they are."""
    for name, value in given.items():
        slot = name if name in columns.SLOT else f"{name}_fen"
        if slot not in columns.SLOT:
            raise refuse(E.INVALID_ACCUMULATOR, case.name, str(name))
        slots[0, columns.SLOT[slot]] = fen(value, f"{case.name}.{name}") if slot.endswith("_fen") else int(value)


def _quota(bundle: Bundle, claim: np.ndarray, used: Mapping[int, int], values: Mapping[str, Any]) -> np.ndarray:
    quota = np.zeros(1, columns.QUOTA)
    if claim["disease"][0] >= 0:
        disease = bundle.packs[0].diseases[claim["disease"][0]]
        if disease.period:
            key = quota_key(disease.code, period_of(int(claim["rule_date"][0]), disease.period))
            quota["key"], quota["used_fen"] = key, used.get(key, 0)
            claim["quota"] = 0
            if "quota_used" in values:
                quota["used_fen"] = fen(values["quota_used"], "quota_used")
    return quota


def _word(word: str, known: Any, case: Case, what: str) -> str:
    if word not in known:
        choices = ", ".join(str(entry) for entry in known if entry)
        raise refuse(E.CORRUPT_CASE_FILE, case.name, f"{case.name}: {what} {word!r} is none of {choices}")
    return word


def _member(word: Any, members: Any, case: Case, what: str) -> int:
    names = {member.name.lower(): int(member) for member in members}
    return names[_word(str(word), names, case, what)]


def _date(value: Any) -> int:
    if isinstance(value, datetime.date):
        return value.year * 10_000 + value.month * 100 + value.day
    text = str(value).replace("-", "")
    try:
        datetime.datetime.strptime(text, "%Y%m%d")
    except ValueError as error:
        raise refuse(E.INVALID_DATE, str(value)) from error
    return int(text)


def _days(first: int, last: int) -> int:
    days = datetime.date(last // 10_000, last // 100 % 100, last % 100) - datetime.date(
        first // 10_000, first // 100 % 100, first % 100
    )
    return max(days.days, 1)
