"""The JSON schemas of every kind of rule file, shipped in ``packs/schema`` for editors; ``./dev docs`` writes them.

A file names its schema on its first line: ``#:schema ../schema/pooling.json``.
"""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from adjudicator.benefit.plan.schema import benefit_schema
from adjudicator.catalogue import settings as catalogue
from adjudicator.catalogue.tables import COLUMNS
from adjudicator.grouping.coding_checks import CheckTable, Severity
from adjudicator.grouping.scheme.tables import SchemeOptions
from adjudicator.payment.section import PaymentHead, file_tables
from adjudicator.pooling.tables import PoolingFile
from adjudicator.probe.accepted import Accepted
from adjudicator.rulefile.pack import (
    Area,
    AssistanceCategory,
    CareType,
    GroupingName,
    LevelGroup,
    NotCovered,
    PackHeader,
    PackOptions,
    PersonGroup,
)
from adjudicator.rulefile.schema import SUPPORT, TEXT, Schema, document, of_struct, of_type, table
from adjudicator.rules.load import PACKS
from adjudicator.rules.pack_lists import DiseaseTable, ProgrammeTable, WardTable
from adjudicator.synth.targets import EVIDENCE, FUNDS, MEASURES, SCHEMES

FOLDER = PACKS / "schema"
DIRECTIVE = "#:schema "
"""What the first line of a rule file begins with; editors of TOML read it."""


def schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    return {
        "accepted": document("Findings of rules probe that a pack accepts, accepted.toml", _accepted()),
        "benefit": document("Benefit plans of a pack, benefit/*.toml", benefit_schema()),
        "catalogue": document("Unified catalogue of a pack, catalogue/catalogue.toml", _catalogue()),
        "coding_checks": document("Coding checks, coding_checks.toml", _coding_checks()),
        "pack": document("Names and codes of a pool, pack.toml", _pack()),
        "payment": document("Payment of institutions by a pool, payment.toml", _payment()),
        "pooling": document("Month, year and deficit of a pool, pooling.toml", of_struct(PoolingFile)),
        "published": document("Published figures for synth --calibrate, published/*.toml", _published()),
        "scheme": document("Grouping scheme, scheme.toml", of_struct(SchemeOptions)),
    }


def text_of(schema: Schema) -> str:
    """Return a schema as the text of its file."""
    return json.dumps(schema, ensure_ascii=False, indent=1) + "\n"


def write(folder: Path) -> None:
    """Write every schema into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in schemas().items():
        (folder / f"{name}.json").write_text(text_of(schema), "utf-8")


def _published() -> Schema:
    """Return the schema of published figures: one form of a target for each measure."""
    forms = []
    for name, measure in MEASURES.items():
        points = measure.unit == "percent"
        of: Schema = {measure.of: {"enum": list(FUNDS)} if measure.of == "fund" else TEXT} if measure.of else {}
        tolerance = "tolerance_points" if points else "tolerance_percent"
        keys = {
            "measure": {"const": name}, "scheme": {"enum": list(SCHEMES)}, **of,
            measure.unit: {"type": "number", "exclusiveMinimum": 0, "maximum": 100 if points else 10**8},
            tolerance: {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
            "document": TEXT, "evidence": {"enum": list(EVIDENCE)},
        }  # fmt: skip
        form = table(keys, [])  # without the conditions of a pack's values on its evidence
        forms.append(form | {"required": [key for key in keys if key != "scheme"]})
    targets = {"type": "array", "minItems": 1, "items": {"anyOf": forms}}
    year = {"type": "integer", "minimum": 1990, "maximum": 2099}
    return table({"name": TEXT, "name_zh": TEXT, "year": year, "target": targets}, ["year", "target"])


def _pack() -> Schema:
    root = of_struct(PackHeader)
    arrays: dict[str, type[msgspec.Struct]] = {
        "area": Area, "level": LevelGroup, "person_group": PersonGroup, "care_type": CareType,
        "assistance": AssistanceCategory, "disease": DiseaseTable, "ward": WardTable, "programme": ProgrammeTable,
        "grouping": GroupingName, "not_covered": NotCovered,
    }  # fmt: skip
    tables = {name: {"type": "array", "items": of_struct(kind)} for name, kind in arrays.items()}
    return table(
        root["properties"] | {"options": of_struct(PackOptions)} | tables, [*root["required"], "area", "level"]
    )


def _accepted() -> Schema:
    return table({"accepted": {"type": "array", "items": of_struct(Accepted)}}, [])


def _payment() -> Schema:
    root = of_struct(PaymentHead)
    tables = {name: {"type": "array", "items": of_struct(kind)} for name, kind in file_tables().items()}
    return table(root["properties"] | tables, [*root["required"], "method"])


def _catalogue() -> Schema:
    files = {name: of_struct(catalogue.FileTable) for name in COLUMNS}
    return table(
        {
            "note": TEXT,
            "files": table(files, [], "Evidence of the rows of each CSV table"),
            "rule": {"type": "array", "items": of_struct(catalogue.Rule)},
            "programme": {"type": "array", "items": of_struct(catalogue.ProgrammeTable)},
        },
        [],
    )


def _coding_checks() -> Schema:
    severity: Schema = {"type": "object", "additionalProperties": of_type(Severity)}
    return table({**SUPPORT, "severity": severity, "check": {"type": "array", "items": of_struct(CheckTable)}}, [])
