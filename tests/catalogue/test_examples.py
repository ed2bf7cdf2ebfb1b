"""Lines whose split is printed in a source, and each rule of the split once, on lines that a person can check."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudicator import limits
from adjudicator.catalogue import line_amounts
from adjudicator.catalogue.section import Catalogue, compile_sections, load_section
from adjudicator.codes import PERSON_TYPES, ItemClass, LineNote, Place, Scheme
from adjudicator.errors import E
from adjudicator.limits import NO_CEILING_E4
from adjudicator.rounding import divide_half_up
from adjudicator.rulefile.faults import Faults
from adjudicator.rules.load import load_pack
from tests.catalogue import toy
from tests.catalogue.toy import Fee, split

HEAD_CLASS = "code,area,class,restricted_use,from,to\n"
HEAD_RATIO = "code,area,person_class,ratio_class,first_pay_percent,from,to\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory) -> Catalogue:
    return toy.catalogue(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def zhejiang(packs) -> Catalogue:
    """The catalogue of the pack hangzhou with the provincial ratios."""
    faults = Faults()
    pack = load_pack("hangzhou", faults)
    catalogue = compile_sections([load_section(packs / "hangzhou", pack, faults)])
    assert not faults, "\n".join(map(str, faults))
    return catalogue


@pytest.fixture
def samples(tmp_path) -> Catalogue:
    """One item of class B at 5 %, one at 10 %, one of class A."""
    item = "code,name,list_type,charge_category,flags\nB5,x,101,09,\nB10,x,101,09,\nA,x,101,09,\n"
    class_ = HEAD_CLASS + "".join(f"{code},990000,{code[0]},,2020-01-01,\n" for code in ("B5", "B10", "A"))
    ratio = HEAD_RATIO + "B5,990000,*,*,5,2020-01-01,\nB10,990000,*,*,10,2020-01-01,\n"
    settings = "".join(
        f'[files."{name}.csv"]\n{toy.HEADER}' for name in ("item", "class", "ratio", "ceiling", "ratio_rule")
    )
    empty = toy.CEILING.splitlines()[0] + "\n"
    rules = toy.RATIO_RULE.splitlines()[0] + "\n"
    return toy.catalogue(
        tmp_path / "book", item=item, class_=class_, ratio=ratio, ceiling=empty, ratio_rule=rules, settings=settings
    )


# ------------------------------------------------------------------------------------------------ printed examples


def test_smp_2_first_pay_of_a_class_b_line(samples):
    """SMP-2: 4.52 at 5 % is 0.226, so 0.23 first-pay and 4.29 in scope (section 3.3, step 3)."""
    assert split(samples, Fee("B5", "4.52")).yuan() == ("0.00", "0.00", "0.23", "4.29")


def test_smp_3_a_refund_mirrors_its_lines(samples):
    """SMP-3: the refund of 4.52 of class B and 20.58 of class A is -0.23 and -24.87."""
    back = [Fee("B5", "-4.52", "-1", original=0), Fee("A", "-20.58", "-1", original=1)]
    result = split(samples, Fee("B5", "4.52"), Fee("A", "20.58"), *back)
    assert result.yuan(2) == ("0.00", "0.00", "-0.23", "-4.29")
    assert result.yuan(3) == ("0.00", "0.00", "0.00", "-20.58")
    assert result.lines["first_pay_fen"][2:].sum() == -23
    assert result.lines["in_scope_fen"][2:].sum() == -2487
    assert all(result.total[name] == 0 for name in result.total.dtype.names)


def test_smp_5_half_a_fen_goes_up(samples):
    """SMP-5: 545.50 at 5 % is 27.275, so 27.28."""
    assert split(samples, Fee("B5", "545.50")).yuan() == ("0.00", "0.00", "27.28", "518.22")


def test_der_15_ratios_of_zhejiang(zhejiang):
    """DER-15: metoprolol (XC07) 50.00 at 1 %, gliclazide (XA10) 33.33 at 1 %, plasma (XB05A) 128.50 at 5 %."""
    by_prefix = {prefix: code for code in reversed(zhejiang.codes) for prefix in (code[:4], code[:5])}
    fees = [
        Fee(code_of(zhejiang, "XC07AB", "B"), "50.00", date=20220601),
        Fee(code_of(zhejiang, "XA10BB", "B"), "33.33", date=20220601),
        Fee(by_prefix["XB05A"], "128.50", date=20220601),
    ]
    result = split(zhejiang, *fees, price_level=-1)
    assert [result.yuan(line)[2] for line in range(3)] == ["0.50", "0.33", "6.43"]


def code_of(book: Catalogue, prefix: str, item_class: str) -> str:
    """A code with a prefix and class, without a ceiling, so that only its ratio speaks."""
    for item, code in enumerate(book.codes):
        version = book.rules.versions[book.rules.first[0, item]]
        no_ceiling = book.rules.ceiling_e4[version["ceiling"], -1] == NO_CEILING_E4
        if code.startswith(prefix) and version["item_class"] == ItemClass[item_class] and no_ceiling:
            return code
    raise LookupError(prefix)


def test_ben_21_services_a_and_b_drugs(samples):
    """BEN-21: services 2,000, A drugs 3,000, B drugs 5,000 at 10 %: 500 first-pay, 9,500 in scope."""
    result = split(samples, Fee("A", "2000"), Fee("A", "3000"), Fee("B10", "5000"))
    assert (result.total["first_pay_fen"], result.total["in_scope_fen"]) == (50_000, 950_000)
    assert (result.total["class_a_fen"], result.total["class_b_fen"]) == (500_000, 500_000)


def test_ben_33_payment_standard(book):
    """BEN-33: price 10, standard 8: 2 is the patient's outright, 8 is shared by the rates."""
    assert split(book, Fee("P001", "10")).yuan() == ("0.00", "2.00", "0.00", "8.00")


