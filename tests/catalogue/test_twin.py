"""The kernel and the slow twin give equal answers for any claim over the toy catalogue, under every reading."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudicator import limits
from adjudicator.catalogue.section import OPTIONS
from adjudicator.codes import PERSON_TYPES, LineNote, Place, Scheme
from adjudicator.errors import E
from tests.catalogue import naive, toy

CODES = [line.split(",")[0] for line in toy.ITEM.splitlines()[1:]] + ["UNKNOWN"]
GROUPS = {name: (scheme, types) for name, scheme, types in toy.VIEW.person_groups}
DATES = [20191231, 20200101, 20210228, 20211231, 20220101, 20221231, 20231231, 20240229]
PARTS = ("wholly_self_paid_fen", "over_ceiling_fen", "first_pay_fen", "in_scope_fen")
CLASS_NUMBER = {"": 0, "A": 1, "B": 2, "C": 3}


def option_block(name: str, value: str) -> str:
    return f'[[rule]]\nfrom = 2020-01-01\n{name} = "{value}"\n{toy.HEADER}'


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """A catalogue for each combination of readings that is asked for, and the folder for the twin."""
    made = {}
    folder = tmp_path_factory.mktemp("toy")
    toy.write(folder / "plain")

    def book(choices: tuple[str, ...]):
        if choices not in made:
            options = "".join(map(option_block, OPTIONS, choices))
            text = toy.SETTINGS + toy.PROGRAMME + options
            made[choices] = toy.catalogue(folder / str(len(made)), settings=text)
        return made[choices]

    return book, naive.Book.read(folder / "plain", groups=GROUPS)


quantities = st.one_of(st.integers(1, 30).map(lambda n: n * 10_000), st.integers(1, 300_000), st.just(10**10))
dearest = st.just(limits.MAX_UNIT_PRICE_E4)
prices = st.one_of(st.integers(0, 20_000).map(lambda n: n * 10_000), st.integers(0, 10**8), dearest)


@st.composite
def fees(draw):
    """Lines with whatever a hospital may send: amounts that are the product or not, refunds before and after."""
    lines = []
    for _ in range(draw(st.integers(1, 6))):
        quantity, price = draw(quantities), draw(prices)
        exact = (price * quantity + 5 * 10**7) // 10**8
        amount = min(max(exact + draw(st.sampled_from([0, 0, 0, 1, -1, 12345])), 0), 10**12)
        lines.append([draw(st.sampled_from(CODES)), quantity, price, amount, draw(st.sampled_from(DATES)), -1])
    for _ in range(draw(st.integers(0, 4))):
        number = draw(st.integers(0, len(lines) - 1))
        code, quantity, price, amount, _, original = lines[number]
        if original >= 0 or quantity <= 0:
            continue
        back = draw(st.integers(1, quantity)) if draw(st.booleans()) else quantity
        money = draw(st.integers(0, amount)) if draw(st.booleans()) else amount * back // quantity
        lines.append([code, -back, price, -money, draw(st.sampled_from(DATES)), number])
    if draw(st.integers(0, 19)) == 0:
        lines.append(
            ["XA01", draw(st.sampled_from([0, 10_000, -10_000])), 1000, draw(st.sampled_from([-5, 5])), 20220101, -1]
        )
    order = draw(st.permutations(range(len(lines))))
    shuffled = [lines[number] for number in order]
    return [[*line[:5], order.index(line[5]) if line[5] >= 0 else -1] for line in shuffled]


claims = st.fixed_dictionaries(
    {
        "county": st.integers(0, 2), "care_county": st.integers(-1, 2), "level": st.integers(-1, 2),
        "scheme": st.sampled_from(["employee", "resident"]),
        "person_type": st.sampled_from(["11", "12", "1201", "14", "15"]),
        "away": st.booleans(), "suspended": st.sampled_from([False] * 9 + [True]),
        "programme": st.sampled_from([0, 0, 0, 1]), "approval": st.integers(0, 2),
    }
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(lines=fees(), who=claims, choices=st.tuples(*(st.sampled_from(values) for values in list(OPTIONS.values())[:5])))
def test_equal_to_the_twin(books, lines, who, choices):
    book_of, twin_book = books
    book = book_of((*choices, "care_place", "fen_a_unit", "warn"))
    fee_rows = [
        toy.Fee(code, toy.text(amount, 2), toy.text(quantity, 4), toy.text(price, 6), date, who["approval"], original)
        for code, quantity, price, amount, date, original in lines
    ]
    got = toy.split(
        book, *fee_rows, county=who["county"], care_county=who["care_county"], price_level=who["level"],
        scheme=Scheme[who["scheme"].upper()], person_type=PERSON_TYPES.index(who["person_type"]),
        place=Place.OUTSIDE if who["away"] else Place.LOCAL, suspended=who["suspended"], programme=who["programme"],
    )  # fmt: skip
    insured = toy.VIEW.areas[who["county"]]
    person = naive.Person(
        insured, toy.VIEW.areas[who["care_county"]] if who["care_county"] >= 0 else insured,
        toy.VIEW.level_groups[who["level"]] if who["level"] >= 0 else None, who["scheme"], who["person_type"],
        who["away"], who["suspended"], ("XN*", "T001") if who["programme"] else (),
    )  # fmt: skip
    options = naive.Options(**dict(zip(OPTIONS, choices, strict=False)))
    twin_lines = [
        naive.Line(
            code, Fraction(amount, 100), Fraction(quantity, 10_000), Fraction(price, 10**6), date, who["approval"], of
        )
        for code, quantity, price, amount, date, of in lines
    ]
    parts, sums = naive.split_claim(twin_book, person, options, twin_lines)

    lines_got = [toy.named(row) for row in got.lines]
    for number, (row, part) in enumerate(zip(lines_got, parts, strict=True)):
        assert E(row["error"]).name == (part.error or "NONE"), (number, row)
        if part.error:
            continue
        expected = dict(zip(PARTS, (yuan * 100 for yuan in part.amounts()), strict=True))
        expected["note"] = LineNote[part.note or "NONE"]
        if part.note != "REFUND" or part.item_class:
            expected["item_class"] = CLASS_NUMBER[part.item_class]
            expected["first_pay_ppm"] = part.ratio * 10**6
        assert {name: row[name] for name in expected} == expected, number
    total = toy.named(got.total)
    if any(part.error for part in parts):
        assert got.claim["error"] == min(E[part.error] for part in parts if part.error)
        assert total == dict.fromkeys(total, 0)
        return
    assert got.claim["error"] == 0
    expected = dict(zip(PARTS, (yuan * 100 for yuan in sums.parts), strict=True)) | {
        "copay_free_fen": sums.copay_free * 100, "special_drug_fen": sums.special_drug * 100,
        "special_self_paid_fen": sums.special_self_paid * 100,
        "hospital_borne_fen": sums.hospital_borne * 100, "in_catalogue_excess_fen": sums.in_catalogue_excess * 100,
        "class_a_fen": sums.class_a * 100, "class_b_fen": sums.class_b * 100,
    }  # fmt: skip
    assert {name: total[name] for name in expected} == expected
    assert sum(total[name] for name in PARTS) == int(got.claim["total_fen"])  # H1
    assert {name: value for name, value in total.items() if value < 0} == {}
