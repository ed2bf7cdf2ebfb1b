"""A small catalogue of every kind of rule, written to files and read by the real loader."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adjudicator import columns
from adjudicator.catalogue.check import PackView
from adjudicator.catalogue.line_split import LineBatch
from adjudicator.catalogue.lines import split_lines
from adjudicator.catalogue.section import Catalogue, CatalogueSource, compile_sections, load_folders
from adjudicator.codes import PERSON_TYPES, Place, Scheme
from adjudicator.rulefile.faults import Faults

VIEW = PackView(
    "toy",
    "990100",
    ("990101", "990102", "990199"),
    ("tertiary", "other", "community"),
    (("retired", "employee", ("12",)), ("minors", "resident", ("14",))),
    ("epidemic",),
)

HEADER = (
    'document = "玩医保〔2020〕1号"\nlink = "https://example.org/rules/1.html"\n'
    'checked_on = 2026-11-20\nevidence = "official"\n'
)
SETTINGS = "".join(f'[files."{name}.csv"]\n{HEADER}' for name in ("item", "class", "ceiling", "ratio", "ratio_rule"))
PROGRAMME = f'[[programme]]\nid = "epidemic"\ncovers = ["XN*", "T001"]\nfrom = 2020-01-22\n{HEADER}'

ITEM = """code,name,list_type,charge_category,flags
XA01,甲类药,101,09,
XA10B,降糖药,101,09,
XB05A,血液制品,101,09,
XN02,抗病毒药,101,09,
XL01,谈判药,101,09,special_drug negotiated
XR00,限制用药,101,09,
T001,检查项目,201,03,
C001,植入耗材,301,08,
C002,免自付耗材,301,08,co_pay_free
B001,床位费,201,01,
Z001,整项自费药,101,11,
H001,医院负担药,101,11,
V001,目录内超限药,101,11,
N001,按行限价,201,05,
S001,丙类特殊药品,201,14,special_drug
P001,支付标准药,101,09,
"""
CLASS = """code,area,class,restricted_use,from,to
XA01,990000,A,,2020-01-01,
XA10B,990000,B,,2020-01-01,2023-12-31
XA10B,990000,A,,2024-01-01,
XB05A,990000,B,,2020-01-01,
XN02,990000,C,,2020-01-01,
XL01,990000,B,,2021-03-01,2022-12-31
XR00,990000,B,true,2020-01-01,
T001,990000,B,,2020-01-01,
T001,990102,C,,2020-01-01,
C001,990000,B,,2020-01-01,
C002,990000,B,,2020-01-01,
B001,990000,A,,2020-01-01,
Z001,990000,B,,2020-01-01,
H001,990000,A,,2020-01-01,
V001,990000,B,,2020-01-01,
N001,990000,A,,2020-01-01,
S001,990000,C,,2020-01-01,
P001,990000,A,,2020-01-01,
"""
CEILING = """code,area,level_group,ceiling_yuan,handling,from,to
B001,990100,tertiary,50,excess_to_patient,2020-01-01,
B001,990100,other,40,excess_to_patient,2020-01-01,
B001,990100,*,30,excess_to_patient,2020-01-01,
B001,990101,tertiary,60,excess_to_patient,2022-01-01,
C001,990000,*,10000,excess_to_patient,2020-01-01,
Z001,990000,*,100,item_self_paid,2020-01-01,
H001,990000,*,2.5,excess_to_hospital,2020-01-01,
V001,990000,*,80.123456,excess_in_catalogue,2020-01-01,
N001,990000,*,200,line_ceiling,2020-01-01,
P001,990000,*,8,excess_to_patient,2020-01-01,
"""
RATIO = """code,area,person_class,ratio_class,first_pay_percent,from,to
C001,990000,*,*,30,2020-01-01,
C001,990100,*,*,20,2022-01-01,
C001,990100,employee/retired,*,10,2022-01-01,
C002,990000,*,*,0,2020-01-01,
XL01,990000,employee,*,5,2020-01-01,
XL01,990000,resident,local,10,2020-01-01,
XL01,990000,resident,cross_region,20,2020-01-01,
"""
RATIO_RULE = """code,list_type,class,area,person_class,ratio_class,first_pay_percent,from,to
*,101,B,990000,*,*,3,2020-01-01,
XA10*,101,B,990000,*,*,1,2020-01-01,
XB05A*,101,B,990000,*,*,5,2020-01-01,
*,*,B,990000,*,*,15,2020-01-01,
C0*,301,B,990102,*,*,25,2023-01-01,
"""


def write(folder: Path, **files: str) -> Path:
    """Writes the toy catalogue, with some files replaced (``class_`` is ``class.csv``, ``settings`` the TOML)."""
    texts = {"item": ITEM, "class": CLASS, "ceiling": CEILING, "ratio": RATIO, "ratio_rule": RATIO_RULE}
    texts |= {name.rstrip("_"): text for name, text in files.items()}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "catalogue.toml").write_text(texts.pop("settings", SETTINGS + PROGRAMME), "utf-8")
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, "utf-8")
    return folder


def read(folder: Path, view: PackView = VIEW) -> tuple[CatalogueSource, Faults]:
    """Loads a catalogue folder."""
    faults = Faults()
    return load_folders([(folder, "catalogue")], view, faults), faults


def catalogue(folder: Path, view: PackView = VIEW, **files: str) -> Catalogue:
    """The compiled toy catalogue; any fault fails the test."""
    source, faults = read(write(folder, **files), view)
    assert not faults, "\n".join(map(str, faults))
    return compile_sections([source])


@dataclass
class Fee:
    """One fee line, in yuan as a person writes it."""

    code: str
    amount: str
    quantity: str = "1"
    price: str = ""
    date: int = 20230601
    approval: int = 0
    original: int = -1
    """Position in the claim."""


def scaled(text: str, digits: int) -> int:
    """A decimal text as an integer of ``10**-digits`` units."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    assert len(fraction) <= digits
    return sign * (int(whole) * 10**digits + int(fraction.ljust(digits, "0") or 0))