def test_ben_34_first_pay_before_the_rate(samples):
    """BEN-34b: B drug 100 at 10 %: 10 first-pay, 90 for the rates."""
    assert split(samples, Fee("B10", "100")).yuan() == ("0.00", "0.00", "10.00", "90.00")


# ------------------------------------------------------------------------------------------------ each rule once

TABLE = [
    # what, fee, "wholly self-paid, over the ceiling, first-pay, in scope", note
    ("class A", Fee("XA01", "4.52"), "0.00 0.00 0.00 4.52", LineNote.NONE),
    ("class B by the general rule, 3 %", Fee("XR00", "100"), "0.00 0.00 3.00 97.00", LineNote.NONE),
    ("class B by the longer pattern, 1 %", Fee("XA10B", "33.33"), "0.00 0.00 0.33 33.00", LineNote.NONE),
    ("became class A", Fee("XA10B", "33.33", date=20240101), "0.00 0.00 0.00 33.33", LineNote.NONE),
    ("class C", Fee("S001", "12"), "12.00 0.00 0.00 0.00", LineNote.CLASS_C),
    ("restricted use refused", Fee("XR00", "9", approval=2), "9.00 0.00 0.00 0.00", LineNote.RESTRICTED_USE_REFUSED),
    ("restricted use approved", Fee("XR00", "100", approval=1), "0.00 0.00 3.00 97.00", LineNote.NONE),
    ("not listed any more", Fee("XL01", "9", date=20230101), "9.00 0.00 0.00 0.00", LineNote.NOT_VALID_ON_FEE_DATE),
    ("not listed yet", Fee("XL01", "9", date=20210228), "9.00 0.00 0.00 0.00", LineNote.NOT_VALID_ON_FEE_DATE),
    ("excess to the patient", Fee("B001", "140", "2"), "0.00 20.00 0.00 120.00", LineNote.OVER_CEILING_SELF_PAID),
    ("at the ceiling", Fee("B001", "120", "2"), "0.00 0.00 0.00 120.00", LineNote.NONE),
    ("whole item self-paid", Fee("Z001", "100.01"), "100.01 0.00 0.00 0.00", LineNote.OVER_CEILING_WHOLE_SELF_PAID),
    ("excess to the hospital", Fee("H001", "10", "2"), "0.00 5.00 0.00 5.00", LineNote.OVER_CEILING_BORNE_BY_HOSPITAL),
    ("excess in catalogue", Fee("V001", "100"), "0.00 19.88 2.40 77.72", LineNote.OVER_CEILING_IN_CATALOGUE),
    ("ceiling on the line", Fee("N001", "300", "30"), "0.00 100.00 0.00 200.00", LineNote.OVER_CEILING_SELF_PAID),
    ("ceiling, then first-pay", Fee("C001", "12000"), "0.00 2000.00 2000.00 8000.00", LineNote.OVER_CEILING_SELF_PAID),
    ("co-pay-free", Fee("C002", "50"), "0.00 0.00 0.00 50.00", LineNote.CO_PAY_FREE),
    ("L2 differs", Fee("XA01", "10.01", "2", "5"), "0.00 0.00 0.00 10.01", LineNote.PRICE_TIMES_QUANTITY_DIFFERS),
]  # fmt: skip


