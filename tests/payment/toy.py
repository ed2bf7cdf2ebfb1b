"""A small town for the payment tests: three hospitals of three classes, four groups, every kind of table."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np

from adjudicator.codes import CareKind, GroupStatus
from adjudicator.columns import BENEFIT, CLAIM, GROUP, PAYMENT, SPLIT
from adjudicator.payment.pay import pay
from adjudicator.payment.section import Codes, Grouping, Groupings, PackView, compile_packs, read_payment
from adjudicator.rulefile.faults import Faults

VIEW = PackView(
    id="toy",
    hospitals=("H00000000001", "H00000000002", "H00000000003", "H00000000004"),
    hospital_classes=("tertiary", "secondary", "primary", ""),
    classes=("tertiary", "secondary", "primary"),
    diseases=("M01", "M02", "M03"),
    departments={"": 0, "A08": 1, "B01": 2},
    assistances={"low_income": 1},
    areas=("990101", "990102"),
)
CODES = Codes(
    drgs={"FR21": 0, "FR23": 1, "GB25": 2, "TR19": 3, "FR2": 4},
    diagnoses={"F20.000": 0, "F20.100": 1, "I21.000": 2, "K35.900": 3},
    procedures={"47.0100": 0, "36.0600": 1},
)
GROUPINGS = Groupings((Grouping("toy-drg", 20200101, 20991231, CODES),))

MARK = (
    'document = "玩医保〔2025〕1号"\nclause = "1"\nlink = "https://example.org/rules/1.html"\n'
    'checked_on = "2025-01-01"\nevidence = "official"\n'
)
SOURCE = "from = 2025-01-01\n" + MARK

POINTS = (
    "drg,kind,base_points,average_yuan,average_tertiary_yuan,average_secondary_yuan,average_primary_yuan\n"
    + "\n".join(
        [
            "FR21,case,120.0000,12000.00,14000.00,11000.00,9000.00",
            "FR23,case,,8000.00,9000.00,7500.00,6000.00",
            "GB25,case,310.5000,31050.00,33000.00,30000.00,28000.00",
            "TR19,bed_day,4.0000,,,,",
        ]
    )
)
COEFFICIENTS = "component,subject,drg,value\n" + "\n".join(
    [
        "hospital,H00000000001,,1.05",
        "hospital,H00000000002,,0.95",
        "hospital,H00000000002,GB25,1.10",
        "hospital,H00000000003,,0.80",
        "level,tertiary,,1.1",
        "level,primary,,0.7",
    ]
)
DRG = f"""
[[drg]]
{SOURCE}
file = "points.csv"
scale_points = 100
decimals = 4
all_average_yuan = 10000
mode = "total_cost"
ungrouped = "cost_points"
[drg.coefficient]
family = 1
file = "coefficients.csv"
decimals = 4
no_coefficient = ["FR23"]
{MARK}
[drg.incomplete]
discharge_way = ["2", "4"]
use_coefficient = true
cap = "base"
{MARK}
"""
BY_ITEM = f"""
[[method]]
id = "item"
{SOURCE}
method = "by_item"
priority = -1
"""
INPATIENT_DRG = f"""
[[method]]
id = "drg"
{SOURCE}
method = "drg_points"
care = ["inpatient"]
registered = true
"""
VALUE = f"""
[[point_value]]
{SOURCE}
scheme = "employee"
value_yuan = 95.5
[[point_value]]
{SOURCE}
scheme = "resident"
value_yuan = 80.123456
"""
HEAD = 'deciding_date = "discharge"\nclearing_funds = ["pooled"]\n'
THIN = HEAD + BY_ITEM + INPATIENT_DRG + DRG + VALUE


def write_pack(folder: Path, toml: str, **files: str) -> Path:
    """Writes payment.toml and its tables; ``files`` maps a name without ``.csv`` to its text."""
    (folder / "payment.toml").write_text(toml, encoding="utf-8")
    for name, text in {"points": POINTS, "coefficients": COEFFICIENTS, **files}.items():
        (folder / f"{name}.csv").write_text(text + "\n", encoding="utf-8")
    return folder


def read(folder: Path, toml: str, **files: str):
    """The pack's payment rules and their faults."""
    faults = Faults()
    return read_payment(write_pack(folder, toml, **files), VIEW, GROUPINGS, faults), faults


def bundle(folder: Path, toml: str, **files: str) -> SimpleNamespace:
    """A bundle with one compiled pack."""
    rules, faults = read(folder, toml, **files)
    faults.raise_if_any("toy")
    return SimpleNamespace(payment=compile_packs([rules]))


def batch(count: int) -> SimpleNamespace:
    """Columns of local inpatient employee claims in hospital 1, group FR21, 10,000 yuan, fund 7,000."""
    claims = np.zeros(count, CLAIM)
    claims["care_kind"], claims["scheme"], claims["settlement_date"] = CareKind.INPATIENT, 1, 20250310
    claims["discharge_date"], claims["admission_date"], claims["stay_days"] = 20250309, 20250301, 8
    claims["disease"], claims["total_fen"], claims["discharge_way"] = -1, 1_000_000, 1
    splits, benefits = np.zeros(count, SPLIT), np.zeros(count, BENEFIT)
    benefits["pooled_fen"] = benefits["fund_total_fen"] = 700_000
    benefits["personal_total_fen"] = 300_000
    groups = np.zeros(count, GROUP)
    groups["status"] = GroupStatus.GROUPED
    return SimpleNamespace(claims=claims, splits=splits, benefits=benefits, groups=groups, out=np.zeros(count, PAYMENT))


def paid(rules: SimpleNamespace, b: SimpleNamespace, codes=None) -> np.ndarray:
    """PAYMENT of a batch."""
    pay(rules, b.claims, b.splits, b.benefits, b.groups, b.out, codes)
    return b.out
