"""Turns one version folder of an OpenDRG/DRG_Python checkout into a grouping scheme, by reading its modules as text.

The user brings the checkout (Apache-2.0); its modules are parsed with ``ast`` and never run. Layout as found at commit
5d523a2: ``Grouper.py`` (order of MDCs), ``Grouper_<version>.py`` (what happens around grouping), ``MDC/MDCx.py``,
``ADRG/XXn.py``, ``DRG/MDCx_DRG.py``, ``DRG_EX/XXnn.py``, ``DATA/*.dat``, ``ICD/*.dat``. What a scheme cannot say is
listed with file and line, and nothing is written unless the caller accepts the loss.
"""

from __future__ import annotations

import ast
import csv
import re
from dataclasses import dataclass, field
from pathlib import Path

from adjudicator.grouping.opendrg.condition import ConditionReader, NotExpressible, Parsed, literal_list, raw_list
from adjudicator.rulefile.faults import Faults

LIMITS = (
    "sex", "age_years_min", "age_years_max", "age_days_min", "age_days_max", "weight_min_g", "weight_below_g",
    "stay_days_min", "stay_days_max", "icu_hours_min", "icu_hours_max", "discharge_way", "department",
)  # fmt: skip
CONDITION = ("diagnosis_match", "procedure_match", "combination", *LIMITS)
COLUMNS: dict[str, tuple[str, ...]] = {
    "mdc": ("order", "mdc", "gate", "sex", "age_years_max", "min_regions", "ambiguity", "name"),
    "mdc_principal_diagnosis": ("mdc", "code", "region"),
    "mdc_procedure": ("mdc", "code"),
    "adrg": ("mdc", "order", "adrg", "rule", "section", "no_drg", *CONDITION, "name"),
    "adrg_code": ("adrg", "rule", "system", "list", "code"),
    "drg": ("adrg", "rule", "order", "drg", "severity", *CONDITION, "name"),
    "drg_code": ("drg", "system", "list", "code"),
    "valid_procedure": ("code",),
    "mcc": ("code", "exclusion_table"),
    "cc": ("code", "exclusion_table"),
    "exclusion": ("principal_code", "exclusion_table"),
    "code_map": ("system", "from_code", "to_code"),
    "code_name": ("system", "code", "name"),
}
REGION = "创伤"
"""Ends the headings that divide the list of MDC Z."""
REGION_BODY = (
    "zd_map = {}",
    "type = ''",
    "for x in mdc_zd:\n    if x.endswith('创伤'):\n        type = x\n    else:\n        zd_map[x] = type",
    "zd_matched = set(record.zdList).intersection(zd_map.keys())",
    "types = set([zd_map.get(x) for x in zd_matched])",
)
MATCHED = "ss_matched = [adrg_ss1[adrg_ss.index(x)] for x in record.ssList if x in adrg_ss]"
RETRY = re.compile(
    r"if result == '0000' and record\.ssList and \(?len\(record\.ssList\) > 1\)?:\n"
    r"    for ss in record\.ssList\[1:\]:\n"
    r"        record = record\._replace\(ssList=\[ss\]\)\n"
    r"        result = group\(record\)\n"
    r"        if result != '0000':\n"
    r"            break"
)
AROUND = re.compile(r"(result|drgCode) = group\(record\)|output\(.*\)|return create_result\(.*\)")
AMBIGUITY = {
    "record.ssList and record.ssList[0] in SS_VALID": "main_valid",
    "record.ssList and intersect(SS_VALID, record.ssList)": "any_valid",
}


@dataclass
class Import:
    """The tables of the scheme, what was lost (faults), and what is worth knowing (notes)."""

    name: str
    retry_other_procedures: bool = False
    rows: dict[str, list[dict[str, str]]] = field(default_factory=lambda: {table: [] for table in COLUMNS})
    losses: Faults = field(default_factory=Faults)
    notes: Faults = field(default_factory=Faults)

    def add(self, table: str, **values: object) -> None:
        """One row of a table."""
        self.rows[table].append({column: str(value) for column, value in values.items()})


def read_opendrg(folder: Path) -> Import:
    """Read one version folder, for example ``drg_group/chs_drg_11``."""
    return _Reader(folder).read()


def write_scheme(content: Import, folder: Path) -> None:
    """Write the tables into ``folder`` in the layout of every scheme."""
    folder.mkdir(parents=True, exist_ok=True)
    for table, columns in COLUMNS.items():
        rows = content.rows[table]
        used = [column for column in columns if any(row.get(column) for row in rows) or column in _always(table)]
        with (folder / f"{table}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, used, restval="", extrasaction="ignore", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    options = [
        f'name = "{content.name}"',
        'licence = "Apache-2.0 (OpenDRG/DRG_Python)"',
        "as_published = true",
        f"retry_other_procedures = {str(content.retry_other_procedures).lower()}",
    ]
    (folder / "scheme.toml").write_text("\n".join(options) + "\n", "utf-8")


