"""docs/your-city.md: what it makes is examples/guangzhou; its cases come out, it serves, faults are named."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.json_format import ParseDict

from adjudicator.cases.file import read_cases
from adjudicator.cases.run import run_case
from adjudicator.claim.local import price_message
from adjudicator.cli.main import main
from adjudicator.rules.bundle import load_bundle
from adjudicator.service.process import ServiceProcess
from adjudicator.v1 import claim_pb2, settlement_pb2


def page(root) -> str:
    return (root / "docs" / "your-city.md").read_text(encoding="utf-8")


def files_of_the_page(root) -> dict[str, str]:
    """The files of the page, as it shows them."""
    return dict(re.findall(r"^\*\*`(guangzhou/[^`]+)`\*\*\n\n```\w+\n(.*?)^```", page(root), re.MULTILINE | re.DOTALL))


@pytest.fixture
def city(root, tmp_path) -> Path:
    """The finished folder, copied."""
    return Path(shutil.copytree(root / "examples" / "guangzhou", tmp_path / "guangzhou"))


def settled(city: Path, file: str, name: str):
    (case,) = [case for case in read_cases([city / file], str(city)) if case.name == name]
    return run_case(case)[0].amounts()


def test_page_and_folder_are_the_same(root):
    shown = files_of_the_page(root)
    folder = root / "examples"
    made = {str(path.relative_to(folder)): path.read_text("utf-8") for path in folder.rglob("*") if path.is_file()}
    assert sorted(shown) == sorted(made)
    for name, text in shown.items():
        assert text == made[name], name


def test_each_step_leads_to_the_next_file(root, tmp_path, capsys):
    """After every file of the page ``rules check`` names what is still missing, until nothing is."""
    for name, text in files_of_the_page(root).items():
        assert main(["rules", "check", str(tmp_path / "guangzhou")]) in (0, 1)
        said = capsys.readouterr().out
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        for line in said.splitlines():
            if "missing" in line or "does not exist" in line:
                assert " — " in line, line
    assert main(["rules", "check", str(tmp_path / "guangzhou")]) == 0


def test_the_pack_has_no_fault(city):
    assert main(["rules", "check", str(city)]) == 0


def test_its_rules_are_shown_with_their_documents(city, capsys):
    assert main(["rules", "show", str(city), "--on", "2024-06-01"]) == 0
    said = capsys.readouterr().out
    assert "居民住院" in said and "18,000" in said and "gz.bendibao.com si317816" in said and "not verified" in said


def test_the_published_example_comes_out(city):
    amounts = settled(city, "cases.yaml", "BEN-20")
    assert [amounts[name] for name in ("pooled_fund", "catastrophic", "fund_total", "cash")] == [
        69_510_00, 7_374_00, 76_884_00, 23_116_00,
    ]  # fmt: skip


@pytest.mark.parametrize("file", ["cases.yaml", "lines.yaml"])
def test_its_cases_come_out(city, file):
    assert main(["settle", "--pack", str(city), str(city / file)]) == 0


def test_before_the_catalogue_the_cases_of_step_four_come_out(city):
    shutil.rmtree(city / "catalogue")
    assert main(["settle", "--pack", str(city), str(city / "cases.yaml")]) == 0


def claim(city: Path) -> claim_pb2.Claim:
    return ParseDict(json.loads((city / "claim.json").read_text("utf-8")), claim_pb2.Claim())


def test_its_message_settles_in_this_process(city):
    answer = price_message(load_bundle([city]), claim(city))
    assert answer.outcome == settlement_pb2.OUTCOME_TRIAL, answer.problems
    assert (answer.total_fen, answer.over_ceiling_fen, answer.first_pay_fen) == (4_290_00, 50_00, 159_50)
    assert (answer.deductible_fen, answer.pooled_fund_fen, answer.cash_fen) == (1_600_00, 1_504_40, 2_785_60)
    assert answer.payment.due_fen == 1_504_40, "by item the hospital is owed what the fund pays"


def test_it_serves_and_the_caller_prints_what_the_page_shows(city, root, tmp_path):
    shutil.copy(root / "docs" / "first-call" / "first_call.py", city)
    options = ("--pack", str(city), "--listen", "127.0.0.1:0", "--data", str(tmp_path / "ledger"))
    with ServiceProcess(*options, log=tmp_path / "service.log") as service:
        service.wait_until_serving()
        command = [sys.executable, city / "first_call.py", service.address]
        printed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert printed in page(root)


def test_a_misspelt_level_is_named_as_the_page_says(city, root, capsys):
    file = city / "benefit" / "employee.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("first = 90", "frist = 90"), encoding="utf-8")
    assert main(["rules", "check", str(city)]) == 1
    assert capsys.readouterr().out.split("\n", 1)[1] in page(root)
    assert main(["settle", "--pack", str(city), str(city / "cases.yaml")]) == 1
    said = capsys.readouterr().err
    assert "employee.toml" in said and "frist" in said


@pytest.mark.parametrize(
    ("option", "over", "first_pay"),
    [("care_place", 400_00, 159_50), ("insurance_place", 300_00, 159_50), ("care_place_whole", 400_00, 478_50)],
)
def test_whose_catalogue_holds_elsewhere(city, tmp_path, option, over, first_pay):
    """A bed at 60 x 20 has the ceiling 40 in the toy city and 45 at home; a drug of 3,190 has 15 % first pay there."""
    source = 'document = "example"\nevidence = "demonstration"\n'
    with (city / "catalogue" / "catalogue.toml").open("a", encoding="utf-8") as stream:
        stream.write(f'\n[[rule]]\nfrom = 2014-01-01\ncross_region = "{option}"\n{source}')
    plans = city / "benefit" / "resident.toml"
    text = plans.read_text("utf-8").replace('place = "local"', 'place = "any"')
    everywhere = '\ncross_region = [{ place = ["province", "outside"], filing = "any" }]\nrate_percent'
    plans.write_text(text.replace("\nrate_percent", everywhere), encoding="utf-8")
    path = tmp_path / "case.yaml"
    path.write_text(
        f"case: X\npack: ['{city}', taohuayuan]\nperson: {{scheme: resident}}\n"
        "claim: {level: third, care_area: '990001', date: 2024-06-01, "
        "lines: [{item: '001109000010000', price: 60, quantity: 20}, "
        "{item: XJ01DDH061C058010227547, price: 31.90, quantity: 100}]}\n",
        encoding="utf-8",
    )
    (case,) = read_cases([path])
    amounts = run_case(case)[0].amounts()
    assert (amounts["over_ceiling"], amounts["first_pay"]) == (over, first_pay)
