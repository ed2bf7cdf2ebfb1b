"""Checks the content of a grouping scheme: what no single row can show.

Faults stop a scheme from being loaded. Notes are worth a look but harmless: published tables have some.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from adjudicator.grouping.scheme.model import Condition, Drg, Limits, Mdc, Rule, SchemeModel
from adjudicator.rulefile.faults import Faults

CODE = re.compile(r"[^\s|,;\"]{1,64}")
"""A code may hold letters, digits, ``.``, ``x``, ``+`` and ``*``; blanks, bars and commas would break code lists."""
CONTRADICTIONS = (
    {"main_valid", "main_not_valid"},
    {"main_valid", "none_valid"},
    {"any_valid", "none_valid"},
)
SEVERITY_LEVELS = {"any": {0, 1, 2, 3}, "mcc": {2, 3}, "mcc_or_cc": {1, 2, 3}, "cc": {1, 3}}
"""Severities of records (1 CC, 2 MCC, 3 both) that a DRG admits."""


def check_model(model: SchemeModel, faults: Faults, notes: Faults) -> None:
    """Add every fault and every note on ``model``."""
    oddities = notes if model.options.as_published else faults
    _check_code_texts(model, faults)
    _check_severity(model, faults, oddities)
    _check_groups(model, faults)
    for mdc in model.mdcs:
        _check_mdc(mdc, faults, oddities)
        for position, rule in enumerate(mdc.rules):
            place = f"line {rule.line}"
            _check_condition("adrg.csv", place, rule.adrg, rule.condition, faults)
            _check_reach(model, mdc, position, oddities, notes)
            _check_last_drg(model, rule, oddities)
            _check_drg_order(rule, oddities)
            for drg in rule.drgs:
                _check_condition("drg.csv", f"line {drg.line}", drg.drg, drg.condition, faults)


def admits_all(drg: Drg) -> bool:
    """Whether every record of the ADRG may take this DRG."""
    condition = drg.condition
    bare = condition.diagnosis == "-" and not condition.procedure and condition.limits == Limits()
    return drg.severity == "any" and bare


def _check_code_texts(model: SchemeModel, faults: Faults) -> None:
    lists: list[tuple[str, Iterable[str]]] = [("mdc_principal_diagnosis.csv", mdc.codes) for mdc in model.mdcs]
    lists += [("valid_procedure.csv", model.valid_procedures), ("mcc.csv", model.mcc), ("cc.csv", model.cc)]
    for rule in model.rules:
        conditions = [rule.condition, *(drg.condition for drg in rule.drgs)]
        for condition in conditions:
            lists += [("adrg_code.csv", codes) for system in condition.codes.values() for codes in system.values()]
    seen = set()
    for file, codes in lists:
        for code in codes:
            if not CODE.fullmatch(code) and (file, code) not in seen:
                seen.add((file, code))
                faults.add(file, repr(code), "is no code", "no blanks, bars, commas; at most 64 characters")


def _check_severity(model: SchemeModel, faults: Faults, oddities: Faults) -> None:
    for code in sorted(model.mcc.keys() & model.cc.keys()):
        found = oddities if model.mcc[code] == model.cc[code] else faults
        found.add("cc.csv", code, "is in mcc.csv too", "leave it in one of them")
    asked = {drg.severity for rule in model.rules for drg in rule.drgs}
    if "mcc" in asked and not model.mcc:
        faults.add("mcc.csv", "file", "is empty, but some DRG asks for an MCC")
    if asked & {"cc", "mcc_or_cc"} and not (model.cc or model.mcc):
        faults.add("cc.csv", "file", "is empty, but some DRG asks for a CC")


def _check_groups(model: SchemeModel, faults: Faults) -> None:
    mdc_of: dict[str, str] = {}
    adrg_of: dict[str, str] = {}
    for rule in model.rules:
        if mdc_of.setdefault(rule.adrg, rule.mdc) != rule.mdc:
            faults.add("adrg.csv", f"line {rule.line}", f"{rule.adrg} is in MDC {mdc_of[rule.adrg]} too")
        for drg in rule.drgs:
            if adrg_of.setdefault(drg.drg, drg.adrg) != drg.adrg:
                faults.add("drg.csv", f"line {drg.line}", f"{drg.drg} is a DRG of {adrg_of[drg.drg]} too")


def _check_mdc(mdc: Mdc, faults: Faults, oddities: Faults) -> None:
    place = f"line {mdc.line}"
    if not mdc.rules:
        faults.add("mdc.csv", place, f"MDC {mdc.mdc} has no ADRG", "add its rules to adrg.csv or leave the MDC out")
    needs_list = mdc.gate not in ("always", "main_procedure_valid")
    if needs_list and not mdc.codes:
        faults.add(
            "mdc.csv", place, f"MDC {mdc.mdc} opens by diagnosis and has none", "fill mdc_principal_diagnosis.csv"
        )
    if not needs_list and mdc.codes:
        faults.add("mdc.csv", place, f"MDC {mdc.mdc} does not read its diagnoses", f"its gate is {mdc.gate}")
    if mdc.gate.endswith("regions") and len(set(mdc.codes.values())) > 32:
        faults.add("mdc.csv", place, f"MDC {mdc.mdc} has more than 32 regions")
    if mdc.ambiguity and not any(rule.section == "surgical" for rule in mdc.rules):
        oddities.add("mdc.csv", place, f"MDC {mdc.mdc} has an ambiguous group but no surgical ADRG", "clear ambiguity")


def _check_condition(file: str, place: str, name: str, condition: Condition, faults: Faults) -> None:
    code_file = file.replace(".csv", "_code.csv")
    for system, numbers in condition.list_numbers.items():
        present = set(condition.codes[system])
        for number in sorted(numbers - present):
            faults.add(
                file, place, f"{name} reads {system} list {number}, which has no codes", f"add it to {code_file}"
            )
        for number in sorted(present - numbers):
            faults.add(file, place, f"{name} does not read its {system} list {number}", f"take it out of {code_file}")
    for pair in CONTRADICTIONS:
        if pair <= condition.procedure:
            faults.add(file, place, f"{name}: {' and '.join(sorted(pair))} exclude each other")


def _check_last_drg(model: SchemeModel, rule: Rule, oddities: Faults) -> None:
    if not rule.drgs:
        oddities.add("adrg.csv", f"line {rule.line}", f"{rule.adrg} has no DRG", "add it to drg.csv")
    elif not admits_all(rule.drgs[-1]) and not rule.no_drg and not model.options.no_drg_fits:
        remedy = "add a DRG without condition, or set no_drg (adrg.csv) or no_drg_fits (scheme.toml)"
        oddities.add(
            "drg.csv", f"line {rule.drgs[-1].line}", f"{rule.adrg} has no last DRG that takes the rest", remedy
        )


def _check_drg_order(rule: Rule, oddities: Faults) -> None:
    """Note each DRG that an earlier one of its ADRG always takes first."""
    taken: set[int] = set()
    for drg in rule.drgs:
        if SEVERITY_LEVELS[drg.severity] <= taken:
            message = f"{drg.drg} is never reached: an earlier DRG of {rule.adrg} takes all of its records"
            oddities.add("drg.csv", f"line {drg.line}", message, "put it first or leave it out")
        bare = drg.condition.diagnosis == "-" and not drg.condition.procedure and drg.condition.limits == Limits()
        taken |= SEVERITY_LEVELS[drg.severity] if bare else set()


def _check_reach(model: SchemeModel, mdc: Mdc, position: int, oddities: Faults, notes: Faults) -> None:
    """Note ADRG rules that no record can reach, and codes of their lists that none can."""
    rule = mdc.rules[position]
    place = f"line {rule.line}"
    condition = rule.condition
    if condition.diagnosis == "principal" and mdc.gate.startswith("principal"):
        outside = condition.codes["D"].get(1, set()) - mdc.codes.keys()
        if outside and outside == condition.codes["D"].get(1):
            message = f"{rule.adrg} is never reached: no diagnosis of its list opens MDC {mdc.mdc}"
            oddities.add("adrg.csv", place, message, "add them to mdc_principal_diagnosis.csv")
        elif outside:
            notes.add("adrg_code.csv", rule.adrg, f"{_some(outside)} cannot occur: not in the list of MDC {mdc.mdc}")
    for earlier in mdc.rules[:position]:
        if _always_first(model, mdc, earlier, rule):
            message = f"{rule.adrg} is never reached: {earlier.adrg} (line {earlier.line}) takes all of its records"
            oddities.add("adrg.csv", place, message, "put it first or leave it out")
            return


def _always_first(model: SchemeModel, mdc: Mdc, earlier: Rule, later: Rule) -> bool:
    """Whether ``earlier`` surely fits where ``later`` does, and then has a DRG."""
    one, two = earlier.condition, later.condition
    decides = not earlier.next_adrg_without_drg or any(admits_all(drg) for drg in earlier.drgs)
    if not decides or one.limits not in (Limits(), two.limits):
        return False
    diagnoses = two.codes["D"].get(1, set()) & mdc.codes.keys()
    by_diagnosis = one.diagnosis == "-" or (
        (one.diagnosis == two.diagnosis == "principal" or (one.diagnosis, two.diagnosis) == ("any", "principal"))
        and diagnoses <= one.codes["D"].get(1, set())
    )
    mains = two.codes["P"].get(1, set()) if "main" in two.procedure else None
    by_procedure = (
        not one.procedure
        or (one.procedure == {"main"} and mains is not None and mains <= one.codes["P"].get(1, set()))
        or (one.procedure == {"main_valid"} and mains is not None and mains <= model.valid_procedures)
        or (one.procedure == two.procedure and "combo" not in one.procedure and one.codes["P"] == two.codes["P"])
    )
    return by_diagnosis and by_procedure


def _some(codes: Iterable[str]) -> str:
    """Return a few codes of many.

    >>> _some(["b", "a", "d", "c"])
    'a, b, c and 1 more'
    """
    ordered = sorted(codes)
    more = f" and {len(ordered) - 3} more" if len(ordered) > 3 else ""
    return ", ".join(ordered[:3]) + more
