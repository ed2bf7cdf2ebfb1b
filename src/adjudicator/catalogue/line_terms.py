"""Which rules hold for a fee line: the area, options and level group of its claim, and the version of its item."""

from __future__ import annotations

from typing import Any, NamedTuple

from adjudicator.catalogue.layout import LEVEL_COLUMNS, LineRules, VersionFlag
from adjudicator.codes import Place
from adjudicator.compiled.jit import int64, uint64, uncounted_inlined

LAST, LOCAL = int(VersionFlag.LAST), int(Place.LOCAL)
INSURANCE_PLACE, CARE_PLACE_WHOLE = 1, 2
"""Choices of ``cross_region``, as their positions in ``settings.OPTIONS``."""
UNKNOWN_VERSION, NOT_VALID_VERSION = -1, -2
"""No version: the item is not in the catalogue of the area, or has none on the day."""


class LineTerms(NamedTuple):
    """What holds for all lines of a claim: plain integers, which stay in registers."""

    pack: int
    """-1 not known"""
    insured_group: int
    """area group of the catalogue at the place of insurance, -1 none"""
    care_group: int
    """area group whose catalogue holds"""
    level_column: int
    """column of a ceiling set"""
    person_class: int
    """column of a ratio set"""
    over_ceiling: int
    """the pack's choice of ``settings.OPTIONS``, as are the next four"""
    first_pay_on: int
    refund: int
    unknown_item: int
    not_valid_item: int
    unverified: int
    """1 where the row of options is not verified"""
    suspended: bool
    """the person's enrolment is suspended"""
    programme_bit: int
    """bit of ``LineRules.covers``, 0 without a programme"""
    unusual: int
    """1 where suspension, a programme or care in another area changes lines"""


@uncounted_inlined
def option_row(rules: LineRules, pack: int, date: int) -> int:
    """Return the row of the pack's options that holds on a day (YYYYMMDD); after the last row, the last."""
    row = uint64(rules.option_start[uint64(pack)])
    last = uint64(rules.option_start[uint64(pack + 1)])
    while row + uint64(1) < last and rules.options[row]["to"] < date:
        row += uint64(1)
    return int64(row)


@uncounted_inlined
def insured_group_of(rules: LineRules, pack: int, county: int) -> int:
    """Return the area group of a county of insurance; a county of -1 is the pool itself."""
    return int64(rules.group_of[uint64(pack), uint64(max(int64(county) + 1, int64(0)))])


@uncounted_inlined
def care_group_of(rules: LineRules, claim: Any, insured_group: int) -> int:
    """Return the area group of the place of care: a county of the pool, or a place outside that the claim names."""
    group = int64(insured_group)
    if claim.care_county >= 0:
        group = int64(rules.group_of[uint64(claim.pack), uint64(claim.care_county + 1)])
    elif claim.care_catalogue > 0:
        group = int64(claim.care_catalogue) - 1
    return group


@uncounted_inlined
def level_column_of(rules: LineRules, claim: Any, group: int) -> int:
    """Return the column of the ceiling sets for the hospital's level group; the last where it is in none."""
    column = int64(LEVEL_COLUMNS - 1)
    if claim.price_level >= 0 and claim.price_level < LEVEL_COLUMNS and group >= 0:
        column = int64(rules.level_column[uint64(claim.pack), uint64(group), uint64(claim.price_level)])
    return column


@uncounted_inlined
def read_terms(rules: LineRules, claim: Any) -> LineTerms:
    """Return what holds for the lines of a claim (CLAIM); an unknown pack has no catalogue and refuses every item."""
    pack = int64(-1)
    insured_group = int64(-1)
    care_group = int64(-1)
    level_column = int64(LEVEL_COLUMNS - 1)
    over_ceiling = int64(0)
    first_pay_on = int64(0)
    refund = int64(0)
    unknown_item = int64(0)
    not_valid_item = int64(0)
    unverified = int64(0)
    programme_bit = int64(0)
    if claim.pack >= 0 and claim.pack < rules.group_of.shape[0]:
        pack = int64(claim.pack)
        option = rules.options[uint64(option_row(rules, pack, claim.settlement_date))]
        over_ceiling = int64(option.over_ceiling)
        first_pay_on = int64(option.first_pay_on)
        refund = int64(option.refund)
        unknown_item = int64(option.unknown_item)
        not_valid_item = int64(option.not_valid_item)
        unverified = int64(option.unverified)
        insured_group = insured_group_of(rules, pack, claim.county)
        care_group = insured_group
        if option.cross_region != INSURANCE_PLACE:
            care_group = care_group_of(rules, claim, insured_group)
            if option.cross_region == CARE_PLACE_WHOLE and care_group >= 0:
                insured_group = care_group
        level_column = level_column_of(rules, claim, care_group)
        if claim.programme > 0:
            programme_bit = 1 << (int64(claim.programme) - 1)
    person = int64(claim.scheme) * int64(rules.person_types) + int64(claim.person_type)
    suspended = claim.suspended != 0
    unusual = int64(1) if suspended or programme_bit != 0 or care_group != insured_group else int64(0)
    return LineTerms(
        pack, insured_group, care_group, level_column, person * 2 + (1 if claim.place != LOCAL else 0),
        over_ceiling, first_pay_on, refund, unknown_item, not_valid_item, unverified,
        suspended, programme_bit, unusual,
    )  # fmt: skip


@uncounted_inlined
def version_on(rules: LineRules, group: int, item: int, date: int) -> int:
    """Return the row of the version of an item that holds on a day, UNKNOWN_VERSION or NOT_VALID_VERSION."""
    row = int64(UNKNOWN_VERSION)
    if uint64(item) < uint64(rules.first.shape[1]) and group >= 0:  # unsigned: a negative item is too large
        row = int64(rules.first[uint64(group), uint64(item)])
        if row >= 0:
            while rules.versions[uint64(row)]["from"] > date and (int64(rules.versions[uint64(row)].flags) & LAST == 0):
                row += 1
            if rules.versions[uint64(row)]["from"] > date or rules.versions[uint64(row)]["to"] < date:
                row = int64(NOT_VALID_VERSION)
    return row
