"""The names that a record keeps of its claim: codes of diagnoses, procedures, disease, department, assistance.

A row number of a bundle means something under that bundle only; a name is looked up anew under any rules. Diagnoses
after the principal one decide nothing but the group, so they are kept of inpatient care alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from adjudicator.compiled.jit import int64, uncounted_inlined
from adjudicator.wire.codetable import find_code


class NameRules(NamedTuple):
    """What the kernels read of a bundle: ``claim.resolve.LookupArrays`` has these under the same names."""

    names: Any
    """CodeArrays: the names that packs list."""
    assistance_of_name: np.ndarray
    """int32[packs, names]: position of a name among the pack's assistance categories, -1 unknown."""
    needs_diagnosis: np.ndarray
    """bool[kinds]: inpatient-like kinds of care."""


class Names(NamedTuple):
    """The texts of claims."""

    text: np.ndarray
    """uint8: where the texts stand."""
    claims: np.ndarray
    """n rows of the decoder; their ranges are places in the tables below."""
    diagnoses: np.ndarray
    """STRING_TABLE; the principal one of a claim is the first."""
    procedures: np.ndarray
    """STRING_TABLE"""
    categories: np.ndarray
    """STRING_TABLE: the further assistance categories of persons that have several."""


def names_of(incoming: Any, claims: np.ndarray) -> Names:
    """Return the texts of some claims of a batch; ``claims``: their rows of the decoder."""
    tables = incoming.decoded.tables
    return Names(
        incoming.heap, claims, tables["diagnoses"], tables["procedures"], tables["other_assistance_categories"]
    )


class NameTables(NamedTuple):
    """Tables of the message that take repeated names: STRING_TABLE each."""

    diagnoses: np.ndarray
    procedures: np.ndarray
    categories: np.ndarray


DIAGNOSES, PROCEDURES, CATEGORIES = range(3)


@uncounted_inlined
def further_diagnoses(rules: NameRules, claim: Any, wire: Any) -> int:
    """Return how many diagnoses after the principal one are kept of a claim."""
    count = int64(0)
    if rules.needs_diagnosis[claim.care_kind] and wire.diagnoses_end > wire.diagnoses_start:
        count = wire.diagnoses_end - wire.diagnoses_start - 1
    return count


@uncounted_inlined
def count_names(rules: NameRules, claims: np.ndarray, names: Names, counts: np.ndarray) -> None:
    """Write how many names of each kind the claims have to ``counts`` int64[3], by DIAGNOSES …"""
    counts[:] = 0
    for i in range(claims.shape[0]):
        wire = names.claims[i]
        counts[DIAGNOSES] += further_diagnoses(rules, claims[i], wire)
        counts[PROCEDURES] += wire.procedures_end - wire.procedures_start
        counts[CATEGORIES] += wire.other_assistance_categories_end - wire.other_assistance_categories_start
        counts[CATEGORIES] += wire.assistance_category_size > 0


@uncounted_inlined
def _copy_texts(source: np.ndarray, first: int, count: int, target: np.ndarray, place: int) -> int:
    """Copy so many rows of a list; returns the place behind them."""
    for k in range(count):
        target[place + k].start, target[place + k].size = source[first + k].start, source[first + k].size
    return place + count


@uncounted_inlined
def _position_of(rules: NameRules, claim: Any, text: np.ndarray, listed: np.ndarray, start: int, end: int) -> int:
    """Return which of the categories ``listed[start:end]`` counted, from 0."""
    look, place = rules.names, start
    while place < end - 1:
        name = find_code(
            text, listed[place].start, int64(listed[place].size), look.keys, look.offsets, look.slots, look.tags
        )
        if name >= 0 and rules.assistance_of_name[claim.pack, name] == claim.assistance:
            end = place
        else:
            place += 1
    return place - start


@uncounted_inlined
def fill_names(rules: NameRules, claims: np.ndarray, names: Names, root: np.ndarray, out: NameTables) -> None:
    """Fill the names of the message, one row of ``root`` a claim."""
    diagnoses, procedures, categories = int64(0), int64(0), int64(0)
    for i in range(claims.shape[0]):
        row, wire = root[i], names.claims[i]
        row.names_kept = 1
        row.disease_code_start, row.disease_code_size = wire.disease_code_start, wire.disease_code_size
        row.department_start, row.department_size = wire.department_start, wire.department_size
        row.programme_start, row.programme_size = wire.programme_start, wire.programme_size
        row.care_area_start, row.care_area_size = wire.care_area_start, wire.care_area_size
        row.referral_from_encounter_start = wire.referral_from_encounter_start
        row.referral_from_encounter_size = wire.referral_from_encounter_size
        if wire.diagnoses_end > wire.diagnoses_start:
            code = names.diagnoses[wire.diagnoses_start]
            row.principal_diagnosis_start, row.principal_diagnosis_size = code.start, code.size
        row.further_diagnoses_start = diagnoses
        count = further_diagnoses(rules, claims[i], wire)
        diagnoses = _copy_texts(names.diagnoses, wire.diagnoses_start + 1, count, out.diagnoses, diagnoses)
        row.further_diagnoses_end = diagnoses
        row.procedures_start = procedures
        count = wire.procedures_end - wire.procedures_start
        procedures = _copy_texts(names.procedures, wire.procedures_start, count, out.procedures, procedures)
        row.procedures_end = procedures
        row.assistance_categories_start = categories
        if wire.assistance_category_size > 0:
            first = out.categories[categories]
            first.start, first.size = wire.assistance_category_start, wire.assistance_category_size
            categories += 1
        others = wire.other_assistance_categories_start
        count = wire.other_assistance_categories_end - others
        categories = _copy_texts(names.categories, others, count, out.categories, categories)
        row.assistance_categories_end = categories
        if count > 0:
            start = row.assistance_categories_start
            row.assistance_chosen = _position_of(rules, claims[i], names.text, out.categories, start, categories)