def _always(table: str) -> tuple[str, ...]:
    from adjudicator.grouping.scheme.tables import SHAPES

    return SHAPES[table].required


class _Reader:
    def __init__(self, folder: Path):
        self.folder = folder
        self.result = Import(folder.name)
        self.names: dict[str, str] = {}
        self.trees: dict[str, ast.Module] = {}
        self.drg_lists: dict[str, dict[tuple[str, int], list[str]]] = {}

    def lose(self, file: str, line: int, what: str) -> None:
        self.result.losses.add(file, f"line {line}", what)

    def read(self) -> Import:
        self._data()
        self._around()
        order = self._order()
        for position, letter in enumerate(order, 1):
            try:
                self._mdc(position, letter)
            except NotExpressible as error:
                self.lose(f"MDC/MDC{letter}.py", error.line, str(error))
        return self.result

    def _tree(self, file: str) -> ast.Module | None:
        if file not in self.trees:
            path = self.folder / file
            try:
                self.trees[file] = ast.parse(path.read_text("utf-8-sig"))
            except FileNotFoundError:
                self.lose(file, 0, "the module is missing")
                return None
            except (SyntaxError, UnicodeDecodeError, ValueError) as error:
                self.lose(file, getattr(error, "lineno", 0) or 0, f"cannot be read: {error}")
                return None
        return self.trees[file]

    def _function(self, file: str, name: str) -> ast.FunctionDef | None:
        tree = self._tree(file)
        if tree is None:
            return None
        found = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
        if len(found) != 1:
            self.lose(file, found[1].lineno if found else 0, f"{len(found)} functions named {name}")
            return None
        return found[0]

    def _order(self) -> list[str]:
        """Letters of the MDCs in the order in which ``Grouper.py`` asks them."""
        function = self._function("Grouper.py", "group")
        letters: list[str] = []
        for node in function.body if function else []:
            text = ast.unparse(node)
            if match := re.fullmatch(r"result = MDC([A-Z])\.group\(record\)", text):
                letters.append(match[1])
            elif text not in ("if result:\n    return result", "return '0000'") and not text.startswith("message("):
                self.lose("Grouper.py", node.lineno, f"unknown statement: {text[:60]}")
        return letters

    def _around(self) -> None:
        """Read the class around the rules: most return the answer as it is, one asks for each other procedure."""
        files = sorted(path.name for path in self.folder.glob("Grouper_*.py"))
        if len(files) != 1:
            self.lose("Grouper_*.py", 0, f"{len(files)} modules of this name")
            return
        function = self._function(files[0], "group")
        for node in function.body if function else []:
            text = ast.unparse(node)
            if RETRY.fullmatch(text):
                self.result.retry_other_procedures = True
            elif not (AROUND.fullmatch(text) or _is_answer(node)):
                self.lose(files[0], node.lineno, f"unknown statement: {text[:60]}")

    def _data(self) -> None:
        """Read the tables of codes: a code, a blank, and its exclusion table or its name."""
        for table, file, column in (
            ("mcc", "MCC", "code"),
            ("cc", "CC", "code"),
            ("exclusion", "CCE", "principal_code"),
        ):
            for code, value in self._pairs(f"DATA/{file}.dat").items():
                self.result.add(table, **{column: code, "exclusion_table": value})
        for code in self._pairs("DATA/SS_VALID.dat"):
            self.result.add("valid_procedure", code=code)
        self.names = self._pairs("DATA/DRG.dat")
        for system, part in (("D", "ZD"), ("P", "SS")):
            for source, target in self._pairs(f"ICD/{part}_MAP.dat").items():
                if source != target:
                    self.result.add("code_map", system=system, from_code=source, to_code=target or "-")
            for code, name in self._pairs(f"ICD/{part}_INFO.dat").items():
                self.result.add("code_name", system=system, code=code, name=name)

    def _pairs(self, file: str) -> dict[str, str]:
        try:
            text = (self.folder / file).read_text("utf-8-sig")
        except (FileNotFoundError, UnicodeDecodeError) as error:
            self.lose(file, 0, f"cannot be read: {error}")
            return {}
        pairs = (line.partition(" ") for line in text.splitlines() if line.strip())
        return {code: value for code, _, value in pairs}

    def _mdc(self, position: int, letter: str) -> None:
        file = f"MDC/MDC{letter}.py"
        function = self._function(file, "group")
        if function is None:
            return
        codes: list[str] = []
        row: dict[str, object] = {"order": position, "mdc": letter, "gate": "always"}
        modules: list[tuple[str, str]] = []
        ambiguity_seen = False
        for node in function.body:
            text = ast.unparse(node)
            if isinstance(node, ast.Assign) and text.startswith("mdc_zd = "):
                codes = raw_list(node.value)
            elif text == "dept_list = []" or text.startswith("message(") or text == "if result:\n    return result":
                continue
            elif match := re.fullmatch(r"result = (\w+)\.group\(record\)", text):
                modules.append((match[1], "medical" if ambiguity_seen else "surgical"))
            elif isinstance(node, ast.If) and isinstance(node.test, ast.UnaryOp):
                self._gate(file, node, row, letter)
            elif isinstance(node, ast.If) and text.rstrip().endswith("QY'"):
                ambiguity_seen = True
                row["ambiguity"] = _ambiguity(node)
            elif text in REGION_BODY:
                row["regions"] = True
            elif isinstance(node, ast.If) and ast.unparse(node.test) == "zd_matched":
                row["min_regions"] = _least_regions(node)
            else:
                raise NotExpressible(node, f"unknown statement: {text[:60]}")
        if row.pop("regions", False):
            row["gate"] = f"{row['gate']}_and_regions"
        self.result.add("mdc", **row)
        self._mdc_codes(letter, codes, str(row["gate"]))
        if not ambiguity_seen:
            modules = [(module, "surgical" if module[1:2] < "R" else "medical") for module, _ in modules]
        for order, (module, section) in enumerate(modules, 1):
            try:
                self._adrg(letter, order, module, section)
            except NotExpressible as error:
                self.lose(f"ADRG/{module}.py", error.line, str(error))

    def _gate(self, file: str, node: ast.If, row: dict[str, object], letter: str) -> None:
        """``if not (True and record.zdList[0] in mdc_zd and ...): return ''``."""
        test = node.test
        assert isinstance(test, ast.UnaryOp)
        if not isinstance(test.op, ast.Not) or ast.unparse(node.body[-1]) != "return ''" or node.orelse:
            raise NotExpressible(node, f"unknown gate: {ast.unparse(node.test)[:60]}")
        terms = test.operand.values if isinstance(test.operand, ast.BoolOp) else [test.operand]
        for term in terms:
            text = ast.unparse(term)
            extra = re.fullmatch(r"record\.ssList\[0\] in SS_VALID or record\.ssList\[0\] in (\[.*\])", text)
            if text in ("True", "record.ssList"):
                continue
            if text == "record.zdList[0] in mdc_zd":
                row["gate"] = "principal"
            elif text == "intersect(record.zdList, mdc_zd)":
                row["gate"] = "any_diagnosis"
            elif text == "record.ssList[0] in SS_VALID" or extra:
                row["gate"] = "main_procedure_valid"
                for code in literal_list(ast.parse(extra[1], mode="eval").body) if extra else ():
                    self.result.add("mdc_procedure", mdc=letter, code=code)
            else:
                values = ConditionReader({}).read(term).values
                if values.keys() - {"sex", "age_years_min", "age_years_max"} or values.get("age_years_min", "0") != "0":
                    raise NotExpressible(term, f"unknown gate condition: {text}")
                row.update({key: value for key, value in values.items() if key != "age_years_min"})

    def _mdc_codes(self, letter: str, codes: list[str], gate: str) -> None:
        region, placed = "", {}
        for code in codes:
            if gate.endswith("regions") and code.endswith(REGION):
                region = code.removesuffix(REGION)
            else:
                placed[code] = region
        if gate in ("always", "main_procedure_valid"):
            placed = {}
        for code, place in placed.items():
            self.result.add("mdc_principal_diagnosis", mdc=letter, code=code, region=place)

    def _adrg(self, letter: str, order: int, module: str, section: str) -> None:
        file = f"ADRG/{module}.py"
        function = self._function(file, "group")
        if function is None:
            return
        adrg, _, rule = module.partition("_")
        body = _rule_body(function)
        parsed = ConditionReader(body.names).read(body.test)
        if parsed.never:
            self.result.notes.add(file, f"line {body.test.lineno}", f"{module} can never fit and was left out")
            return
        if "severity" in parsed.values:
            raise NotExpressible(body.test, "an ADRG that asks for a severity")
        if body.bare not in ("", adrg):
            raise NotExpressible(function, f"returns {body.bare!r}")
        common = {"mdc": letter, "order": order, "adrg": adrg, "rule": rule, "section": section}
        no_drg = "bare_adrg" if body.bare else "next_adrg"
        self.result.add("adrg", **common, no_drg=no_drg, **_with_defaults(parsed), name=self.names.get(adrg, ""))
        for (system, number), codes in parsed.lists.items():
            for code in codes:
                self.result.add("adrg_code", adrg=adrg, rule=rule, system=system, list=number, code=code)
        self._drgs(file, adrg, rule, body)

    def _drgs(self, file: str, adrg: str, rule: str, body: _RuleBody) -> None:
        for order, (node, module, name, drg) in enumerate(body.drgs, 1):
            if not drg.startswith(adrg):
                self.lose(file, node.lineno, f"{drg} is no DRG of {adrg}")
                continue
            try:
                parsed = self._drg_condition(module, name)
            except NotExpressible as error:
                self.lose(_drg_file(module, name), error.line, str(error))
                continue
            if parsed is None or parsed.never:
                self.result.notes.add(file, f"line {node.lineno}", f"{drg} can never fit and was left out")
                continue
            severity = parsed.values.pop("severity", "any")
            values = _with_defaults(parsed)
            row = {"adrg": adrg, "rule": rule, "order": order, "drg": drg, "severity": severity}
            self.result.add("drg", **row, **values, name=self.names.get(drg, ""))
            known = self.drg_lists.setdefault(drg, parsed.lists)
            if known is parsed.lists:
                for (system, number), codes in parsed.lists.items():
                    for code in codes:
                        self.result.add("drg_code", drg=drg, system=system, list=number, code=code)
            elif known != parsed.lists:
                self.lose(file, node.lineno, f"{drg} reads other lists than in another rule")

    def _drg_condition(self, module: str, name: str) -> Parsed | None:
        file = _drg_file(module, name)
        function = self._function(file, name)
        if function is None:
            return None
        if name == "group":
            body = _rule_body(function, for_drg=True)
            return ConditionReader(body.names).read(body.test)
        if len(function.body) != 1 or not isinstance(function.body[0], ast.Return) or function.body[0].value is None:
            raise NotExpressible(function, f"{name} is more than one return")
        return ConditionReader({}).read(function.body[0].value)