@pytest.mark.parametrize(("what", "fee", "parts", "note"), TABLE, ids=[row[0] for row in TABLE])
def test_rule(book, what, fee, parts, note):
    result = split(book, fee)
    assert result.yuan() == tuple(parts.split())
    assert LineNote(int(result.lines[0]["note"])) == note


def test_ceiling_depends_on_the_level_group_and_the_county(book):
    """1318: ceilings by hospital level; a county's own row goes before the city's, from its first day."""
    for county, level, date, over in (
        (1, 0, 20230601, "20.00"), (1, 1, 20230601, "30.00"), (1, 2, 20230601, "40.00"), (1, -1, 20230601, "40.00"),
        (0, 0, 20230601, "10.00"), (0, 1, 20230601, "30.00"), (0, 0, 20211231, "20.00"),
    ):  # fmt: skip
        result = split(book, Fee("B001", "70", date=date), county=county, price_level=level)
        assert result.yuan()[1] == over, (county, level, date)


def test_ratio_depends_on_the_person(book):
    """1319: a scheme of its own (Hebei), a person group, care outside the pool."""
    retired = PERSON_TYPES.index("1201")
    assert split(book, Fee("C001", "100"), person_type=retired).yuan()[2] == "10.00"
    assert split(book, Fee("C001", "100")).yuan()[2] == "20.00"
    assert split(book, Fee("C001", "100", date=20211231)).yuan()[2] == "30.00"
    drug = Fee("XL01", "100", date=20220601)
    resident = {"scheme": Scheme.RESIDENT, "person_type": PERSON_TYPES.index("15")}
    assert split(book, drug).yuan()[2] == "5.00"
    assert split(book, drug, **resident).yuan()[2] == "10.00"
    assert split(book, drug, **resident, place=Place.OUTSIDE).yuan()[2] == "20.00"


def test_a_nearer_place_goes_before_an_exact_code(book):
    """The county's rule for all implants replaces the city's row for this one, from its first day."""
    assert split(book, Fee("C001", "100", date=20221231), county=1).yuan()[2] == "20.00"
    assert split(book, Fee("C001", "100", date=20230101), county=1).yuan()[2] == "25.00"
    assert split(book, Fee("C001", "100", date=20230101), county=0).yuan()[2] == "20.00"


def test_care_elsewhere_takes_the_class_of_the_place_of_care(book):
    """10.1: the item is class C in the county of care, class B in the county of insurance."""
    assert split(book, Fee("T001", "100"), county=0, care_county=0).yuan() == ("0.00", "0.00", "15.00", "85.00")
    assert split(book, Fee("T001", "100"), county=0, care_county=1).yuan() == ("100.00", "0.00", "0.00", "0.00")


def test_care_outside_the_pool_takes_the_tables_of_that_place(book):
    """10.1: outside the city the province's ceiling and class hold, the city's own ratio stays."""
    province = 1 + book.area_group("990300")
    assert book.group_areas[province - 1] == "990000"
    outside = {"care_county": -1, "care_catalogue": province, "place": Place.PROVINCE}
    assert split(book, Fee("B001", "70"), **outside).yuan()[1] == "0.00"
    assert split(book, Fee("C001", "100"), **outside).yuan()[2] == "20.00"


