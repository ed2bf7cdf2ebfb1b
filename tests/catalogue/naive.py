"""The line split as the documents say it: slow, obvious, exact fractions, straight from the CSV files.

Written from docs/law.md, "National interface", and the readings R22, R23, R24 and R36; shares nothing with the kernel.
Money is in yuan as ``Fraction``.
"""

from __future__ import annotations

import csv
import datetime
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

ZERO = Fraction(0)
EVER = "9999-12-31"


def half_up(value: Fraction) -> Fraction:
    """Rounds yuan to the fen, half away from zero."""
    fen = abs(value) * 100
    whole = fen.numerator // fen.denominator
    if fen - whole >= Fraction(1, 2):
        whole += 1
    return Fraction(whole, 100) * (1 if value >= 0 else -1)


def iso(date: int) -> str:
    """YYYYMMDD as 2022-01-01."""
    return datetime.date(date // 10_000, date // 100 % 100, date % 100).isoformat()


@dataclass
class Book:
    """The CSV rows of a catalogue folder."""

    tables: dict[str, list[dict[str, str]]]
    groups: dict[str, tuple[str, tuple[str, ...]]]
    """Person groups of the pack: scheme and person types."""

    @classmethod
    def read(cls, *folders: Path, groups: dict[str, tuple[str, tuple[str, ...]]]) -> Book:
        """All rows of some folders."""
        tables: dict[str, list] = {name: [] for name in ("item", "class", "ceiling", "ratio", "ratio_rule")}
        for folder in folders:
            for name, rows in tables.items():
                path = folder / f"{name}.csv"
                if path.exists():
                    with path.open(encoding="utf-8", newline="") as file:
                        rows.extend(csv.DictReader(file))
        return cls(tables, groups)

    def item(self, code: str) -> dict[str, str] | None:
        """The item of a code."""
        return next((row for row in self.tables["item"] if row["code"] == code), None)

    def best(self, table: str, area: str, day: str, fits, rank) -> dict[str, str] | None:
        """The most specific row that holds on a day: by area first, then by ``rank``."""
        chain = ["000000", area[:2] + "0000", area[:4] + "00", area]
        found = [
            row
            for row in self.tables[table]
            if row["area"] in chain and row["from"] <= day <= (row["to"] or EVER) and fits(row)
        ]
        return max(found, key=lambda row: (chain.index(row["area"]), *rank(row)), default=None)

    def class_row(self, code: str, area: str, day: str) -> dict[str, str] | None:
        """Row of 1312."""
        return self.best("class", area, day, lambda row: row["code"] == code, lambda row: ())

    def ceiling_row(self, code: str, area: str, day: str, level: str | None) -> dict[str, str] | None:
        """Row of 1318."""
        return self.best(
            "ceiling", area, day,
            lambda row: row["code"] == code and row["level_group"] in ("*", level),
            lambda row: (row["level_group"] != "*",),
        )  # fmt: skip

    def ratio(self, code: str, area: str, day: str, item_class: str, scheme: str, person_type: str, away: bool):
        """First-pay ratio by 1319, the exact row before the pattern, the longest pattern first."""
        place = ("*", "cross_region" if away else "local")

        def person_fits(row) -> bool:
            return (
                self.person_rank(row["person_class"], scheme, person_type) is not None and row["ratio_class"] in place
            )

        def pattern_fits(row) -> bool:
            return (
                code.startswith(row["code"].rstrip("*"))
                and row["list_type"] in ("*", self.item(code)["list_type"])
                and row["class"] == item_class
                and person_fits(row)
            )

        def rank(row) -> tuple:
            return self.person_rank(row["person_class"], scheme, person_type), row["ratio_class"] != "*"

        # A more specific area goes before an exact code.
        chain = ["000000", area[:2] + "0000", area[:4] + "00", area]
        exact = self.best("ratio", area, day, lambda row: row["code"] == code and person_fits(row), rank)
        pattern = self.best(
            "ratio_rule", area, day, pattern_fits, lambda row: (len(row["code"]), row["list_type"] != "*", *rank(row))
        )
        chosen = exact
        if pattern is not None and (exact is None or chain.index(pattern["area"]) > chain.index(exact["area"])):
            chosen = pattern
        if chosen is None:
            return ZERO if item_class == "A" else None
        return Fraction(chosen["first_pay_percent"]) / 100

    def person_rank(self, text: str, scheme: str, person_type: str) -> int | None:
        """How specific a person class is, None where it does not mean this person."""
        rank = 0
        for part in text.split("/"):
            if part == "*":
                continue
            if part in ("employee", "resident", "retired_cadre", "maternity"):
                fits, weight = part == scheme, 1
            elif part in self.groups:
                group_scheme, types = self.groups[part]
                fits, weight = group_scheme == scheme and person_type.startswith(types), 3
            else:
                fits, weight = person_type.startswith(part), len(part)
            if not fits:
                return None
            rank += weight
        return rank


@dataclass
class Person:
    """What of a claim matters to its lines. ``care_area`` None: the place of care has no tables here."""

    insured_area: str
    care_area: str
    level: str | None
    scheme: str = "employee"
    person_type: str = "11"
    away: bool = False
    suspended: bool = False
    covered: tuple[str, ...] = ()
    """Patterns of the items that the programme of the claim covers."""


@dataclass
class Options:
    """Readings."""

    over_ceiling: str = "amount_less_ceiling"
    first_pay_on: str = "rest"
    refund: str = "mirror"
    unknown_item: str = "refuse"
    not_valid_item: str = "self_paid"


@dataclass
class Line:
    """A fee line."""

    code: str
    amount: Fraction
    quantity: Fraction
    price: Fraction
    date: int
    approval: int = 0
    original: int = -1


@dataclass
class Parts:
    """The four parts, and what they mean beside."""

    wholly: Fraction = ZERO
    over: Fraction = ZERO
    first_pay: Fraction = ZERO
    in_scope: Fraction = ZERO
    item_class: str = ""
    ratio: Fraction = ZERO
    handling: str = ""
    flags: tuple[str, ...] = ()
    error: str = ""
    note: str = ""

    def amounts(self) -> list[Fraction]:
        """The four amounts in the order of the result."""
        return [self.wholly, self.over, self.first_pay, self.in_scope]


@dataclass
class Sums:
    """Sums over the lines of a claim."""

    parts: list[Fraction] = field(default_factory=lambda: [ZERO] * 4)
    copay_free: Fraction = ZERO
    special_drug: Fraction = ZERO
    special_self_paid: Fraction = ZERO
    hospital_borne: Fraction = ZERO
    in_catalogue_excess: Fraction = ZERO
    class_a: Fraction = ZERO
    class_b: Fraction = ZERO


def split_line(book: Book, person: Person, options: Options, line: Line) -> Parts:
    """One line that is no refund."""
    day = iso(line.date)
    item = book.item(line.code)
    if line.quantity == 0:
        return Parts(error="ZERO_QUANTITY")
    if line.amount < 0:
        return Parts(error="LINE_SIGN")
    everywhere = [row for row in book.tables["class"] if row["code"] == line.code]
    chain = (person.care_area[:2] + "0000", person.care_area[:4] + "00", person.care_area, "000000")
    if item is None or not any(row["area"] in chain for row in everywhere):
        error = "UNKNOWN_ITEM" if options.unknown_item == "refuse" else ""
        note = "NOT_IN_CATALOGUE" if error or not person.suspended else "ENROLMENT_SUSPENDED"
        return Parts(wholly=line.amount, item_class="C", ratio=Fraction(1), error=error, note=note)
    held = book.class_row(line.code, person.care_area, day)
    if held is None:
        error = "ITEM_NOT_VALID_ON_DATE" if options.not_valid_item == "refuse" else ""
        note = "NOT_VALID_ON_FEE_DATE" if error or not person.suspended else "ENROLMENT_SUSPENDED"
        return Parts(wholly=line.amount, item_class="C", ratio=Fraction(1), error=error, note=note)
    item_class, flags = held["class"], tuple(item["flags"].split())
    whole = Parts(wholly=line.amount, item_class=item_class, ratio=Fraction(1), flags=flags)
    covered = any(line.code.startswith(pattern.rstrip("*")) for pattern in person.covered)
    if person.suspended:
        whole.note = "ENROLMENT_SUSPENDED"
        return whole
    if not covered and item_class == "C":
        whole.note = "CLASS_C"
        return whole
    if not covered and held["restricted_use"] == "true" and line.approval == 2:
        whole.note = "RESTRICTED_USE_REFUSED"
        return whole
    note = "CO_PAY_FREE" if "co_pay_free" in flags and not covered else ""
    if covered:
        item_class, ratio, note = "A", ZERO, "PROGRAMME_COVERS"
    else:
        who = (person.scheme, person.person_type, person.away)
        ratio = book.ratio(line.code, person.care_area, day, item_class, *who)
        own = book.class_row(line.code, person.insured_area, day)
        if item_class == "B" and own is not None and own["class"] == "B":
            ratio = book.ratio(line.code, person.insured_area, day, "B", *who)
    ceiling = book.ceiling_row(line.code, person.care_area, day, person.level)
    over, handling = ZERO, ""
    if ceiling is not None:
        handling = ceiling["handling"]
        limit = Fraction(ceiling["ceiling_yuan"])
        over = excess(options, handling, limit, line.price, line.quantity, line.amount)
        exceeded = is_over(handling, limit, line.price, line.quantity, line.amount)
        if exceeded and handling == "item_self_paid":
            whole.item_class, whole.note = item_class, "OVER_CEILING_WHOLE_SELF_PAID"
            return whole
        if exceeded:
            note = {
                "excess_to_hospital": "OVER_CEILING_BORNE_BY_HOSPITAL",
                "excess_in_catalogue": "OVER_CEILING_IN_CATALOGUE",
            }.get(handling, "OVER_CEILING_SELF_PAID")
    if ratio is None:
        return Parts(over=over, in_scope=line.amount - over, item_class=item_class, error="RULE_UNDEFINED", flags=flags)
    first_pay = first_pay_of(options, line.amount, over, ratio)
    if not note and half_up(line.price * line.quantity) != line.amount:
        note = "PRICE_TIMES_QUANTITY_DIFFERS"
    return Parts(ZERO, over, first_pay, line.amount - over - first_pay, item_class, ratio, handling, flags, "", note)


def is_over(handling: str, limit: Fraction, price: Fraction, quantity: Fraction, amount: Fraction) -> bool:
    """R22: a ceiling is on the line, or on the price of a unit: the stated one, or amount / quantity if that is higher.

    An amount that is the rounded product of price and quantity says nothing of another price.
    """
    if handling == "line_ceiling":
        return amount > half_up(limit)
    if amount > half_up(price * quantity) and amount > half_up(limit * quantity):
        return True
    return price > limit


def excess(options: Options, handling: str, limit: Fraction, price: Fraction, quantity: Fraction, amount: Fraction):
    """R22: what of the amount is over the ceiling."""
    if not is_over(handling, limit, price, quantity, amount):
        return ZERO
    if handling == "line_ceiling":
        return amount - half_up(limit)
    if options.over_ceiling == "price_difference" and amount <= half_up(price * quantity):
        return min(half_up((price - limit) * quantity), amount)
    return min(max(amount - half_up(limit * quantity), ZERO), amount)


def first_pay_of(options: Options, amount: Fraction, over: Fraction, ratio: Fraction) -> Fraction:
    """First-pay on the rest, or on the whole price with at most the rest (R23)."""
    if options.first_pay_on == "whole_price":
        return min(half_up(ratio * amount), amount - over)
    return half_up(ratio * (amount - over))


def split_refund(
    book: Book, person: Person, options: Options, source: Line, whole: Parts, left: list, line: Line
) -> Parts:
    """A refund of a line. ``left``: quantity, amount and the four parts that the original still has; R24."""
    quantity, amount = -line.quantity, -line.amount
    if quantity > left[0] or amount > left[1]:
        return Parts(error="REFUND_EXCEEDS_ORIGINAL", note="REFUND")
    if options.refund == "mirror":
        asked = parts_of_size(book, person, options, source, whole, quantity, amount)
    else:
        rest = parts_of_size(book, person, options, source, whole, left[0] - quantity, left[1] - amount)
        asked = [had - keeps for had, keeps in zip(left[2:], rest, strict=True)]
    # No part gives back more than it has; what is missing comes from in scope, first-pay, over, wholly, in this order.
    given = [ZERO] * 4
    need = amount
    for part in range(3):
        given[part] = min(max(asked[part], ZERO), left[2 + part], need)
        need -= given[part]
    for part in (3, 2, 1, 0):
        more = min(need, left[2 + part] - given[part])
        given[part] += more
        need -= more
    left[0] -= quantity
    left[1] -= amount
    left[2:] = [had - gave for had, gave in zip(left[2:], given, strict=True)]
    return Parts(*(-part for part in given), whole.item_class, whole.ratio, whole.handling, whole.flags, "", "REFUND")


def parts_of_size(book: Book, person: Person, options: Options, source: Line, whole: Parts, quantity, amount) -> list:
    """The parts of a line like the original, but of another quantity and amount."""
    if whole.wholly == source.amount:
        return [amount, ZERO, ZERO, ZERO]
    over = ZERO
    if whole.handling:
        ceiling = book.ceiling_row(source.code, person.care_area, iso(source.date), person.level)
        limit = Fraction(ceiling["ceiling_yuan"])
        over = excess(options, whole.handling, limit, source.price, quantity, amount)
    first_pay = first_pay_of(options, amount, over, whole.ratio)
    return [ZERO, over, first_pay, amount - over - first_pay]


def split_claim(book: Book, person: Person, options: Options, lines: list[Line]) -> tuple[list[Parts], Sums]:
    """All lines of a claim and their sums."""
    parts: list[Parts | None] = [
        None if line.quantity < 0 else split_line(book, person, options, line) for line in lines
    ]
    lefts: dict[int, list] = {}
    for number, line in enumerate(lines):
        if parts[number] is not None:
            continue
        if line.amount > 0:
            parts[number] = Parts(error="LINE_SIGN")
            continue
        source = lines[line.original] if 0 <= line.original < len(lines) else None
        if source is None or source.quantity <= 0 or source.code != line.code:
            parts[number] = Parts(error="REFUND_WITHOUT_ORIGINAL", note="REFUND")
            continue
        whole = parts[line.original]
        if whole.error:
            parts[number] = Parts(note="REFUND")
            continue
        left = lefts.setdefault(line.original, [source.quantity, source.amount, *whole.amounts()])
        parts[number] = split_refund(book, person, options, source, whole, left, line)
    sums = Sums()
    for line, part in zip(lines, parts, strict=True):
        sums.parts = [total + amount for total, amount in zip(sums.parts, part.amounts(), strict=True)]
        if "co_pay_free" in part.flags:
            sums.copay_free += part.in_scope
        if "special_drug" in part.flags:
            sums.special_drug += part.first_pay + part.in_scope
            sums.special_self_paid += part.wholly if part.item_class == "C" else ZERO
        sums.hospital_borne += part.over if part.handling == "excess_to_hospital" else ZERO
        sums.in_catalogue_excess += part.over if part.handling == "excess_in_catalogue" else ZERO
        normal = line.amount - part.wholly if part.amounts() != [ZERO] * 4 else ZERO
        sums.class_a += normal if part.item_class == "A" else ZERO
        sums.class_b += normal if part.item_class == "B" else ZERO
    return parts, sums
