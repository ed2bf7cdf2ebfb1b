"""Reads ``catalogue.toml``: where the tables come from, the pack's choice between readings, what programmes cover."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adjudicator import limits
from adjudicator.catalogue.tables import COLUMNS, FileHeader
from adjudicator.rulefile.dated import SOURCE_KEYS, DatedValue, check_overlap, day_before, next_day, read_source
from adjudicator.rulefile.evidence import EVIDENCE_KEYS, read_support
from adjudicator.rulefile.faults import Faults

OPTIONS: dict[str, tuple[str, ...]] = {
    "over_ceiling": ("price_difference", "amount_less_ceiling"),
    "first_pay_on": ("rest", "whole_price"),
    "refund": ("mirror", "remainder"),
    "unknown_item": ("refuse", "self_paid"),
    "not_valid_item": ("self_paid", "refuse"),
    "cross_region": ("care_place", "insurance_place"),
}
"""Choices of a pack; the first is the default. The first three are the readings R22, R23 and R24."""

OPTION = np.dtype(
    [("from", "i4"), ("to", "i4"), *((name, "i4") for name in OPTIONS), ("unverified", "i4")],
    align=True,
)
"""The choices that hold from a day to a day (YYYYMMDD, inclusive), each as the position in :data:`OPTIONS`."""

MAX_PROGRAMMES = 8


def _read_toml(path: Path, label: str, faults: Faults) -> dict:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        remedy = 'add it with the document of each table, such as [files."item.csv"]; docs/your-city.md shows one'
        faults.add(label, "file", "is missing", remedy)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.add(label, "file", f"is not valid TOML: {error}")
    return {}


@dataclass(slots=True)
class Folder:
    """One catalogue folder: its ``catalogue.toml``, and the files with their headers."""

    label: str
    settings: dict
    files: list[tuple[Path, FileHeader]]

    @staticmethod
    def read(folder: Path, label: str, faults: Faults) -> Folder:
        toml = f"{label}/catalogue.toml"
        settings = _read_toml(folder / "catalogue.toml", toml, faults)
        for key in sorted(set(settings) - {"files", "options", "programmes"}):
            faults.add(toml, key, "unknown key", "the keys are files, options, programmes")
        headers = settings.get("files", {})
        files = []
        for name in COLUMNS:
            path = folder / name
            if path.exists():
                files.append((path, _header(headers.get(name), f"{label}/{name}", toml, name, faults)))
            elif name in headers:
                faults.add(toml, f"files.{name}", "the file is missing", "add it, or leave its header out")
        for name in sorted(set(headers) - set(COLUMNS)):
            faults.add(toml, f"files.{name}", "unknown file", f"the files are {', '.join(COLUMNS)}")
        return Folder(label, settings, files)


def _header(values, label: str, toml: str, name: str, faults: Faults) -> FileHeader:
    """The header of a file, checked."""
    key = f"files.{name}"
    if not isinstance(values, dict):
        faults.add(toml, key, "is missing", "say document, checked_on and evidence of the file")
        return FileHeader(label)
    _check_keys(values, toml, key, EVIDENCE_KEYS, faults)
    return FileHeader(label, read_support(values, toml, key, faults))


def _check_keys(values: dict, toml: str, key: str, known: Sequence[str], faults: Faults) -> None:
    for name in sorted(set(values) - set(known)):
        faults.add(toml, f"{key}.{name}", "unknown key", f"the keys are {', '.join(known)}")


def read_options(sources: Sequence[Folder], faults: Faults) -> np.ndarray:
    """The dated choices as OPTION rows without gap or overlap; a pack's own values replace those of an included one."""
    values: dict[str, list[DatedValue]] = {}
    for source in reversed(sources):
        toml = f"{source.label}/catalogue.toml"
        for name, blocks in source.settings.get("options", {}).items():
            if name in OPTIONS:
                values[name] = _option_values(name, blocks, toml, faults)
            else:
                faults.add(toml, f"options.{name}", "unknown option", f"the options are {', '.join(OPTIONS)}")
    days = {limits.FIRST_DATE}
    for dated in values.values():
        for value in dated:
            days |= {value.source.from_date, next_day(value.source.to_date)}
    starts = sorted(day for day in days if day <= limits.LAST_DATE)
    options = np.zeros(len(starts), OPTION)
    options["from"] = starts
    options["to"] = [*(day_before(day) for day in starts[1:]), limits.LAST_DATE]
    for name, dated in values.items():
        for value in dated:
            holds = (options["from"] >= value.source.from_date) & (options["to"] <= value.source.to_date)
            options[name][holds] = value.value
            if name not in ("unknown_item", "not_valid_item"):  # these refuse, or leave a note on the line
                options["unverified"][holds] |= not value.source.verified
    return options


def _option_values(name: str, blocks, toml: str, faults: Faults) -> list[DatedValue]:
    """Dated values of one option, checked; ``value`` is the position of the choice."""
    found = []
    for number, block in enumerate(blocks if isinstance(blocks, list) else [blocks]):
        key = f"options.{name}[{number}]"
        if not isinstance(block, dict):
            faults.add(toml, key, "is not a table", f"write [[options.{name}]] with from and value")
            continue
        _check_keys(block, toml, key, (*SOURCE_KEYS, "value"), faults)
        if block.get("value") not in OPTIONS[name]:
            choices = ", ".join(OPTIONS[name])
            faults.add(toml, f"{key}.value", f"{block.get('value')!r} is not a choice", f"write one of {choices}")
            continue
        source = read_source(block, toml, key, faults)
        if source is not None:
            found.append(DatedValue(name, OPTIONS[name].index(block["value"]), source))
    return check_overlap(found, faults)


def read_covers(sources: Sequence[Folder], programmes: Sequence[str], codes: np.ndarray, faults: Faults) -> np.ndarray:
    """uint8 (items): bit k is set where programme k + 1 of the pack covers the item."""
    covers = np.zeros(len(codes), np.uint8)
    for source in sources:
        toml = f"{source.label}/catalogue.toml"
        for number, row in enumerate(source.settings.get("programmes", [])):
            key = f"programmes[{number}]"
            _check_keys(row, toml, key, ("id", "covers", *SOURCE_KEYS), faults)
            read_source(row, toml, key, faults)
            if row.get("id") not in programmes[:MAX_PROGRAMMES]:
                message = f"the pack has no programme {row.get('id')!r}"
                faults.add(toml, f"{key}.id", message, f"its programmes are {', '.join(programmes) or 'none'}")
                continue
            bit = 1 << programmes.index(row["id"])
            for pattern in row.get("covers", []):
                covers[_matching(codes, str(pattern))] |= bit
    return covers


def _matching(codes: np.ndarray, pattern: str) -> slice:
    """The items that a code or a pattern with a star at the end means; ``codes`` are sorted."""
    prefix = pattern.rstrip("*").encode()
    if pattern.endswith("*"):
        after = np.searchsorted(codes, prefix + b"\xff") if prefix else len(codes)
        return slice(np.searchsorted(codes, prefix), after)
    return slice(np.searchsorted(codes, prefix, "left"), np.searchsorted(codes, prefix, "right"))