def test_suspended_enrolment_pays_all_itself(book):
    """10.10: cost during a frozen state is wholly self-paid."""
    result = split(book, Fee("XA01", "10"), Fee("C001", "12000"), suspended=1)
    assert result.total["wholly_self_paid_fen"] == 1_201_000
    assert set(result.lines["note"]) == {LineNote.ENROLMENT_SUSPENDED}
    assert set(result.lines["first_pay_ppm"]) == {1_000_000}


def test_a_programme_overrides_the_class(book):
    """10.4: a covered class-C drug is in scope as class A; what the programme does not list stays as it is."""
    result = split(book, Fee("XN02", "30"), Fee("S001", "12"), programme=1)
    assert result.yuan(0) == ("0.00", "0.00", "0.00", "30.00")
    assert result.lines[0]["item_class"] == ItemClass.A
    assert LineNote(int(result.lines[0]["note"])) == LineNote.PROGRAMME_COVERS
    assert result.yuan(1) == ("12.00", "0.00", "0.00", "0.00")


def test_sums_beside_the_four(book):
    """R36 co-pay-free, special drugs, borne by the hospital, in-catalogue excess."""
    result = split(
        book, Fee("C002", "50"), Fee("XL01", "100", date=20220601), Fee("H001", "10", "2"), Fee("V001", "100"),
        Fee("XL01", "-50", "-0.5", "100", date=20220601, original=1),
    )  # fmt: skip
    assert result.total["copay_free_fen"] == 5_000
    assert result.total["special_drug_fen"] == 5_000
    assert result.total["hospital_borne_fen"] == 500
    assert result.total["in_catalogue_excess_fen"] == 1_988


def test_the_result_says_where_no_ceiling_is(book):
    """3.2: the national result prints a number above every price where an item has no ceiling."""
    result = split(book, Fee("XA01", "10"), Fee("P001", "10"))
    assert result.lines["price_ceiling_e4"].tolist() == [NO_CEILING_E4, 8_000_000]


def test_unverified_rows_are_named(book, zhejiang):
    """A result says when a catalogue row in use was not compared with its document."""
    assert split(book, Fee("XA01", "10")).total["unverified"] == 0
    assert split(zhejiang, Fee(zhejiang.codes[0], "10"), price_level=0).total["unverified"] == 1


# ------------------------------------------------------------------------------------------------ readings


def with_option(tmp_path, name: str, value: str) -> Catalogue:
    text = f'[[rule]]\nfrom = 2020-01-01\n{name} = "{value}"\n{toy.HEADER}'
    return toy.catalogue(tmp_path / value, settings=toy.SETTINGS + toy.PROGRAMME + text)


def by_price(tmp_path) -> Catalogue:
    return with_option(tmp_path, "over_ceiling", "price_difference")


def test_r22_excess_as_amount_less_the_ceiling_or_by_price(book, tmp_path):
    """R22: 3 x 33.34 sent as 100.00 over a ceiling of 8: 100 - 24, or 3 x 25.34."""
    fee = Fee("P001", "100.00", "3", "33.34")
    assert split(book, fee).yuan() == ("0.00", "76.00", "0.00", "24.00")
    assert split(by_price(tmp_path), fee).yuan() == ("0.00", "76.02", "0.00", "23.98")


def test_r22_a_price_that_is_too_low_does_not_switch_the_ceiling_off(book, tmp_path):
    """R22: 10 pieces of 50 over a ceiling of 8; the stated price is 1, 8, or right."""
    for catalogue in (book, by_price(tmp_path)):
        for price in ("0", "1", "8", "50"):
            assert split(catalogue, Fee("P001", "500.00", "10", price)).yuan()[1] == "420.00", price