@dataclass
class _RuleBody:
    names: dict[str, list[str]]
    test: ast.expr
    drgs: list[tuple[ast.stmt, str, str, str]]  # statement, module, function, DRG
    bare: str


def _drg_file(module: str, name: str) -> str:
    return f"DRG_EX/{module}.py" if name == "group" else f"DRG/{module}.py"


def _rule_body(function: ast.FunctionDef, for_drg: bool = False) -> _RuleBody:
    """Literal lists, then one ``if`` whose body tries DRGs in order and returns."""
    names: dict[str, list[str]] = {}
    decision: ast.If | None = None
    for node in function.body:
        text = ast.unparse(node)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.List):
            names[node.targets[0].id] = raw_list(node.value)
        elif isinstance(node, ast.If) and decision is None:
            decision = node
        elif text not in (MATCHED, "return ''"):
            raise NotExpressible(node, f"unknown statement: {text[:60]}")
    if decision is None:
        raise NotExpressible(function, "no condition")
    if names.get("dept_list"):
        raise NotExpressible(function, "a list of departments that nothing reads")
    if [ast.unparse(node) for node in decision.orelse] not in ([], ["return ''"]):
        raise NotExpressible(decision, "an alternative that does something")
    drgs: list[tuple[ast.stmt, str, str, str]] = []
    bare: str | None = None
    for node in decision.body:
        text = ast.unparse(node)
        tried = re.fullmatch(r"if (\w+)\.(\w+)\(record\):\n    return '(\w+)'", text)
        returned = re.fullmatch(r"return '(\w*)'", text)
        if bare is not None or not (
            tried or returned or text.startswith("message(") or (for_drg and text == "return True")
        ):
            raise NotExpressible(node, f"unknown statement: {text[:60]}")
        if tried:
            drgs.append((node, tried[1], tried[2], tried[3]))
        elif returned:
            bare = returned[1]
    return _RuleBody(names, decision.test, drgs, bare or "")


def _with_defaults(parsed: Parsed) -> dict[str, str]:
    return {"diagnosis_match": "-", "procedure_match": "-", **parsed.values}


def _is_answer(node: ast.stmt) -> bool:
    """Return the chain that turns the rules' answer into a result."""
    return isinstance(node, ast.If) and ast.unparse(node).startswith("if result == '0000':\n    return GroupResult(")


def _ambiguity(node: ast.If) -> str:
    text = ast.unparse(node.test)
    switched_off = text.startswith("False and ")
    plain = text.removeprefix("False and ").replace("(record.ssList[0] in SS_VALID)", "record.ssList[0] in SS_VALID")
    if plain not in AMBIGUITY:
        raise NotExpressible(node, f"unknown condition of the ambiguous group: {text[:60]}")
    return "" if switched_off else AMBIGUITY[plain]


def _least_regions(node: ast.If) -> str:
    """``if zd_matched: ... if len(types) < 2: return ''; else: return ''``."""
    found = re.search(r"if len\(types\) < (\d+):", ast.unparse(node))
    if not found or [ast.unparse(other) for other in node.orelse] != ["return ''"]:
        raise NotExpressible(node, "unknown condition on regions")
    return found[1]
