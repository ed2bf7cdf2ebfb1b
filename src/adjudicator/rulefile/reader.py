"""Turns TOML tables into structs, field by field, so that one run names every key that is wrong."""

from __future__ import annotations

import difflib
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from adjudicator.rulefile.faults import Faults

T = TypeVar("T", bound=msgspec.Struct)


def read_toml(path: Path, label: str, faults: Faults) -> dict[str, Any] | None:
    """A TOML file with decimals kept exact; None and a fault when it is missing, not UTF-8 or not TOML."""
    try:
        return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        faults.add(label, "file", "is missing", "add it; docs/your-city.md shows a small one")
    except UnicodeDecodeError as error:
        faults.add(label, f"byte {error.start}", "is not UTF-8 text", "save the file as UTF-8")
    except (tomllib.TOMLDecodeError, OSError) as error:
        faults.add(label, "file", f"is not valid TOML: {error}", "correct the line")
    return None


def read_struct(kind: type[T], raw: Any, file: str, key: str, faults: Faults) -> T | None:
    """One struct; unknown keys, missing keys and wrong types are faults, each with what to write."""
    if not isinstance(raw, dict):
        faults.add(file, key, "is not a table", f"write [[{key.split('[')[0]}]] blocks")
        return None
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    unknown_keys(raw, fields, file, key, faults)
    before = len(faults)
    values = {}
    for name, field in fields.items():
        where = f"{key}.{name}" if key else name
        if name in raw:
            try:
                values[field.name] = msgspec.convert(raw[name], field.type)
            except msgspec.ValidationError as error:
                faults.add(file, where, str(error), f"write {_described(field.type)}")
        elif field.required:
            faults.add(file, where, "is missing", f"write {_described(field.type)}")
    return kind(**values) if len(faults) == before else None


def read_structs(kind: type[T], raw: Any, file: str, key: str, faults: Faults) -> tuple[T, ...]:
    """An array of tables; entries with faults are left out."""
    if raw is None:
        return ()
    if not isinstance(raw, list):
        faults.add(file, key, "is not an array of tables", f"write [[{key}]] blocks")
        return ()
    read = (read_struct(kind, entry, file, f"{key}[{number}]", faults) for number, entry in enumerate(raw))
    return tuple(entry for entry in read if entry is not None)


def unknown_keys(raw: dict, known: Any, file: str, key: str, faults: Faults) -> None:
    """A fault for each key that nothing reads, with the nearest one that exists."""
    for name in raw:
        if name not in known:
            near = difflib.get_close_matches(str(name), list(known), 1, 0.5)
            faults.add(
                file, f"{key}.{name}" if key else str(name), "unknown key",
                f"did you mean {near[0]}?" if near else "the keys are " + ", ".join(known),
            )  # fmt: skip


def _described(kind: Any) -> str:
    names = {str: "a text in quotes", int: "a whole number", bool: "true or false"}
    return names.get(kind, f"a value of type {getattr(kind, '__name__', None) or str(kind).replace('typing.', '')}")