def test_r22_rounding_of_the_amount_is_no_higher_price(book):
    """3 pieces at 2.665 are 7.995, billed 8.00: not over a ceiling of 2.5 by amount, and over it by price alone."""
    assert split(book, Fee("P001", "24.00", "3", "7.9999")).yuan()[1] == "0.00"


def test_half_a_fen_of_excess_goes_up(tmp_path):
    """Half a piece at 0.01 over the ceiling."""
    book = by_price(tmp_path)
    assert split(book, Fee("P001", "4.01", "0.5", "8.01")).yuan()[1] == "0.01"
    assert split(book, Fee("P001", "4.00", "0.4999", "8.01")).yuan()[1] == "0.00"


@settings(max_examples=300, deadline=None)
@given(st.integers(0, limits.MAX_UNIT_PRICE_E4), st.integers(1, limits.MAX_QUANTITY_E4), st.integers(-9, 9))
def test_amounts_are_compared_with_price_times_quantity(price_e4, quantity_e4, more):
    """Above, below, and beyond rounding, on small and on large numbers, and whatever the order of size."""
    for price in (price_e4, price_e4 % 10_000, price_e4 // 10**6):
        exact = divide_half_up(price * quantity_e4, 10**8)
        amount = exact + more
        if 0 <= amount <= limits.MAX_AMOUNT_FEN:
            assert np.sign(line_amounts.compare(amount, price, quantity_e4)) == np.sign(more)
            units = -(-quantity_e4 // 10_000)
            for choice, rounding in enumerate((units, 1, 0)):
                got = line_amounts.is_beyond_rounding(choice, price, quantity_e4, amount)
                assert got == (abs(more) > rounding)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, limits.MAX_UNIT_PRICE_E4), st.integers(1, limits.MAX_QUANTITY_E4))
def test_price_times_quantity_is_exact(price_e4, quantity_e4):
    """24 digits in two parts equal the whole product."""
    exact = divide_half_up(price_e4 * quantity_e4, 10**8)
    assert line_amounts.times_fen(price_e4, quantity_e4) == exact
    if exact <= limits.MAX_AMOUNT_FEN:
        for more in (-1, 0, 1):
            assert np.sign(line_amounts.compare(exact + more, price_e4, quantity_e4)) == more or exact + more < 0


def test_r22_never_more_than_the_line(tmp_path):
    """R22: a price far above the amount of the line."""
    assert split(by_price(tmp_path), Fee("P001", "5.00", "1", "100")).yuan() == ("0.00", "5.00", "0.00", "0.00")


def test_r23_first_pay_on_the_whole_price(book, tmp_path):
    """R23: 20 % of 12,000 instead of 10,000; at most what the ceiling has left."""
    whole = with_option(tmp_path, "first_pay_on", "whole_price")
    assert split(whole, Fee("C001", "12000")).yuan() == ("0.00", "2000.00", "2400.00", "7600.00")
    assert split(whole, Fee("V001", "10000.00", "1", "10000")).yuan()[2:] == ("80.12", "0.00")


def test_r24_refund_of_a_part(samples, tmp_path):
    """R24: 1 of 3 pieces at 0.30 with 5 %: mirror of a line of 0.30 (0.02), or what remains of 0.90 (0.05 - 0.03)."""
    mirror = split(samples, Fee("B5", "0.90", "3", "0.3"), Fee("B5", "-0.30", "-1", "0.3", original=0))
    assert mirror.yuan(1)[2] == "-0.02"
    drug = [Fee("XR00", "1.50", "3", "0.5"), Fee("XR00", "-0.50", "-1", "0.5", original=0)]
    remainder = with_option(tmp_path, "refund", "remainder")
    # 3 %: the line 0.045 -> 0.05, a piece 0.015 -> 0.02, two pieces 0.03.
    assert split(remainder, *drug).yuan(1)[2] == "-0.02"
    five = [Fee("XR00", "2.50", "5", "0.5"), Fee("XR00", "-0.50", "-1", "0.5", original=0)]
    assert split(remainder, *five).yuan(1)[2] == "-0.02"


