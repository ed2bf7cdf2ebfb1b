"""The JSON schemas of rule files: current, named by each shipped file, and as strict as the reader on spelling."""

from __future__ import annotations

import copy
import datetime
import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from adjudicator.cli.main import main
from adjudicator.cli.reports.schemas import DIRECTIVE, FOLDER, schemas, text_of
from adjudicator.rules.load import PACKS

FILES = sorted(path for path in PACKS.rglob("*.toml") if path.read_text("utf-8").startswith(DIRECTIVE))


def plain(value: Any) -> Any:
    """TOML values as an editor hands them to a schema: dates are texts."""
    if isinstance(value, dict):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [plain(entry) for entry in value]
    return value.isoformat() if isinstance(value, datetime.date) else value


def content(path: Path) -> dict[str, Any]:
    return plain(tomllib.loads(path.read_text("utf-8")))


def schema_of(path: Path) -> dict[str, Any]:
    first = path.read_text("utf-8").split("\n", 1)[0]
    return json.loads((path.parent / first.removeprefix(DIRECTIVE)).read_text("utf-8"))


def test_the_shipped_schemas_are_current() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(schemas()), "run ./dev docs"
    for name, schema in schemas().items():
        jsonschema.Draft7Validator.check_schema(schema)
        assert (FOLDER / f"{name}.json").read_text("utf-8") == text_of(schema), "run ./dev docs"


def test_every_rule_file_names_its_schema() -> None:
    without = {path.relative_to(PACKS).as_posix() for path in PACKS.rglob("*.toml")} - {
        path.relative_to(PACKS).as_posix() for path in FILES
    }
    assert not without
    for path in FILES:
        assert schema_of(path)["title"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKS).as_posix())
def test_every_shipped_file_keeps_its_schema(path: Path) -> None:
    jsonschema.validate(content(path), schema_of(path), jsonschema.Draft7Validator)


EXAMPLES = sorted(Path(__file__).parents[2].joinpath("examples").rglob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_example_keeps_its_schema(path: Path) -> None:
    assert path.read_text("utf-8").startswith(DIRECTIVE)
    jsonschema.validate(content(path), schema_of(path), jsonschema.Draft7Validator)


def tables(value: Any, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every table of a file that has keys of its own spelling, not names of a pack."""
    if isinstance(value, dict):
        if {"from", "document", "id", "code", "kind"} & set(value):
            found.append(value)
        for entry in value.values():
            tables(entry, found)
    elif isinstance(value, list):
        for entry in value:
            tables(entry, found)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKS).as_posix())
def test_a_misspelt_key_fails_everywhere(path: Path) -> None:
    data, validator = content(path), jsonschema.Draft7Validator(schema_of(path))
    for position in range(min(len(tables(data, [])), 40)):
        wrong = copy.deepcopy(data)
        table = tables(wrong, [])[position]
        name = next(iter(table))
        table[name + "_"] = table[name]
        assert not validator.is_valid(wrong), (position, name)


SOURCE = 'from = 2020-01-01\nevidence = "reading"\ndocument = "x"\n'
FRAGMENT = f'[[fragment]]\nid = "x"\n[[fragment.rule]]\n{SOURCE}'
HEAD = 'deciding_date = "discharge"\nclearing_funds = ["pooled"]\n'
PACK = 'id = "x"\nname = "x"\nname_zh = "x"\npool = 1\narea = []\nlevel = []\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pooling", f'[[budget]]\n{SOURCE}amount_yuan = "5"'),
        ("pooling", f"[[budget]]\n{SOURCE}amount = 5"),
        ("pooling", f"[[budget]]\n{SOURCE}".replace("reading", "sure") + "amount_yuan = 5"),
        ("pooling", f"[[budget]]\n{SOURCE}".replace("reading", "reprint") + "amount_yuan = 5"),
        ("pooling", f'[[budget]]\n{SOURCE}amount_yuan = 5\nscheme = "310"'),
        ("catalogue", f'[[rule]]\n{SOURCE}refund = "mirrored"'),
        ("benefit", f"{FRAGMENT}rate_percent = 101"),
        ("benefit", FRAGMENT + "rate_percent = { active = { tertiary = [80, 101] } }"),
        ("pack", f'{PACK}[options]\nrule_dates = "discharge"'),
        ("payment", f'{HEAD}[[method]]\n{SOURCE}method = "by_items"'),
        ("payment", f'{HEAD}[[method]]\n{SOURCE}method = "by_item"\nschemes = ["310"]'),
        ("payment", f'{HEAD}[[method]]\n{SOURCE}method = "by_item"\nscheme = ["310"]'),
        ("payment", f'{HEAD}[[method]]\n{SOURCE}method = "by_item"\n[[point_value]]\n{SOURCE}value_yuan = "88.5"'),
        ("payment", f'{HEAD}[[method]]\n{SOURCE}method = "by_item"\n[[contract]]\n{SOURCE}scheme = "resident"'),
        ("payment", '[[method]]\nmethod = "by_item"'),
        ("scheme", 'no_drg_fits = "whatever"'),
        ("scheme", "retry = true"),
        ("published", 'year = 2020\n[[target]]\nmeasure = "mean_stay_days"\npercent = 9'),
        ("coding_checks", '[[check]]\nid = "x"\nkind = "smell"\nseverity = "note"\ntext = "x"\ntext_zh = "x"'),
    ],
)
def test_what_the_reader_refuses_fails(name: str, text: str) -> None:
    assert not jsonschema.Draft7Validator(schemas()[name]).is_valid(plain(tomllib.loads(text)))


def test_an_official_value_needs_a_number_and_a_link() -> None:
    validator = jsonschema.Draft7Validator(schemas()["pooling"])
    budget = {"from": "2020-01-01", "amount_yuan": 5, "checked_on": "2026-11-21", "evidence": "official"}
    good = budget | {"document": "浙医保发〔2021〕56号", "link": "https://ybj.zj.gov.cn/art/1.html"}
    assert validator.is_valid({"budget": [good]})
    for name in ("link", "checked_on", "document"):
        assert not validator.is_valid({"budget": [{key: value for key, value in good.items() if key != name}]})
    assert not validator.is_valid({"budget": [good | {"document": "a report"}]})


def test_the_command_prints_and_writes(capsys, tmp_path) -> None:
    assert main(["rules", "schema"]) == 0 and "pooling: Month" in capsys.readouterr().out
    assert main(["rules", "schema", "pooling"]) == 0
    assert json.loads(capsys.readouterr().out) == schemas()["pooling"]
    assert main(["rules", "schema", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "benefit.json").read_text("utf-8") == text_of(schemas()["benefit"])
