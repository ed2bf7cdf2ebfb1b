"""What is due for a case that is paid a package; sources: docs/law.md, section "Packages"."""

from __future__ import annotations

from typing import Any

from adjudicator.compiled.jit import uncounted_inlined
from adjudicator.compiled.rounding import share
from adjudicator.payment.case import PAID, UNDEFINED, UNVERIFIED_PACKAGE, Case, ClaimCodes
from adjudicator.payment.methods.package.terms import PackageFormula, PackageKey
from adjudicator.payment.point_values import OUTPATIENT_POINT, price_points

DISEASE, MATERNITY_TYPE = int(PackageKey.DISEASE), int(PackageKey.MATERNITY_TYPE)
CARE_KIND, DRG = int(PackageKey.CARE), int(PackageKey.DRG)
FIXED, PACKAGE = int(PackageFormula.FIXED), int(PackageFormula.PACKAGE)
CEILING, FUND_ON_LIMIT = int(PackageFormula.CEILING), int(PackageFormula.FUND_ON_LIMIT)
QUOTA_BANDS, COST_BANDS = int(PackageFormula.QUOTA_BANDS), int(PackageFormula.COST_BANDS)
ACTUAL_UP_TO, AVERAGE_LIMIT = int(PackageFormula.ACTUAL_UP_TO), int(PackageFormula.AVERAGE_LIMIT)
POINTS, DRG_SHARE = int(PackageFormula.POINTS), int(PackageFormula.DRG_SHARE)


@uncounted_inlined
def price_row(rules: Any, terms: Any, case: Case) -> Any:
    """Return the row of a claim's price, of its payment class or else of any class; -1 where there is none."""
    key = 0
    if terms.key == DISEASE:
        key = case.claim.disease
    elif terms.key == MATERNITY_TYPE:
        key = case.claim.maternity_type
    elif terms.key == CARE_KIND:
        key = case.claim.care_kind
    elif terms.key == DRG:
        key = case.group.drg
    row = -1
    if 0 <= key < terms.keys:
        start = terms.index_start + key * (terms.classes + 1)
        if case.rank >= 0:
            row = rules.package_index[start + case.rank + 1]
        if row < 0:
            row = rules.package_index[start]
    return row


@uncounted_inlined
def more_children_fen(price: Any, claim: Any) -> Any:
    """Return what is added to a price for each child after the first."""
    return price.extra_fetus_fen * max(0, claim.fetus_count - 1)


@uncounted_inlined
def price_fen(price: Any, case: Case) -> Any:
    """Return the price of a case with its children."""
    return price.price_fen + more_children_fen(price, case.claim)


@uncounted_inlined
def fixed_fund_part(terms: Any, price: Any, case: Case) -> Any:
    """Return the fund's part, fixed whatever the cost (docs/law.md#S-59)."""
    return price.fund_fen + more_children_fen(price, case.claim)


@uncounted_inlined
def price_less_other_payers(terms: Any, price: Any, case: Case) -> Any:
    """Return the price less what the person and the other funds pay: surplus and overspend are the hospital's."""
    return price_fen(price, case) - case.others_fen


@uncounted_inlined
def by_item_up_to_ceiling(terms: Any, price: Any, case: Case) -> Any:
    """Return the payment by item with a reward below the ceiling; above it the hospital bears it (docs/law.md#S-60)."""
    ceiling_fen, cost_fen = price_fen(price, case), case.claim.total_fen
    due_fen = ceiling_fen - case.others_fen
    if cost_fen <= ceiling_fen:
        due_fen = case.clearing_fen + share(ceiling_fen - cost_fen, terms.reward_ppm)
    return due_fen