def test_r24_no_part_gives_back_more_than_it_has(samples):
    """Ten refunds of a fen each round up to ten fen of first-pay; the line had one."""
    fees = [Fee("B10", "0.10", "10", "0.01"), *(Fee("B10", "-0.01", "-1", "0.01", original=0) for _ in range(10))]
    result = split(samples, *fees)
    assert result.claim["error"] == 0
    assert all(result.total[name] == 0 for name in result.total.dtype.names)


def test_a_refund_keeps_the_day_and_approval_of_its_original(book):
    """The price of 2023 is taken back in 2024, when the item is class A."""
    result = split(book, Fee("XA10B", "33.33"), Fee("XA10B", "-33.33", "-1", date=20240105, original=0))
    assert result.yuan(1) == ("0.00", "0.00", "-0.33", "-33.00")


def test_options_may_change_on_a_day(tmp_path):
    """A reading holds from a day on; the settlement date decides."""
    text = "".join(
        f'[[rule]]\nfrom = {first}\n{last}first_pay_on = "{value}"\n{toy.HEADER}'
        for first, last, value in (("2020-01-01", "to = 2022-12-31\n", "whole_price"), ("2023-01-01", "", "rest"))
    )
    book = toy.catalogue(tmp_path / "book", settings=toy.SETTINGS + toy.PROGRAMME + text)
    fee = Fee("C001", "12000", date=20220601)
    assert split(book, fee, settlement_date=20221231).yuan()[2] == "2400.00"
    assert split(book, fee, settlement_date=20230101).yuan()[2] == "2000.00"


# ------------------------------------------------------------------------------------------------ bad input

WRONG = [
    ("unknown item", [Fee("NEVER", "10")], E.UNKNOWN_ITEM, 0),
    ("zero quantity", [Fee("XA01", "1"), Fee("XA01", "0", "0")], E.ZERO_QUANTITY, 1),
    ("quantity too large", [Fee("XA01", "1", "1000000.0001")], E.QUANTITY_OUT_OF_RANGE, 0),
    ("price too high", [Fee("XA01", "1", "1", "1000000.000001")], E.PRICE_OUT_OF_RANGE, 0),
    ("price below zero", [Fee("XA01", "1", "1", "-1")], E.PRICE_OUT_OF_RANGE, 0),
    ("amount too high", [Fee("XA01", "10000000000.01", "1000", "1")], E.LINE_AMOUNT_OUT_OF_RANGE, 0),
    ("negative amount", [Fee("XA01", "-1", "1", "1")], E.LINE_SIGN, 0),
    ("negative quantity", [Fee("XA01", "1", "-1", "1")], E.LINE_SIGN, 0),
    ("original of a line that is no refund", [Fee("XA01", "1"), Fee("XA01", "1", original=0)], E.LINE_SIGN, 1),
    ("refund without original", [Fee("XA01", "5"), Fee("XA01", "-1", "-1")], E.REFUND_WITHOUT_ORIGINAL, 1),
    ("refund of another item", [Fee("XA01", "5"), Fee("C002", "-1", "-1", original=0)], E.REFUND_WITHOUT_ORIGINAL, 1),
    ("refund of itself", [Fee("XA01", "5"), Fee("XA01", "-1", "-1", original=1)], E.REFUND_WITHOUT_ORIGINAL, 1),
    ("refund of more money", [Fee("XA01", "5"), Fee("XA01", "-5.01", "-1", original=0)], E.REFUND_EXCEEDS_ORIGINAL, 1),
    ("refund of more pieces", [Fee("XA01", "5"), Fee("XA01", "-5", "-2", original=0)], E.REFUND_EXCEEDS_ORIGINAL, 1),
    (
        "two refunds of more together",
        [Fee("XA01", "5"), Fee("XA01", "-3", "-0.5", original=0), Fee("XA01", "-3", "-0.5", original=0)],
        E.REFUND_EXCEEDS_ORIGINAL, 2,
    ),
    ("the lower number goes first", [Fee("NEVER", "1"), Fee("XA01", "0", "0")], E.UNKNOWN_ITEM, 0),
]  # fmt: skip


