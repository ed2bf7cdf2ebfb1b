"""Which column of a table is which field: a TOML file for a city's own names; without one the names are the fields'.

::

    [tables]                # where the two tables are, below the input folder; may be left out
    claims = "setl_d/*.parquet"
    lines = "fee_list/*.parquet"

    [claim]                 # field = "column", or a table of
    encounter_id = "mdtrt_id"
    total_fen = {column = "medfee_sumamt", unit = "yuan"}
    sex = {column = "gend", codes = {"男" = "1", "女" = "2"}}
    insured_area = {value = "330100"}

    [line]
    amount_fen = {column = "det_item_fee_sumamt", unit = "yuan"}

    [recorded]              # what was answered at the time, for --against recorded
    pooled_fund_fen = {column = "paid_by_fund", unit = "yuan"}
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Mapping as MappingOf
from pathlib import Path
from typing import Any

from adjudicator.errors import AdjudicatorError, E, Problem, refuse
from adjudicator.reprice.fields import (
    CLAIM_FIELDS,
    LINE_FIELDS,
    LINE_KEYS,
    PARTS,
    RECORDED_FIELDS,
    RECORDED_PREFIX,
    Field,
    Kind,
)

SHIPPED = Path(__file__).parent / "mappings"
"""Mapping files that come with the package: ``national``."""

YUAN, UNIT = "yuan", "unit"
DECIMALS: dict[tuple[Kind, str], int] = {
    (Kind.MONEY, YUAN): 2, (Kind.PRICE, YUAN): 6, (Kind.QUANTITY, UNIT): 4,
}  # fmt: skip
"""Kind of field and unit of its column -> decimals that become whole numbers."""
_KEYS = frozenset({"column", "unit", "codes", "value"})


@dataclasses.dataclass(frozen=True)
class Column:
    """Where a field comes from."""

    field: Field
    name: str
    """Name of the column; "" for a value that holds for all rows."""
    decimals: int = 0
    codes: MappingOf[str, str] = dataclasses.field(default_factory=dict)
    """Text of the column -> code of the field."""
    value: str | int | None = None


@dataclasses.dataclass(frozen=True)
class Mapping:
    """The columns of both tables by field, and where the tables are (glob patterns, "" the usual places)."""

    claim: MappingOf[str, Column]
    line: MappingOf[str, Column]
    claims_at: str = ""
    lines_at: str = ""
    recorded: MappingOf[str, Column] = dataclasses.field(default_factory=dict)
    """The columns of recorded amounts; a table may have ``recorded_…`` beside them."""
    source: str = ""
    """The text of the file, for the manifest."""
    parts: MappingOf[str, Column] = dataclasses.field(default_factory=dict)
    """Parts of the total, in a table of claims without lines."""
    line_keys: MappingOf[str, str] = dataclasses.field(default_factory=dict)
    """Columns of the lines that name their claim, by field of the claim; for lines without the row of the claim."""


def own_names() -> Mapping:
    """Return the mapping of tables whose columns have the names of the fields."""
    return Mapping(
        {name: Column(one, name) for name, one in CLAIM_FIELDS.items()},
        {name: Column(one, name) for name, one in LINE_FIELDS.items()},
        recorded={name: Column(one, RECORDED_PREFIX + name) for name, one in RECORDED_FIELDS.items()},
        parts={name: Column(one, name) for name, one in PARTS.items()},
        line_keys={name: name for name in LINE_KEYS},
    )


def read_mapping(name: str) -> Mapping:
    """Return the mapping of a file, or of a shipped one by its name. Errors: E.INPUT_UNREADABLE, all faults at once."""
    shipped = SHIPPED / f"{name}.toml"
    path = shipped if shipped.is_file() and not Path(name).is_file() else Path(name)
    try:
        text = path.read_text("utf-8")
        raw = tomllib.loads(text)
    except (OSError, ValueError) as error:
        raise refuse(E.INPUT_UNREADABLE, path.name, f"{path.name}: {error}") from error
    faults: list[str] = [f"[{section}]" for section in raw if section not in ("tables", "claim", "line", "recorded")]
    tables = raw.get("tables", {})
    faults += [f"[tables] {key}" for key in tables if key not in ("claims", "lines")]
    claim = _columns(raw, "claim", CLAIM_FIELDS | PARTS, faults)
    line = _columns(raw, "line", LINE_FIELDS | {name: CLAIM_FIELDS[name] for name in LINE_KEYS}, faults)
    keys = {name: column.name for name, column in line.items() if name in LINE_KEYS}
    faults += [f"[line] {name}: write a column" for name, column in keys.items() if not column]
    mapping = Mapping(
        {name: column for name, column in claim.items() if name not in PARTS},
        {name: column for name, column in line.items() if name not in LINE_KEYS},
        str(tables.get("claims", "")), str(tables.get("lines", "")),
        _columns(raw, "recorded", RECORDED_FIELDS, faults), text,
        {name: claim[name] for name in PARTS if name in claim}, keys,
    )  # fmt: skip
    if faults:
        raise AdjudicatorError(*(Problem(int(E.INPUT_UNREADABLE), path.name, fault) for fault in faults))
    return mapping


def _columns(
    raw: MappingOf[str, Any], section: str, fields: MappingOf[str, Field], faults: list[str]
) -> dict[str, Column]:
    """Return the columns of a section; what cannot be understood goes to ``faults``."""
    found = {}
    for name, said in raw.get(section, {}).items():
        place = f"[{section}] {name}"
        if name not in fields:
            faults.append(f"{place}: no such field")
            continue
        entry = {"column": said} if isinstance(said, str) else said
        if not isinstance(entry, dict) or not entry.keys() <= _KEYS or ("column" in entry) == ("value" in entry):
            faults.append(f"{place}: write a column, or column, unit and codes, or a value")
            continue
        column = _column(fields[name], entry)
        if column is None:
            faults.append(
                f"{place}: unit is yuan for amounts and prices, unit for quantities; a value is text or number"
            )
            continue
        found[name] = column
    return found


def _column(one: Field, entry: MappingOf[str, Any]) -> Column | None:
    """Return a column, None where its unit or its value does not fit the field."""
    decimals = 0
    if "unit" in entry:
        decimals = DECIMALS.get((one.kind, str(entry["unit"])), 0)
        if not decimals:
            return None
    value = entry.get("value")
    fits = value is None or isinstance(value, str if one.kind is Kind.TEXT else int)
    codes = entry.get("codes", {})
    if not fits or not isinstance(codes, dict):
        return None
    return Column(one, str(entry.get("column", "")), decimals, {str(k): str(v) for k, v in codes.items()}, value)
