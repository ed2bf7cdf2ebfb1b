"""The typed content of a grouping scheme: categories, rules and groups, parsed from the rows of ``scheme_tables``.

Words: an MDC (主要诊断大类) opens by its gate; inside it rules are tried in order; a rule belongs to an ADRG
(核心病组), and one ADRG may have several rules (alternatives); the ADRG's DRGs are tried in order.
Source: docs/law.md, section "Grouping".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from adjudicator.grouping.scheme.tables import SchemeOptions, SchemeTables
from adjudicator.rulefile.faults import Faults

GATES = (
    "principal",
    "main_procedure_valid",
    "principal_and_regions",
    "any_diagnosis",
    "any_diagnosis_and_regions",
    "always",
)
"""When an MDC opens. ``any_diagnosis``: some diagnosis is in its list (MDC Y of eleven variants)."""
AMBIGUITY = ("", "main_valid", "any_valid")
"""After the surgical section: a valid main (any) procedure that fits no surgical ADRG makes the record ambiguous."""
SECTIONS = ("surgical", "medical")
DIAGNOSIS_MATCHES = ("-", "principal", "any", "secondary", "not_principal")
PROCEDURE_ATOMS = ("main", "any", "other", "main_valid", "any_valid", "none_valid", "main_not_valid", "combo")
"""May be joined by ``&``: ``main&other``. Lists: main, any and other read list 1, combo the lists of its formula."""
SEVERITIES = ("any", "mcc", "mcc_or_cc", "cc")
MAX_LISTS = 31
MAX_MDCS = 60
LOWEST, HIGHEST = -(2**31), 2**31 - 1


class Interval(NamedTuple):
    """Whole numbers from ``low`` to ``high``, both included; unbounded by default."""

    low: int = LOWEST
    high: int = HIGHEST

    @property
    def bounded(self) -> bool:
        """Whether it says anything; then a missing number does not satisfy it."""
        return self != Interval()


UNBOUNDED = Interval()


@dataclass(frozen=True)
class Limits:
    """Conditions on the person and the stay."""

    sex: int = 0
    age_years: Interval = UNBOUNDED
    age_days: Interval = UNBOUNDED
    weight_g: Interval = UNBOUNDED
    stay_days: Interval = UNBOUNDED
    icu_hours: Interval = UNBOUNDED
    discharge_ways: frozenset[int] = frozenset()
    departments: frozenset[str] = frozenset()


@dataclass
class Condition:
    """What a rule or a DRG asks of a record. ``codes[system][list]`` holds the codes of system ``D`` or ``P``."""

    diagnosis: str = "-"
    procedure: frozenset[str] = frozenset()
    formula: tuple[frozenset[int], ...] = ()
    limits: Limits = field(default_factory=Limits)
    codes: dict[str, dict[int, set[str]]] = field(default_factory=lambda: {"D": {}, "P": {}})

    @property
    def list_numbers(self) -> dict[str, set[int]]:
        """The lists that the condition reads, by system."""
        procedure = {1} if self.procedure & {"main", "any", "other"} else set()
        for conjunction in self.formula:
            procedure |= conjunction
        return {"D": {1} if self.diagnosis != "-" else set(), "P": procedure}


@dataclass
class Drg:
    """One row of ``drg.csv``; ``rule`` empty: of every rule of the ADRG."""

    adrg: str
    drg: str
    rule: str
    severity: str
    condition: Condition
    name: str
    line: int


@dataclass
class Rule:
    """One row of ``adrg.csv``."""

    mdc: str
    adrg: str
    rule: str
    section: str
    condition: Condition
    no_drg: str  # what to do when no DRG fits: bare_adrg or next_adrg; empty: as the scheme says
    next_adrg_without_drg: bool
    name: str
    line: int
    drgs: list[Drg] = field(default_factory=list)


@dataclass
class Mdc:
    """One row of ``mdc.csv`` with its lists. ``codes`` maps a diagnosis to its body region (empty: none)."""

    mdc: str
    gate: str
    sex: int
    age_years_max: int
    min_regions: int
    ambiguity: str
    name: str
    line: int
    codes: dict[str, str] = field(default_factory=dict)
    procedures: set[str] = field(default_factory=set)
    rules: list[Rule] = field(default_factory=list)


@dataclass
class SchemeModel:
    """The whole scheme."""

    options: SchemeOptions
    mdcs: list[Mdc]
    valid_procedures: set[str]
    mcc: dict[str, str]
    cc: dict[str, str]
    exclusion: dict[str, str]
    code_map: dict[str, dict[str, str]]
    names: dict[str, dict[str, str]]

    @property
    def rules(self) -> list[Rule]:
        """All rules in the order of evaluation."""
        return [rule for mdc in self.mdcs for rule in mdc.rules]


class _Row:
    """One row with its place, so that a bad value becomes a fault."""

    def __init__(self, table: str, line: int, values: dict[str, str], faults: Faults):
        self.file, self.line, self.values, self.faults = f"{table}.csv", line, values, faults

    def fault(self, column: str, message: str, remedy: str = "") -> None:
        self.faults.add(self.file, f"line {self.line}", f"{column}: {message}", remedy)

    def text(self, column: str) -> str:
        return self.values.get(column, "")

    def needed(self, column: str) -> str:
        value = self.text(column)
        if not value:
            self.fault(column, "is empty")
        return value

    def choice(self, column: str, allowed: tuple[str, ...], default: str) -> str:
        value = self.text(column) or default
        if value not in allowed:
            self.fault(column, f"unknown value {value!r}", f"write {', '.join(filter(None, allowed))}")
            return default
        return value

    def number(self, column: str, default: int, low: int = 0, high: int = 1_000_000) -> int:
        value = self.text(column)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            self.fault(column, f"{value!r} is no whole number")
            return default
        if not low <= number <= high:
            self.fault(column, f"{number} is out of range", f"write {low} to {high}")
            return default
        return number

    def interval(self, low_column: str, high_column: str, exclusive: bool = False) -> Interval:
        low, high = self.number(low_column, LOWEST), self.number(high_column, HIGHEST)
        if exclusive and high != HIGHEST:
            high -= 1
        if low > high:
            self.fault(low_column, f"no number satisfies {low_column} and {high_column}")
        return Interval(low, high)

    def sex(self) -> int:
        return self.number("sex", 0, 1, 2)


def build_model(tables: SchemeTables, faults: Faults) -> SchemeModel:
    """Typed content of ``tables``; values that cannot be read are faults and take their default."""
    mdcs = _mdcs(tables, faults)
    rules = _rules(tables, mdcs, faults)
    _rule_codes(tables, rules, faults)
    _drgs(tables, rules, faults)
    known: dict[str, dict[str, str]] = {"mcc": {}, "cc": {}, "exclusion": {}}
    for table, column in (("mcc", "code"), ("cc", "code"), ("exclusion", "principal_code")):
        for line, values in tables[table]:
            row = _Row(table, line, values, faults)
            known[table][row.needed(column)] = row.needed("exclusion_table")
    code_map: dict[str, dict[str, str]] = {"D": {}, "P": {}}
    for line, values in tables["code_map"]:
        row = _Row("code_map", line, values, faults)
        code_map[row.choice("system", ("D", "P"), "D")][row.needed("from_code")] = row.needed("to_code")
    names: dict[str, dict[str, str]] = {"D": {}, "P": {}}
    for _, values in tables["code_name"]:
        names.setdefault(values["system"], {})[values["code"]] = values["name"]
    valid = {values["code"] for _, values in tables["valid_procedure"]}
    return SchemeModel(tables.options, mdcs, valid, **known, code_map=code_map, names=names)


def _mdcs(tables: SchemeTables, faults: Faults) -> list[Mdc]:
    mdcs: list[tuple[int, Mdc]] = []
    orders: dict[int, int] = {}
    for line, values in tables["mdc"]:
        row = _Row("mdc", line, values, faults)
        gate = row.choice("gate", GATES, "principal")
        order = row.number("order", 0)
        if orders.setdefault(order, line) != line:
            row.fault("order", f"{order} also stands in line {orders[order]}", "number the MDCs in order of evaluation")
        if gate.endswith("regions") and not row.text("min_regions"):
            row.fault("min_regions", f"is empty, but the gate is {gate}", "write how many regions must be touched")
        mdc = Mdc(
            row.needed("mdc"), gate, row.sex(), row.number("age_years_max", HIGHEST), row.number("min_regions", 0),
            row.choice("ambiguity", AMBIGUITY, ""), row.text("name"), line,
        )  # fmt: skip
        mdcs.append((order, mdc))
    mdcs.sort(key=lambda pair: pair[0])
    if len(mdcs) > MAX_MDCS:
        faults.add("mdc.csv", "file", f"{len(mdcs)} MDCs", f"at most {MAX_MDCS}")
    by_letter = {mdc.mdc: mdc for _, mdc in mdcs}
    for table in ("mdc_principal_diagnosis", "mdc_procedure"):
        for line, values in tables[table]:
            row = _Row(table, line, values, faults)
            owner = by_letter.get(row.text("mdc"))
            if owner is None:
                row.fault("mdc", f"{row.text('mdc')!r} is not in mdc.csv", "add the MDC or correct the letter")
            elif table == "mdc_procedure":
                owner.procedures.add(row.needed("code"))
                if owner.gate != "main_procedure_valid":
                    row.fault("mdc", f"MDC {owner.mdc} does not open by procedure", "only main_procedure_valid does")
            else:
                owner.codes[row.needed("code")] = row.text("region")
                if owner.gate.endswith("regions") != bool(row.text("region")):
                    row.fault("region", "is needed exactly for a gate with regions")
    return [mdc for _, mdc in mdcs]


def _rules(tables: SchemeTables, mdcs: list[Mdc], faults: Faults) -> dict[tuple[str, str], Rule]:
    by_letter = {mdc.mdc: mdc for mdc in mdcs}
    placed: list[tuple[int, Rule, Mdc]] = []
    orders: dict[tuple[str, int], int] = {}
    default = tables.options.no_drg_fits
    for line, values in tables["adrg"]:
        row = _Row("adrg", line, values, faults)
        mdc = by_letter.get(row.text("mdc"))
        if mdc is None:
            row.fault("mdc", f"{row.text('mdc')!r} is not in mdc.csv", "add the MDC or correct the letter")
            continue
        order = row.number("order", 0)
        if orders.setdefault((mdc.mdc, order), line) != line:
            row.fault("order", f"{order} also stands in line {orders[mdc.mdc, order]}", "number the rules of an MDC")
        no_drg = row.choice("no_drg", ("", "bare_adrg", "next_adrg"), "")
        rule = Rule(
            mdc.mdc, row.needed("adrg"), row.text("rule"), row.choice("section", SECTIONS, "medical"),
            _condition(row), no_drg, (no_drg or default) == "next_adrg", row.text("name"), line,
        )  # fmt: skip
        placed.append((order, rule, mdc))
    for _, rule, mdc in sorted(placed, key=lambda place: place[0]):
        if rule.section == "surgical" and mdc.rules and mdc.rules[-1].section == "medical":
            faults.add(
                "adrg.csv", f"line {rule.line}", f"{rule.adrg}: a surgical rule after a medical one of MDC {mdc.mdc}"
            )
        mdc.rules.append(rule)
    return {(rule.adrg, rule.rule): rule for _, rule, _ in placed}


def _condition(row: _Row) -> Condition:
    atoms = frozenset(filter(None, row.text("procedure_match").replace("-", "").split("&")))
    for atom in sorted(atoms - set(PROCEDURE_ATOMS)):
        row.fault("procedure_match", f"unknown value {atom!r}", f"write -, {', '.join(PROCEDURE_ATOMS)}")
    formula = _formula(row) if row.text("combination") else ()
    if ("combo" in atoms) != bool(formula):
        row.fault("combination", "is needed exactly where procedure_match is combo", "for example 1&2|1&3")
    ways = frozenset(filter(None, row.text("discharge_way").split("|")))
    for way in sorted(ways):
        if not (way.isascii() and way.isdigit() and len(way) == 1):
            row.fault("discharge_way", f"{way!r} is no way of discharge", "one digit each, joined by |")
            ways -= {way}
    limits = Limits(
        row.sex(),
        row.interval("age_years_min", "age_years_max"),
        row.interval("age_days_min", "age_days_max"),
        row.interval("weight_min_g", "weight_below_g", exclusive=True),
        row.interval("stay_days_min", "stay_days_max"),
        row.interval("icu_hours_min", "icu_hours_max"),
        frozenset(map(int, ways)),
        frozenset(filter(None, row.text("department").split("|"))),
    )
    return Condition(
        row.choice("diagnosis_match", DIAGNOSIS_MATCHES, "-"), atoms & set(PROCEDURE_ATOMS), formula, limits
    )


def _formula(row: _Row) -> tuple[frozenset[int], ...]:
    conjunctions = []
    for conjunction in row.text("combination").split("|"):
        numbers = conjunction.split("&")
        if not all(number.isascii() and number.isdigit() and 1 <= int(number) <= MAX_LISTS for number in numbers):
            row.fault("combination", f"{conjunction!r} is no list of list numbers", "for example 1&2|1&3&4")
            return ()
        conjunctions.append(frozenset(map(int, numbers)))
    return tuple(conjunctions)


def _rule_codes(tables: SchemeTables, rules: dict[tuple[str, str], Rule], faults: Faults) -> None:
    for line, values in tables["adrg_code"]:
        row = _Row("adrg_code", line, values, faults)
        rule = rules.get((row.text("adrg"), row.text("rule")))
        if rule is None:
            which = row.text("adrg") + (f" rule {row.text('rule')}" if row.text("rule") else "")
            row.fault("adrg", f"{which} is not in adrg.csv", "add the rule or correct the name")
            continue
        _put_code(row, rule.condition)


def _put_code(row: _Row, condition: Condition) -> None:
    system = row.choice("system", ("D", "P"), "D")
    number = row.number("list", 1, 1, MAX_LISTS)
    condition.codes[system].setdefault(number, set()).add(row.needed("code"))


def _drgs(tables: SchemeTables, rules: dict[tuple[str, str], Rule], faults: Faults) -> None:
    by_adrg: dict[str, list[Rule]] = {}
    for rule in rules.values():
        by_adrg.setdefault(rule.adrg, []).append(rule)
    placed: list[tuple[int, Drg]] = []
    for line, values in tables["drg"]:
        row = _Row("drg", line, values, faults)
        drg = Drg(
            row.text("adrg"), row.needed("drg"), row.text("rule"), row.choice("severity", SEVERITIES, "any"),
            _condition(row), row.text("name"), line,
        )  # fmt: skip
        if drg.adrg not in by_adrg:
            row.fault("adrg", f"{drg.adrg!r} is not in adrg.csv", "add the ADRG or correct the name")
        elif drg.rule and (drg.adrg, drg.rule) not in rules:
            row.fault("rule", f"{drg.adrg} has no rule {drg.rule!r}", "add the rule or leave the column empty")
        placed.append((row.number("order", 0), drg))
    by_code: dict[str, list[Drg]] = {}
    for _, drg in sorted(placed, key=lambda place: place[0]):
        by_code.setdefault(drg.drg, []).append(drg)
        for rule in by_adrg.get(drg.adrg, []):
            if drg.rule in ("", rule.rule):
                rule.drgs.append(drg)
    for line, values in tables["drg_code"]:
        row = _Row("drg_code", line, values, faults)
        if row.text("drg") not in by_code:
            row.fault("drg", f"{row.text('drg')!r} is not in drg.csv", "add the DRG or correct the name")
        for drg in by_code.get(row.text("drg"), []):
            _put_code(row, drg.condition)