@pytest.mark.parametrize(("what", "fees", "error", "line"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_line(book, what, fees, error, line):
    result = split(book, *fees)
    assert E(int(result.claim["error"])) == error
    assert result.claim["error_line"] == line
    assert E(int(result.lines[line]["error"])) == error
    assert all(result.total[name] == 0 for name in result.total.dtype.names)


def test_lines_that_do_not_add_up(book):
    assert split(book, Fee("XA01", "5"), total_fen=499).claim["error"] == E.LINES_DO_NOT_ADD_UP


def test_no_lines(book):
    assert split(book, total_fen=0).claim["error"] == E.NO_LINES


def test_an_earlier_error_of_the_claim_stays(book):
    result = split(book, Fee("NEVER", "5"), error=E.UNKNOWN_SCHEME)
    assert result.claim["error"] == E.UNKNOWN_SCHEME
    assert result.lines[0]["error"] == E.UNKNOWN_ITEM


def test_unknown_and_not_valid_items_by_the_packs_choice(tmp_path):
    """Options unknown_item and not_valid_item: refuse, or let the patient pay with a note."""
    lenient = with_option(tmp_path, "unknown_item", "self_paid")
    result = split(lenient, Fee("NEVER", "10"))
    assert (result.claim["error"], result.yuan()) == (0, ("10.00", "0.00", "0.00", "0.00"))
    assert result.lines[0]["note"] == LineNote.NOT_IN_CATALOGUE
    strict = with_option(tmp_path, "not_valid_item", "refuse")
    assert split(strict, Fee("XL01", "9", date=20230101)).claim["error"] == E.ITEM_NOT_VALID_ON_DATE


def test_a_ratio_that_no_rule_gives_is_an_error(tmp_path):
    """A class-B item has ratios for employees and residents; a retired cadre's is in no table."""
    rules = toy.RATIO_RULE.replace(",*,*,", ",employee,*,") + "*,*,B,990000,resident,*,20,2020-01-01,\n"
    book = toy.catalogue(tmp_path / "book", ratio_rule=rules)
    assert split(book, Fee("XR00", "100"), scheme=Scheme.RETIRED_CADRE).claim["error"] == E.RULE_UNDEFINED


def test_largest_numbers_do_not_overflow(book, tmp_path):
    """The limits of quantity and price together: the product has 24 digits."""
    largest = Fee("P001", "10000000000.00", "1000000", "999999")
    assert split(book, largest).yuan() == ("0.00", "9992000000.00", "0.00", "8000000.00")
    assert split(by_price(tmp_path), largest).yuan() == ("0.00", "10000000000.00", "0.00", "0.00")
    result = split(by_price(tmp_path / "again"), Fee("P001", "8000001.00", "1000000", "8.000001"))
    assert result.yuan()[1] == "1.00"


def test_claims_of_a_batch_do_not_see_each_other(book):
    """Any order and batch size gives the same lines."""
    one = split(book, Fee("XA10B", "33.33"), Fee("B001", "70"), Fee("XA10B", "-33.33", "-1", original=0))
    lines = np.concatenate(
        [toy.line_columns(book, [Fee("XA01", "1")]), *(batch_lines(book, first) for first in (1, 4))]
    )
    claims = np.concatenate([toy.claim_columns(lines[first:last]) for first, last in ((0, 1), (1, 4), (4, 7))])
    claims["line_start"], claims["line_end"] = [0, 1, 4], [1, 4, 7]
    line_out, split_out = toy.columns_out(len(lines), 3)
    toy.split_lines(book.rules, toy.LineBatch(claims, lines, line_out, split_out))
    assert not claims["error"].any()
    for first in (1, 4):
        assert (line_out[first : first + 3] == one.lines).all()
    assert split_out[1] == split_out[2] == one.total


def batch_lines(book: Catalogue, first: int) -> np.ndarray:
    fees = [Fee("XA10B", "33.33"), Fee("B001", "70"), Fee("XA10B", "-33.33", "-1", original=0)]
    return toy.line_columns(book, fees, first)
