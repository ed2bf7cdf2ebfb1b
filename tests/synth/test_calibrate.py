"""A city that comes to published figures: its targets as data, the search, and what the command says."""

from __future__ import annotations

import json

import numpy as np
import pytest

from adjudicator.cli.main import main
from adjudicator.synth.calibrate import Seen, Stays, Steps, _moved, figure, knobs_of
from adjudicator.synth.habits import BOUNDS, USUAL
from adjudicator.synth.targets import MEASURES, SHIPPED, TargetsError, read_targets

LEVELS = ("level_1", "primary", "secondary", "tertiary")
GOOD = """
name = "Somewhere"
year = 2020
[[target]]
measure = "mean_stay_days"
days = 9
tolerance_percent = 5
document = "a yearbook"
evidence = "primary"
[[target]]
measure = "level_share"
scheme = "resident"
level = "secondary"
percent = 40
tolerance_points = 1
document = "a yearbook"
evidence = "primary"
"""


def read(tmp_path, text: str):
    path = tmp_path / "targets.toml"
    path.write_text(text, "utf-8")
    return read_targets(str(path), LEVELS)


def test_targets_are_read(tmp_path):
    found = read(tmp_path, GOOD)
    assert (found.name, found.name_zh, found.year) == ("Somewhere", "Somewhere", 2020)
    days, share = found.targets
    assert (days.value, days.tolerance, days.scheme, days.unit) == (9, 0.45, "", "days")
    assert (share.of, share.value, share.tolerance, share.scheme) == ("secondary", 40, 1, "resident")
    assert knobs_of(found.targets) == ("high_levels", "low_levels", "stay_days")


def test_shipped_targets_name_where_they_are_published():
    for path in SHIPPED.glob("*.toml"):
        found = read_targets(path.stem, LEVELS)
        assert found.targets and all(target.document for target in found.targets)
    huzhou = read_targets("huzhou", LEVELS)
    assert [(target.scheme, target.value) for target in huzhou.targets] == [("employee", 85.67), ("resident", 68.64)]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("year = 2020", "", "year: write the year"),
        ("year = 2020", "year = 2020\nyears = 3", "years: no such key"),
        ('measure = "mean_stay_days"', 'measure = "happiness"', "[[target]] 1 measure: write one of inpatient_rate"),
        ("days = 9", "days = 0", "[[target]] 1 days: write a number above 0"),
        ("days = 9", 'days = "9"', "[[target]] 1 days: write a number above 0"),
        ("days = 9", "percent = 9", "percent: no such key of mean_stay_days"),
        ('level = "secondary"', 'level = "moon"', "[[target]] 2 level: write one of level_1"),
        ('scheme = "resident"', 'scheme = "310"', "[[target]] 2 scheme: write one of employee, resident"),
        ("percent = 40", "percent = 101", "at most 100"),
        ('document = "a yearbook"', "", "[[target]] 1 document: name where"),
        ('evidence = "primary"', "", "[[target]] 1 evidence: write one of primary"),
        ("[[target]]", "[[target", "targets.toml"),
    ],
)
def test_faults_say_what_to_write(tmp_path, old, new, says):
    with pytest.raises(TargetsError) as raised:
        read(tmp_path, GOOD.replace(old, new, 1))
    assert says in str(raised.value)