def line_columns(book: Catalogue, fees: list[Fee], first: int = 0) -> np.ndarray:
    """The LINE rows of some fees; without a price, the price is the amount divided by the quantity."""
    rows = np.zeros(len(fees), columns.LINE)
    for row, fee in zip(rows, fees, strict=True):
        quantity, amount = scaled(fee.quantity, 4), scaled(fee.amount, 2)
        row["item"] = book.item(fee.code)
        row["quantity_e4"], row["amount_fen"] = quantity, amount
        row["unit_price_e4"] = scaled(fee.price, 6) if fee.price else abs(amount * 10**8) // max(abs(quantity), 1)
        row["fee_date"], row["approval"] = fee.date, fee.approval
        row["flags"] = 1 if quantity < 0 else 0
        row["original"] = first + fee.original if fee.original >= 0 else -1
    return rows


def claim_columns(lines: np.ndarray, **values) -> np.ndarray:
    """One CLAIM row over all the lines: an active employee in a tertiary hospital of the pool."""
    claim = np.zeros(1, columns.CLAIM)
    claim["line_end"] = len(lines)
    claim["scheme"], claim["person_type"] = Scheme.EMPLOYEE, PERSON_TYPES.index("11")
    claim["settlement_date"] = 20230615
    claim["place"] = Place.LOCAL
    claim["total_fen"] = lines["amount_fen"].sum()
    claim["error_line"] = -1
    claim["care_county"] = values.get("county", 0)
    for name, value in values.items():
        claim[name] = value
    return claim


def columns_out(lines: int, claims: int) -> tuple[np.ndarray, np.ndarray]:
    """LINE_SPLIT and SPLIT rows full of rubbish: the kernel must overwrite everything."""
    line_out, split_out = np.zeros(lines, columns.LINE_SPLIT), np.zeros(claims, columns.SPLIT)
    for array in (line_out, split_out):
        array.view(np.uint8).fill(0xAA)
    return line_out, split_out


@dataclass
class Result:
    """What came out: ``lines`` LINE_SPLIT, ``total`` SPLIT, ``claim`` CLAIM."""

    lines: np.ndarray
    total: np.void
    claim: np.void

    def yuan(self, line: int = 0) -> tuple[str, str, str, str]:
        """The four parts of a line: wholly self-paid, over the ceiling, first-pay, in scope."""
        names = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")
        return tuple(f"{int(self.lines[line][name]) / 100:.2f}" for name in names)


def split(book: Catalogue, *fees: Fee, **claim) -> Result:
    """Splits one claim of the given lines."""
    lines = line_columns(book, list(fees))
    claims = claim_columns(lines, **claim)
    line_out, split_out = columns_out(len(lines), 1)
    split_lines(book.rules, LineBatch(claims, lines, line_out, split_out))
    return Result(line_out, split_out[0], claims[0])


def named(row: np.void) -> dict[str, int]:
    """The fields of a row by name, so that a failing comparison prints names and numbers."""
    return {name: int(row[name]) for name in row.dtype.names}


def text(value: int, digits: int) -> str:
    """The opposite of :func:`scaled`."""
    sign = "-" if value < 0 else ""
    return f"{sign}{abs(value) // 10**digits}.{abs(value) % 10**digits:0{digits}d}"
