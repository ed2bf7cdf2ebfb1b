"""Calibrated points as files of a pack: base points, coefficients, and payment.toml with the table that reads them.

The table before ends on the day before the first one, so that earlier cases keep their points. What past cases do not
show is taken from it: bed-day groups, hospitals and groups without cases, and every other rule of the table.
"""

from __future__ import annotations

import datetime
import json
import re
import textwrap
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adjudicator.dates import day_before, iso
from adjudicator.errors import E, refuse
from adjudicator.money import fen_to_yuan
from adjudicator.payment.conditions import Codes
from adjudicator.payment.methods.drg.base_points import GroupPoints, calibrated_base
from adjudicator.payment.methods.drg.reader import DrgTerms
from adjudicator.pooling.points.calibrate import Calibration, CalibrationResult

Rows = list[tuple[Any, ...]]
FOLDER = "payment"
TOML_WIDTH = 110
_HEADER, _ANY_HEADER, _TO = re.compile(r"\s*\[\[drg\]\]\s*(#.*)?"), re.compile(r"\s*\["), re.compile(r"\s*to\s*=")
_FROM = re.compile(r"\s*from\s*=")


@dataclass(frozen=True, slots=True)
class Before:
    """What holds before the new points."""

    terms: DrgTerms
    codes: Codes
    classes: tuple[str, ...]
    toml: str
    """Text of payment.toml."""


@dataclass(frozen=True, slots=True)
class PointsTable:
    """The new table of points."""

    first_day: int
    points: Rows
    coefficients: Rows
    without: Rows
    """Groups that past cases gave no points: group, cases, variation, reason, points that stay ("" for none)."""
    all_average_fen: int
    carried: tuple[str, ...]
    """Bed-day groups, whose tariff stays."""

    @property
    def no_points(self) -> list[str]:
        """Groups without points."""
        return sorted(row[0] for row in self.without if not row[4])

    @property
    def names(self) -> tuple[str, str]:
        """Files of the points and of the coefficients, in the folder of the pack."""
        return f"{FOLDER}/points_{self.first_day}.csv", f"{FOLDER}/coefficients_{self.first_day}.csv"


def points_table(
    result: CalibrationResult, rules: Calibration, before: Before, first_day: int, keep_former: bool
) -> PointsTable:
    """Return the table of points from a day on.

    ``keep_former``: a group with too few cases, or none, keeps its former points; else it has none.
    """
    former, found = before.terms.groups, {group.group: group for group in result.groups}
    points, without, carried = [], [], []
    for drg in sorted(before.codes.points_needed):
        group, old = found.get(drg), former.get(drg)
        if old is not None and old.bed_day:
            carried.append(drg)
            points.append(_carried(drg, old, result.all_average_fen, rules, before))
        elif group is not None and group.stable:
            averages = [
                result.level_average_fen.get((name, drg), group.average_fen) for name in before.classes
            ]  # of a class without case the average of the group
            points.append(_row(drg, "case", group.base_e8, group.average_fen, averages))
        else:
            kept = old if keep_former else None
            reason = group.reason if group is not None else "no case"
            cases, variation = (group.cases, group.cv_ppm) if group is not None else (0, 0)
            without.append((drg, cases, variation, reason, e8_text(kept.base_e8) if kept else ""))
            if kept is not None:
                own = [kept.class_average_fen.get(name, 0) or kept.average_fen for name in before.classes]
                points.append(_row(drg, "case", kept.base_e8, kept.average_fen, own))
    coefficients = _coefficients(result, before)
    return PointsTable(first_day, points, coefficients, without, result.all_average_fen, tuple(carried))


def _row(drg: str, kind: str, base_e8: int, average_fen: int, by_class: list[int]) -> tuple[Any, ...]:
    return drg, kind, e8_text(base_e8), *(fen_to_yuan(fen) if fen else "" for fen in (average_fen, *by_class))


def _carried(drg: str, old: GroupPoints, all_average_fen: int, rules: Calibration, before: Before) -> tuple[Any, ...]:
    """Return the row of a bed-day group: its tariff a day over the new average of all groups (docs/law.md#S-02)."""
    base = old.base_e8
    if old.average_fen:
        base = calibrated_base(old.average_fen, all_average_fen, rules.scale_e8, rules.decimals)
    own = [old.class_average_fen.get(name, 0) for name in before.classes]
    return _row(drg, "bed_day", base, old.average_fen, own)


