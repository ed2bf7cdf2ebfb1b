"""Reads the conditions of OpenDRG's rule modules: an expression over ``record`` becomes the columns of a scheme row.

Strict: an expression that is not one of the known forms is refused with its line, never guessed. Nothing is executed.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

NUMBERS = {
    "age": ("age_years_min", "age_years_max"),
    "ageDay": ("age_days_min", "age_days_max"),
    "weight": ("weight_min_g", "weight_below_g"),
    "inHospitalTime": ("stay_days_min", "stay_days_max"),
    "icuHours": ("icu_hours_min", "icu_hours_max"),
}
"""Attributes of a record that may be compared with numbers."""
VALID = "SS_VALID"
NOT_MAIN_VALID = (
    "not record.ssList or not record.ssList[0] in SS_VALID",
    "not record.ssList or record.ssList[0] not in SS_VALID",
)
GRADES = {"has_mcc": "mcc", "has_cc": "cc"}
GRADE_ARGUMENTS = "(record.zdList[0], record.zdList[1:])"


class NotExpressible(Exception):
    """A construct that no column of a scheme can say; ``line`` is where it stands."""

    def __init__(self, node: ast.AST, what: str):
        self.line = getattr(node, "lineno", 0)
        super().__init__(what)


@dataclass
class Parsed:
    """One condition as columns (``values``) and code lists (``lists``, by system and number, in the order given)."""

    values: dict[str, str] = field(default_factory=dict)
    lists: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    never: bool = False
    """It can never hold: it says so, or asks for a code of an empty list."""


class ConditionReader:
    """Reads one expression; ``names`` are the literal lists that it may refer to."""

    def __init__(self, names: dict[str, list[str]]):
        self.names = names
        self.diagnosis: list[tuple[str, list[str]]] = []
        self.procedure: list[tuple[str, list[str]]] = []
        self.plain: set[str] = set()
        self.formula: ast.expr | None = None
        self.needs_procedure: ast.expr | None = None
        self.severity = "any"
        self.parsed = Parsed()

    def read(self, expression: ast.expr) -> Parsed:
        """Return the columns and lists of ``expression``. Raises :class:`NotExpressible`."""
        for term in _terms(expression):
            self._term(term)
        self._finish_diagnosis(expression)
        self._finish_procedure(expression)
        if self.severity != "any":
            self.parsed.values["severity"] = self.severity
        return self.parsed

    def _term(self, term: ast.expr) -> None:
        text = ast.unparse(term)
        if isinstance(term, ast.Constant) and isinstance(term.value, bool):
            self.parsed.never |= not term.value
        elif text == "record.ssList" or text == "len(record.ssList) > 1":
            self.needs_procedure = term
        elif text in ("len(record.zdList) > 1", "record.weight", "record.ageDay != None"):
            pass  # implied: a missing number satisfies no limit, and a severity needs a second diagnosis
        elif text in NOT_MAIN_VALID:
            self.plain.add("main_not_valid")
        elif isinstance(term, ast.BoolOp) and "ss_matched" in text:
            self._set_formula(term)
        elif isinstance(term, ast.BoolOp):
            self._either(term)
        elif isinstance(term, ast.Call):
            self._call(term, text)
        elif isinstance(term, ast.UnaryOp) and text == f"not intersect(record.ssList, {VALID})":
            self.plain.add("none_valid")
        elif isinstance(term, ast.Compare):
            self._compare(term, text)
        else:
            raise NotExpressible(term, f"unknown condition: {text}")

    def _set_formula(self, term: ast.expr) -> None:
        if self.formula is not None:
            raise NotExpressible(term, "two formulas over lists")
        self.formula = term

    def _either(self, term: ast.BoolOp) -> None:
        """``has_mcc(...) or has_cc(...)`` is the only alternative outside formulas."""
        texts = {ast.unparse(value) for value in term.values}
        if isinstance(term.op, ast.Or) and texts == {name + GRADE_ARGUMENTS for name in GRADES}:
            self._grade(term, "mcc_or_cc")
        else:
            raise NotExpressible(term, f"unknown alternative: {ast.unparse(term)}")

    def _grade(self, term: ast.expr, severity: str) -> None:
        if self.severity != "any":
            raise NotExpressible(term, "two conditions on severity")
        self.severity = severity

    def _call(self, term: ast.Call, text: str) -> None:
        name = ast.unparse(term.func)
        if name in GRADES and text == name + GRADE_ARGUMENTS:
            self._grade(term, GRADES[name])
            return
        if name != "intersect" or len(term.args) != 2:
            raise NotExpressible(term, f"unknown call: {text}")
        codes, wanted = (ast.unparse(argument) for argument in term.args)
        if codes == "record.ssList" and wanted == VALID:
            self.plain.add("any_valid")
            return
        kinds = {
            "record.zdList": (self.diagnosis, "any"),
            "record.zdList[1:]": (self.diagnosis, "secondary"),
            "record.ssList": (self.procedure, "any"),
            "record.ssList[1:]": (self.procedure, "other"),
        }
        if codes not in kinds:
            raise NotExpressible(term, f"unknown call: {text}")
        atoms, kind = kinds[codes]
        atoms.append((kind, self._list(term.args[1])))

    def _compare(self, term: ast.Compare, text: str) -> None:
        if len(term.ops) == 1 and isinstance(term.ops[0], ast.In | ast.NotIn):
            self._membership(term, text)
            return
        left = ast.unparse(term.left)
        if left in ("record.dept", "record.gender") and isinstance(term.ops[0], ast.Eq) and len(term.ops) == 1:
            value = term.comparators[0]
            if not isinstance(value, ast.Constant) or (left == "record.gender" and str(value.value) not in "12"):
                raise NotExpressible(term, f"unknown comparison: {text}")
            self._put(term, "department" if left == "record.dept" else "sex", str(value.value))
            return
        self._number(term, text)

    def _membership(self, term: ast.Compare, text: str) -> None:
        left, right = ast.unparse(term.left), term.comparators[0]
        positive = isinstance(term.ops[0], ast.In)
        if left == "record.zdList[0]":
            self.diagnosis.append(("principal" if positive else "not_principal", self._list(right)))
        elif left == "record.ssList[0]" and positive:
            if ast.unparse(right) == VALID:
                self.plain.add("main_valid")
            else:
                self.procedure.append(("main", self._list(right)))
        elif left == "record.leavingType" and positive:
            self._put(term, "discharge_way", "|".join(self._list(right)))
        elif isinstance(term.left, ast.Constant) and ast.unparse(right) == "record.ssList" and positive:
            self.procedure.append(("any", [str(term.left.value)]))
        else:
            raise NotExpressible(term, f"unknown comparison: {text}")

    def _number(self, term: ast.Compare, text: str) -> None:
        """``record.age <= 17``, ``int(record.age) == 0``, ``1 <= record.icuHours <= 120``."""
        sides = [term.left, *term.comparators]
        for operator, left, right in zip(term.ops, sides, sides[1:], strict=False):
            flipped = isinstance(left, ast.Constant)
            attribute, bound = (right, left) if flipped else (left, right)
            if isinstance(attribute, ast.Call) and ast.unparse(attribute.func) == "int" and len(attribute.args) == 1:
                attribute = attribute.args[0]
            name = attribute.attr if isinstance(attribute, ast.Attribute) else ""
            known = ast.unparse(attribute) == f"record.{name}" and name in NUMBERS
            if not known or not isinstance(bound, ast.Constant) or not isinstance(bound.value, int):
                raise NotExpressible(term, f"unknown comparison: {text}")
            self._bound(term, name, type(operator), bound.value, flipped)

    def _bound(self, term: ast.Compare, name: str, operator: type[ast.cmpop], value: int, flipped: bool) -> None:
        mirrored = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
        operator = mirrored.get(operator, operator) if flipped else operator
        low, high = NUMBERS[name]
        above = {ast.GtE: value, ast.Gt: value + 1, ast.Eq: value}.get(operator)
        below = {ast.LtE: value, ast.Lt: value - 1, ast.Eq: value}.get(operator)
        if above is None and below is None:
            raise NotExpressible(term, f"unknown comparison: {ast.unparse(term)}")
        if above is not None:
            self._put(term, low, str(above))
        if below is not None:
            self._put(term, high, str(below + 1 if high == "weight_below_g" else below))

    def _put(self, term: ast.expr, column: str, value: str) -> None:
        if self.parsed.values.setdefault(column, value) != value:
            raise NotExpressible(term, f"two conditions on {column}")

    def _list(self, node: ast.expr) -> list[str]:
        if isinstance(node, ast.Name) and node.id in self.names:
            codes = list(dict.fromkeys(self.names[node.id]))
        else:
            codes = literal_list(node)
        if not codes:
            self.parsed.never = True
        return codes

    def _finish_diagnosis(self, expression: ast.expr) -> None:
        if len(self.diagnosis) > 1:
            raise NotExpressible(expression, "two conditions on diagnoses")
        for kind, codes in self.diagnosis:
            if kind == "not_principal" and not codes:
                self.parsed.never = False  # "not in an empty list" always holds
                continue
            self.parsed.values["diagnosis_match"] = kind
            self.parsed.lists["D", 1] = codes

    def _finish_procedure(self, expression: ast.expr) -> None:
        """Numbers the lists: the first is that of main, any or other; more than one *any* becomes a combination."""
        single = [(kind, codes) for kind, codes in self.procedure if kind != "any"]
        wanted: list[list[str]] = []
        for kind, codes in self.procedure:
            implied = kind == "any" and any(codes == other for _, other in single)
            if kind == "any" and codes not in wanted and not implied:
                wanted.append(codes)
        if len({tuple(codes) for _, codes in single}) > 1:
            raise NotExpressible(expression, "main and other procedure of different lists")
        atoms = self.plain | {kind for kind, _ in single}
        numbered = [codes for _, codes in single[:1]]
        if self.formula is not None:
            if single or wanted:
                raise NotExpressible(expression, "a formula and another condition on procedures")
            self._formula(self.formula)
            atoms.add("combo")
        elif len(wanted) == 1 and not single:
            atoms.add("any")
            numbered = wanted
        elif wanted:
            atoms.add("combo")
            numbers = range(len(numbered) + 1, len(numbered) + len(wanted) + 1)
            self.parsed.values["combination"] = "&".join(map(str, numbers))
            numbered += wanted
        for number, codes in enumerate(numbered, 1):
            self.parsed.lists["P", number] = codes
        if self.needs_procedure is not None and not atoms - {"none_valid", "main_not_valid"}:
            raise NotExpressible(self.needs_procedure, "asks for some procedure, whatever it is")
        if atoms:
            self.parsed.values["procedure_match"] = "&".join(sorted(atoms))

    def _formula(self, formula: ast.expr) -> None:
        """``'1' in ss_matched and ...``: classes of one list, given by a second list of the same length."""
        codes, classes = self.names.get("adrg_ss", []), self.names.get("adrg_ss1", [])
        if len(codes) != len(classes):
            raise NotExpressible(formula, "adrg_ss and adrg_ss1 differ in length")
        first: dict[str, str] = {}
        for code, number in zip(codes, classes, strict=True):
            first.setdefault(code, number)
            if not number.isdigit():
                raise NotExpressible(formula, f"class {number!r} is no number")
        for code, number in first.items():
            self.parsed.lists.setdefault(("P", int(number)), []).append(code)
        conjunctions = _alternatives(formula)
        self.parsed.values["combination"] = "|".join("&".join(conjunction) for conjunction in conjunctions)
        used = {int(number) for conjunction in conjunctions for number in conjunction}
        for unused in [key[1] for key in self.parsed.lists if key[0] == "P" and key[1] not in used]:
            raise NotExpressible(formula, f"class {unused} is in no formula")


def literal_list(node: ast.expr) -> list[str]:
    """Texts of a literal list. Raises :class:`NotExpressible` for anything else."""
    return list(dict.fromkeys(raw_list(node)))


def raw_list(node: ast.expr) -> list[str]:
    """As :func:`literal_list`, with duplicates."""
    elements = node.elts if isinstance(node, ast.List) else []
    texts = [e.value for e in elements if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    if not isinstance(node, ast.List) or len(texts) < len(elements):
        raise NotExpressible(node, f"not a list of codes: {ast.unparse(node)[:60]}")
    return texts


def _terms(expression: ast.expr) -> list[ast.expr]:
    """Return the conjuncts of an expression."""
    if isinstance(expression, ast.BoolOp) and isinstance(expression.op, ast.And):
        if "ss_matched" in ast.unparse(expression) and all("ss_matched" in ast.unparse(v) for v in expression.values):
            return [expression]
        return [term for value in expression.values for term in _terms(value)]
    return [expression]


def _alternatives(node: ast.expr) -> list[list[str]]:
    """Disjunctive form of a formula over ``ss_matched``."""
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return [conjunction for value in node.values for conjunction in _alternatives(value)]
    if isinstance(node, ast.BoolOp):
        conjunctions: list[list[str]] = [[]]
        for value in node.values:
            conjunctions = [left + right for left in conjunctions for right in _alternatives(value)]
        return conjunctions
    if (
        isinstance(node, ast.Compare)
        and isinstance(node.left, ast.Constant)
        and len(node.ops) == 1
        and isinstance(node.ops[0], ast.In)
        and ast.unparse(node.comparators[0]) == "ss_matched"
        and str(node.left.value).isdigit()
    ):
        return [[str(node.left.value)]]
    raise NotExpressible(node, f"unknown formula: {ast.unparse(node)}")