@uncounted_inlined
def quota_with_bands(terms: Any, price: Any, case: Case) -> Any:
    """Return the quota with a share of a small excess, or the cost with a reward for a saving (docs/law.md#S-49)."""
    quota_fen, cost_fen = price_fen(price, case), case.claim.total_fen
    excess_fen = min(cost_fen - quota_fen, share(quota_fen, terms.band_ppm))
    payable_fen = quota_fen + share(excess_fen, terms.band_share_ppm)
    if cost_fen <= quota_fen:
        reward_fen = share(quota_fen - cost_fen, terms.reward_ppm)
        payable_fen = cost_fen + min(reward_fen, share(quota_fen, terms.reward_cap_ppm))
    return payable_fen - case.others_fen


@uncounted_inlined
def cost_less_bands(terms: Any, price: Any, case: Case) -> Any:
    """Return the cost less the person's share of the two bands of cost above the price (docs/law.md#S-66)."""
    begin_fen, cost_fen = price_fen(price, case), case.claim.total_fen
    first_fen = max(0, min(cost_fen, price.second_fen) - begin_fen)
    second_fen = max(0, cost_fen - price.second_fen)
    return cost_fen - share(first_fen, price.first_ppm) - share(second_fen, price.second_ppm)


@uncounted_inlined
def cost_up_to_quota(terms: Any, price: Any, case: Case) -> Any:
    """Return the actual cost, up to the quota (docs/law.md#S-68, docs/law.md#S-70)."""
    return min(case.claim.total_fen, price_fen(price, case))


@uncounted_inlined
def by_item_until_the_year(terms: Any, price: Any, case: Case) -> Any:
    """Return the payment by item; the average limit is settled with the year (docs/law.md#S-61)."""
    return case.clearing_fen


@uncounted_inlined
def fund_on_the_limit(terms: Any, price: Any, case: Case) -> Any:
    """Return the limit less the other payers: only the person settles on the cost (docs/law.md#S-62)."""
    return price_fen(price, case) - case.others_fen


@uncounted_inlined
def money_due_fen(terms: Any, price: Any, case: Case) -> Any:
    """Return what is due by the formula of a table that is not in points."""
    due_fen = 0
    if terms.formula == FIXED:
        due_fen = fixed_fund_part(terms, price, case)
    elif terms.formula == PACKAGE:
        due_fen = price_less_other_payers(terms, price, case)
    elif terms.formula == CEILING:
        due_fen = by_item_up_to_ceiling(terms, price, case)
    elif terms.formula == FUND_ON_LIMIT:
        due_fen = fund_on_the_limit(terms, price, case)
    elif terms.formula == QUOTA_BANDS:
        due_fen = quota_with_bands(terms, price, case)
    elif terms.formula == COST_BANDS:
        due_fen = cost_less_bands(terms, price, case)
    elif terms.formula == ACTUAL_UP_TO:
        due_fen = cost_up_to_quota(terms, price, case)
    elif terms.formula == AVERAGE_LIMIT:
        due_fen = by_item_until_the_year(terms, price, case)
    return due_fen


@uncounted_inlined
def outpatient_points(rules: Any, terms: Any, price: Any, case: Case, due: Any) -> None:
    """Pay points x outpatient value; under the per-head package only points, the money comes at clearing."""
    if terms.per_head == 0:
        price_points(rules, case, OUTPATIENT_POINT, price.points_e8, due)
    else:
        due.points_e8 = price.points_e8


@uncounted_inlined
def package(rules: Any, codes: ClaimCodes, case: Case, table: int, due: Any) -> int:
    """Pay a case by the formula of its package table; a case without a price is refused."""
    terms = rules.package_sets[table]
    row, share_ppm = price_row(rules, terms, case), PAID
    if row < 0:
        due.error = UNDEFINED
    else:
        price = rules.package_prices[row]
        if price.unverified:
            due.unverified |= UNVERIFIED_PACKAGE
        above_limit = terms.formula == FUND_ON_LIMIT and case.claim.total_fen > price_fen(price, case)
        if above_limit and terms.above_defined == 0:
            due.error = UNDEFINED
        elif terms.formula == DRG_SHARE:
            share_ppm = price.first_ppm
        elif terms.formula == POINTS:
            outpatient_points(rules, terms, price, case, due)
        else:
            due.due_fen = money_due_fen(terms, price, case)
    return share_ppm