def point_columns(classes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the columns of the file of points."""
    return ("drg", "kind", "base_points", "average_yuan", *(f"average_{name}_yuan" for name in classes))


def _coefficients(result: CalibrationResult, before: Before) -> Rows:
    """Return the rows of the coefficients: as calibrated, and as before where there is no case."""
    values = dict(before.terms.coefficients.values_e8)
    for component, calibrated in (("hospital", result.hospital_e8), ("level", result.level_e8)):
        values |= {(component, subject, drg): value for (subject, drg), value in calibrated.items()}
    return [(*key, e8_text(value)) for key, value in sorted(values.items())]


def payment_toml(table: PointsTable, rules: Calibration, before: Before, document: str) -> str:
    """Return payment.toml with the new table behind all others, and an end for the one before.

    Everything else stays as it is written. Errors: E.CANNOT_CLEAR where the file is written in a form that this does
    not read.
    """
    number = int(before.terms.key.partition("[")[2].rstrip("]"))
    lines, old = before.toml.splitlines(keepends=True), _parsed(before.toml)
    starts = [place for place, line in enumerate(lines) if _HEADER.fullmatch(line.rstrip("\n"))]
    last = iso(day_before(table.first_day))
    if number < len(starts):
        _end(lines, starts[number], last)
    text = "".join(lines).rstrip("\n") + "\n\n" + _toml_of(_block(old["drg"][number], table, rules, document))
    new, wanted = _parsed(text), deepcopy(old)
    wanted["drg"][number]["to"] = datetime.date.fromisoformat(last)
    wanted["drg"].append(_block(old["drg"][number], table, rules, document))
    if new != wanted:
        raise refuse(
            E.CANNOT_CLEAR, "payment.toml",
            f"drg[{number}] is not written as a [[drg]] block with a line `from = …`; write it so",
            f"drg[{number}] 不是含“from = …”一行的 [[drg]] 段，请按此书写",
        )  # fmt: skip
    return text


def _parsed(text: str) -> dict[str, Any]:
    return tomllib.loads(text, parse_float=Decimal)


def _end(lines: list[str], start: int, last: str) -> None:
    """Give the block that begins at a line an end."""
    end = next((place for place in range(start + 1, len(lines)) if _ANY_HEADER.match(lines[place])), len(lines))
    for place in range(start + 1, end):
        if _TO.match(lines[place]):
            lines[place] = f"to = {last}\n"
            return
    for place in range(start + 1, end):
        if _FROM.match(lines[place]):
            lines[place] = f"{lines[place].rstrip()}\nto = {last}\n"
            return


def _block(old: Mapping[str, Any], table: PointsTable, rules: Calibration, document: str) -> dict[str, Any]:
    """Return the new block: the rules of the old one, over the new files."""
    block = {key: deepcopy(value) for key, value in old.items() if key not in _REPLACED}
    end = old.get("to")
    if end is not None and end >= _date(table.first_day):
        block["to"] = end
    points, coefficients = table.names
    block |= {
        "from": _date(table.first_day), "document": document, "evidence": "reading", "file": points,
        "scale_points": _decimal(rules.scale_e8), "decimals": rules.decimals,
        "all_average_yuan": Decimal(fen_to_yuan(table.all_average_fen)),
    }  # fmt: skip
    if table.no_points:
        block["no_points"] = table.no_points
        block["no_points_reason"] = f"fewer than {rules.min_cases} past cases, or they vary too much: {document}"
    own = {key: value for key, value in block["coefficient"].items() if key not in ("link", "clause", "checked_on")}
    calibrated = {row[0] for row in table.points} - set(table.carried)
    new_groups = _listed(own.pop("new_groups", []))
    if new_groups := [drg for drg in new_groups if drg not in calibrated]:
        own["new_groups"] = new_groups
    block["coefficient"] = own | {"document": document, "evidence": "reading", "file": coefficients}
    return block


_REPLACED = ("to", "clause", "link", "checked_on", "note", "no_points", "no_points_reason")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _date(day: int) -> datetime.date:
    return datetime.date.fromisoformat(iso(day))


def _decimal(value_e8: int) -> Any:
    text = e8_text(value_e8)
    return Decimal(text) if "." in text else int(text)


def _toml_of(block: Mapping[str, Any], path: str = "drg", brackets: str = "[[{}]]") -> str:
    """Return a table of TOML with its parts."""
    plain = {key: value for key, value in block.items() if not _is_part(value)}
    text = brackets.format(path) + "\n" + "".join(f"{_key(key)} = {_value(value)}\n" for key, value in plain.items())
    for key, value in block.items():
        below = f"{path}.{_key(key)}"
        if isinstance(value, Mapping):
            text += "\n" + _toml_of(value, below, "[{}]")
        elif _is_part(value):
            text += "".join("\n" + _toml_of(one, below, "[[{}]]") for one in value)
    return text


def _is_part(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and isinstance(value[0], Mapping))


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        listed = ", ".join(map(_value, value))
        wrapped = [listed] if any(" " in str(one) for one in value) else textwrap.wrap(listed, TOML_WIDTH)
        return f"[{listed}]" if len(wrapped) < 2 else "[\n    " + "\n    ".join(wrapped) + "\n]"
    if isinstance(value, datetime.date):
        return value.isoformat()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)


def e8_text(value_e8: int) -> str:
    """Return a number of 1e-8 as text.

    >>> e8_text(236_182_972), e8_text(12_600_000_000)
    ('2.36182972', '126')
    """
    return f"{value_e8 // 10**8}.{value_e8 % 10**8:08d}".rstrip("0").rstrip(".")