def test_every_measure_is_worked_out(tmp_path):
    seen = Seen(
        {"employee": Stays(3, 30, 400_000, 300_000, 240_000), "resident": Stays(1, 6, 100_000, 80_000, 48_000)},
        {("employee", "secondary"): 1, ("employee", "tertiary"): 2, ("resident", "secondary"): 1},
        {("employee", "pooled_fund"): 200_000, ("employee", "large_sum"): 40_000, ("resident", "pooled_fund"): 48_000},
    )
    want = {
        "inpatient_rate": (80, 60), "inpatient_total_rate": (60, 48), "stays_share": (75, 25),
        "level_share": (100 / 3, 100), "fund_share": (100 * 5 / 6, 100), "mean_stay_days": (10, 6),
        "mean_stay_cost": (4_000 / 3, 1_000),
    }  # fmt: skip
    assert set(want) == set(MEASURES)
    share = read(tmp_path, GOOD).targets[1]
    for measure, (of_employees, of_residents) in want.items():
        of = {"level_share": "secondary", "fund_share": "pooled_fund"}.get(measure, "")
        for scheme, expected in (("employee", of_employees), ("resident", of_residents)):
            target = share._replace(measure=measure, scheme=scheme, of=of)
            assert figure(seen, target) == pytest.approx(expected), (measure, scheme)
    assert figure(seen, share._replace(scheme="")) == 50


def test_a_step_keeps_the_bounds_and_the_others_make_up_for_it():
    knobs = ("employee_cost", "retired")
    most = np.log(BOUNDS["employee_cost"].most / 100)
    moved = _moved(Steps(np.array([[1.0, 1.0]]), np.array([0.7]), knobs), np.array([most - 0.05, 0.0]))
    assert moved[0] == pytest.approx(most) and moved[1] == pytest.approx(0.65)
    moved = _moved(Steps(np.array([[1.0, 1.0]]), np.array([99.0]), knobs), np.zeros(2))
    assert (np.abs(moved) <= np.log(2.0) + 1e-9).all()


def test_usual_habits_lie_inside_their_bounds():
    assert set(BOUNDS) == set(USUAL.as_table())
    assert all(BOUNDS[name].least <= percent <= BOUNDS[name].most for name, percent in USUAL.as_table().items())


@pytest.mark.check
def test_the_command_comes_to_the_figures_or_says_so(tmp_path, capsys):
    path = tmp_path / "targets.toml"
    path.write_text(GOOD.replace("days = 9", "days = 6"), "utf-8")
    command = ["synth", "--pack", "huzhou", "--claims", "2000", "--calibrate", str(path), "--lang", "en", "--output"]
    assert main([*command, str(tmp_path / "one")]) == 0
    told = capsys.readouterr().out
    assert "mean length of a stay" in told and "missed" not in told
    report = json.loads((tmp_path / "one" / "calibration.json").read_text("utf-8"))
    assert all(row["is_met"] and abs(row["reached"] - row["target"]) <= row["tolerance"] for row in report["targets"])
    assert main([*command, str(tmp_path / "two")]) == 0
    for name in ("claims.pb", "calibration.json", "about.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name
    path.write_text(GOOD.replace("days = 9", "days = 900"), "utf-8")
    assert main([*command[:-1], "--json", "--output", str(tmp_path / "three")]) == 1
    assert not json.loads(capsys.readouterr().out.splitlines()[-1])["calibration"]["targets"][0]["is_met"]


@pytest.mark.check
def test_huzhou_comes_to_its_published_rates(tmp_path):
    command = ["synth", "--pack", "huzhou", "--claims", "12000", "--calibrate", "huzhou", "--output", str(tmp_path)]
    assert main(command) == 0


def test_calibrating_needs_one_pack_and_enough_claims(tmp_path, capsys):
    packs = ["--pack", "huzhou", "--pack", "hangzhou"]
    for more in ([*packs, "--claims", "5000"], ["--pack", "huzhou", "--claims", "10"]):
        assert main(["synth", *more, "--calibrate", "huzhou", "--output", str(tmp_path / "out")]) == 2
    assert "at least 2000 claims" in capsys.readouterr().err
    (tmp_path / "wrong.toml").write_text("year = 3", "utf-8")
    command = ["synth", "--pack", "huzhou", "--claims", "2000", "--output", str(tmp_path / "out"), "--calibrate"]
    assert main([*command, str(tmp_path / "wrong.toml")]) == 2
    assert "wrong.toml: [[target]]: write at least one" in capsys.readouterr().err
