"""The grouping specification once more, slow and obvious: dictionaries and sets, one record at a time.

Written from docs/grouping.md and the tables' column descriptions, straight from the CSV files.
"""

from __future__ import annotations

import csv
import gzip
import tomllib
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Record:
    """One discharge; ``None`` is unknown, weight 0 counts as unknown."""

    sex: int
    age_years: int | None
    age_days: int | None = None
    birth_weight_g: int = 0
    department: str = ""
    stay_days: int | None = None
    discharge_way: int = 0
    icu_hours: int | None = None
    diagnoses: list[str] = field(default_factory=list)
    procedures: list[str] = field(default_factory=list)


def read(folder: Path, name: str) -> list[dict[str, str]]:
    """Rows of one table, none where it is missing."""
    for path, opener in ((folder / f"{name}.csv", open), (folder / f"{name}.csv.gz", gzip.open)):
        if path.is_file():
            with opener(path, "rt", encoding="utf-8") as file:
                return list(csv.DictReader(file))
    return []


class NaiveGrouper:
    """Groups records by the tables of one folder."""

    def __init__(self, folder: Path):
        toml = folder / "scheme.toml"
        self.options = tomllib.loads(toml.read_text("utf-8")) if toml.is_file() else {}
        self.mdcs = sorted(read(folder, "mdc"), key=lambda row: int(row["order"]))
        self.principal: dict[str, dict[str, str]] = {}
        for row in read(folder, "mdc_principal_diagnosis"):
            self.principal.setdefault(row["mdc"], {})[row["code"]] = row.get("region") or ""
        self.gate_procedures: dict[str, set[str]] = {}
        for row in read(folder, "mdc_procedure"):
            self.gate_procedures.setdefault(row["mdc"], set()).add(row["code"])
        self.adrgs: dict[str, list[dict[str, str]]] = {}
        for row in sorted(read(folder, "adrg"), key=lambda row: int(row["order"])):
            self.adrgs.setdefault(row["mdc"], []).append(row)
        self.adrg_codes: dict[tuple[str, str], dict[str, set[str]]] = {}
        for row in read(folder, "adrg_code"):
            lists = self.adrg_codes.setdefault((row["adrg"], row.get("rule") or ""), {})
            lists.setdefault(row["system"] + row["list"], set()).add(row["code"])
        self.drgs: dict[str, list[dict[str, str]]] = {}
        for row in sorted(read(folder, "drg"), key=lambda row: int(row["order"])):
            self.drgs.setdefault(row["adrg"], []).append(row)
        self.drg_codes: dict[str, dict[str, set[str]]] = {}
        for row in read(folder, "drg_code"):
            self.drg_codes.setdefault(row["drg"], {}).setdefault(row["system"] + row["list"], set()).add(row["code"])
        self.valid = {row["code"] for row in read(folder, "valid_procedure")}
        self.mcc = {row["code"]: row["exclusion_table"] for row in read(folder, "mcc")}
        self.cc = {row["code"]: row["exclusion_table"] for row in read(folder, "cc")}
        self.exclusion = {row["principal_code"]: row["exclusion_table"] for row in read(folder, "exclusion")}

    def group(self, record: Record) -> tuple[str, str, str, str]:
        """Status, MDC, ADRG, DRG."""
        nothing = ("0000", "00", "0000")
        if not self._is_valid(record):
            return "invalid", *nothing
        result = self._group(record)
        if result is None and self.options.get("retry_other_procedures"):
            for procedure in record.procedures[1:]:
                alone = Record(**{**record.__dict__, "procedures": [procedure]})
                result = result or self._group(alone)
        return ("ungrouped", *nothing) if result is None else result

    @staticmethod
    def _is_valid(record: Record) -> bool:
        if record.sex not in (1, 2) or record.age_years is None or not record.diagnoses:
            return False
        if record.age_years == 0:
            if record.age_days is None:
                return False
            if record.age_days <= 28 and not record.birth_weight_g:
                return False
        return True

    def _group(self, record: Record) -> tuple[str, str, str, str] | None:
        for mdc in self.mdcs:
            if self._gate_opens(mdc, record):
                result = self._group_in(mdc, record)
                if result is not None:
                    return result
        return None

    def _gate_opens(self, mdc: dict[str, str], record: Record) -> bool:
        letter, gate = mdc["mdc"], mdc["gate"]
        codes = self.principal.get(letter, {})
        if mdc.get("sex") and int(mdc["sex"]) != record.sex:
            return False
        if mdc.get("age_years_max") and record.age_years > int(mdc["age_years_max"]):
            return False
        if gate == "always":
            return True
        if gate == "main_procedure_valid":
            main = record.procedures[0] if record.procedures else None
            return main in self.valid or main in self.gate_procedures.get(letter, set())
        if gate.startswith("principal"):
            opens = record.diagnoses[0] in codes
        else:
            opens = any(code in codes for code in record.diagnoses)
        if opens and gate.endswith("regions"):
            touched = {codes[code] for code in record.diagnoses if code in codes}
            opens = len(touched) >= int(mdc["min_regions"])
        return opens

    def _group_in(self, mdc: dict[str, str], record: Record) -> tuple[str, str, str, str] | None:
        rules = self.adrgs.get(mdc["mdc"], [])
        for section in ("surgical", "medical"):
            if section == "medical" and self._is_ambiguous(mdc, record):
                return "ambiguous", f"MDC{mdc['mdc']}", "QY", f"{mdc['mdc']}QY"
            for rule in rules:
                if rule["section"] == section:
                    lists = self.adrg_codes.get((rule["adrg"], rule.get("rule") or ""), {})
                    if self._fits(rule, lists, record):
                        drg = self._drg(rule, record)
                        if drg is not None:
                            return "grouped", f"MDC{mdc['mdc']}", rule["adrg"], drg
        return None

    def _is_ambiguous(self, mdc: dict[str, str], record: Record) -> bool:
        kind = mdc.get("ambiguity") or ""
        if kind == "main_valid":
            return bool(record.procedures) and record.procedures[0] in self.valid
        return kind == "any_valid" and any(code in self.valid for code in record.procedures)

    def _drg(self, rule: dict[str, str], record: Record) -> str | None:
        for drg in self.drgs.get(rule["adrg"], []):
            if (drg.get("rule") or "") not in ("", rule.get("rule") or ""):
                continue
            if self._severity_fits(drg["severity"], record) and self._fits(
                drg, self.drg_codes.get(drg["drg"], {}), record
            ):
                return drg["drg"]
        without = rule.get("no_drg") or self.options.get("no_drg_fits") or "bare_adrg"
        return rule["adrg"] if without == "bare_adrg" else None

    def _severity_fits(self, severity: str, record: Record) -> bool:
        table = self.exclusion.get(record.diagnoses[0])
        has_mcc = any(c in self.mcc and (table is None or self.mcc[c] != table) for c in record.diagnoses[1:])
        has_cc = any(c in self.cc and (table is None or self.cc[c] != table) for c in record.diagnoses[1:])
        return {"any": True, "mcc": has_mcc, "mcc_or_cc": has_mcc or has_cc, "cc": has_cc}[severity]

    def _fits(self, row: dict[str, str], lists: dict[str, set[str]], record: Record) -> bool:
        return (
            self._diagnosis_fits(row.get("diagnosis_match") or "-", lists.get("D1", set()), record)
            and all(
                self._procedure_fits(atom, row.get("combination") or "", lists, record)
                for atom in (row.get("procedure_match") or "-").split("&")
            )
            and self._limits_fit(row, record)
        )

    @staticmethod
    def _diagnosis_fits(match: str, codes: set[str], record: Record) -> bool:
        principal, *secondary = record.diagnoses
        if match == "principal":
            return principal in codes
        if match == "not_principal":
            return principal not in codes
        if match == "any":
            return principal in codes or bool(codes & set(secondary))
        if match == "secondary":
            return bool(codes & set(secondary))
        assert match == "-"
        return True

    def _procedure_fits(self, atom: str, combination: str, lists: dict[str, set[str]], record: Record) -> bool:
        main = record.procedures[0] if record.procedures else None
        codes = lists.get("P1", set())
        if atom == "main":
            return main in codes
        if atom == "any":
            return bool(codes & set(record.procedures))
        if atom == "other":
            return bool(codes & set(record.procedures[1:]))
        if atom == "main_valid":
            return main in self.valid
        if atom == "main_not_valid":
            return main not in self.valid
        if atom == "any_valid":
            return bool(self.valid & set(record.procedures))
        if atom == "none_valid":
            return not self.valid & set(record.procedures)
        if atom == "combo":
            touched = {name for name, listed in lists.items() if name[0] == "P" and listed & set(record.procedures)}
            return any(
                all(f"P{number}" in touched for number in conjunction.split("&"))
                for conjunction in combination.split("|")
            )
        assert atom == "-"
        return True

    @staticmethod
    def _limits_fit(row: dict[str, str], record: Record) -> bool:
        limits = (
            ("age_years_min", "age_years_max", record.age_years),
            ("age_days_min", "age_days_max", record.age_days),
            ("weight_min_g", None, record.birth_weight_g or None),
            ("stay_days_min", "stay_days_max", record.stay_days),
            ("icu_hours_min", "icu_hours_max", record.icu_hours),
        )
        for low, high, value in limits:
            if row.get(low) and (value is None or value < int(row[low])):
                return False
            if high and row.get(high) and (value is None or value > int(row[high])):
                return False
        below = row.get("weight_below_g")
        if below and (not record.birth_weight_g or record.birth_weight_g >= int(below)):
            return False
        if row.get("sex") and record.sex != int(row["sex"]):
            return False
        if row.get("discharge_way") and str(record.discharge_way) not in row["discharge_way"].split("|"):
            return False
        return not row.get("department") or record.department in row["department"].split("|")
