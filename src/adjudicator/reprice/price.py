"""Step 2, one bucket: the claims of some persons in order, over their years, to amounts.

A bucket has all claims of its persons, so nothing outside it is asked. Within a person's year the order is settlement
date, admission, settlement sequence and key. Most claims go through the benefit kernel in one call; the persons with a
claim that looks at another claim, or brings more than columns can say, go through ``special``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from adjudicator.benefit import settle as benefit
from adjudicator.benefit.records import WORK
from adjudicator.benefit.tables import Claims
from adjudicator.claim import problems
from adjudicator.claim.assemble import IDENTITY_NAMES, OK
from adjudicator.claim.engine import Engine
from adjudicator.claim.state import quota_key
from adjudicator.claim.years import period_of
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, PAYMENT, QUOTA
from adjudicator.errors import E, Problem, refuse
from adjudicator.options import QuotaPeriod
from adjudicator.payment.case import ClaimCodes
from adjudicator.payment.kernel import pay_claims
from adjudicator.payment.registry import CLEARING_WAYS
from adjudicator.reprice import facts
from adjudicator.reprice.bucket import Bucket, Opening, dense, read_bucket
from adjudicator.reprice.job import Job, engine_of, read_job
from adjudicator.reprice.kernels import Priced, fill_results
from adjudicator.reprice.overlaps import with_overlaps
from adjudicator.reprice.owners import NONE_FOREIGN, Foreign, foreign_of_job, refuse_foreign
from adjudicator.reprice.packing import sections_of_table, write_sections
from adjudicator.reprice.problems import Found, write_problems
from adjudicator.reprice.results import COLUMNS, PLACE, bucket_path
from adjudicator.reprice.store import renamed, write_receipt


def price_bucket(path: str, number: int) -> dict[str, Any]:
    """Price one bucket of a job and return its receipt."""
    job = read_job(path)
    engine = engine_of(job)
    amounts_path, problems_path = bucket_path(job, number), job.work / f"priced-{number:05d}.arrow"
    bucket = read_bucket(job, number)
    rows, table, found = price(engine, bucket, opening_of(job, engine, bucket), foreign_of_job(job))
    amounts = sections_of_table(rows, table, job.source.firsts)
    renamed(amounts_path, lambda file: write_sections(file, amounts))
    renamed(problems_path, lambda file: write_problems(file, found))
    files = [amounts_path, problems_path]
    if job.with_facts:
        known = facts.of_bucket(engine.bundle, bucket, table[:, PLACE["plan"]])
        own = sections_of_table(rows, known, job.source.firsts)
        renamed(facts.bucket_path(job, number), lambda file: write_sections(file, own))
        files.append(facts.bucket_path(job, number))
    return write_receipt(amounts_path, files, {"claims": len(rows)})


# ---------------------------------------------------------------- pricing


def opening_of(job: Job, engine: Engine, bucket: Bucket) -> Opening:
    """Return the years before the first claim."""
    if job.opening:
        from adjudicator.reprice.opening import read_opening

        return read_opening(Path(job.opening), engine, bucket)
    return Opening(np.zeros((bucket.year_count, ACCUMULATOR_COUNT), np.int64), {})


def price(
    engine: Engine, bucket: Bucket, opening: Opening, foreign: Foreign = NONE_FOREIGN
) -> tuple[np.ndarray, np.ndarray, list[Found]]:
    """Return the rows of the input, int64[n, COLUMNS], and the problems in the order of the rows.

    ``foreign``: claims of an encounter that is another person's.
    """
    claims = bucket.arrays["claims"]
    found: dict[int, list[Problem]] = {}
    out, payments = np.zeros(bucket.size, BENEFIT), np.zeros(bucket.size, PAYMENT)
    refuse_foreign(bucket, foreign, found)
    refuse_doubles(bucket, found)
    persons, _ = dense(bucket.arrays["persons"], claims["pack"])
    named = persons[bucket.arrays["special"] != 0], _in_two_schemes(bucket, persons), with_overlaps(bucket, persons)
    special = np.isin(persons, np.concatenate(named))
    if special.any():
        from adjudicator.reprice.special import price_special

        price_special(engine, bucket, np.flatnonzero(special), opening, out, found)
    plain = np.flatnonzero(~special)
    _price_plain(engine, bucket, plain, opening, out)
    _pay(engine, bucket, out, payments, found)
    words = out.view(np.int64).reshape(len(out), out.itemsize // 8)
    table = np.empty((bucket.size, len(COLUMNS)), np.int64)
    priced = Priced(
        claims, bucket.arrays["splits"], out, words, payments, bucket.arrays["groups"], bucket.arrays["schemes"]
    )
    broken = fill_results(priced, CLEARING_WAYS, table)
    if broken != OK:
        raise refuse(E.INTERNAL, detail=IDENTITY_NAMES[broken])
    _note_refused(engine, bucket, found)
    rows = bucket.arrays["rows"]
    return rows, table, [Found(row, problem) for row in sorted(found) for problem in found[row]]


def _in_two_schemes(bucket: Bucket, persons: np.ndarray) -> np.ndarray:
    """Return the persons who have claims in two schemes of one benefit year; ``persons`` int64[n] by claim."""
    firsts = np.flatnonzero(np.diff(bucket.years, prepend=-1))
    of_year = persons[firsts] << 32 | bucket.arrays["claims"]["benefit_year"][firsts].astype(np.int64)
    named, counts = np.unique(of_year, return_counts=True)
    found: np.ndarray = named[counts > 1] >> 32
    return found


def refuse_doubles(bucket: Bucket, found: dict[int, list[Problem]]) -> None:
    """Refuse every claim whose settlement key an earlier one has: a stay is paid once."""
    claims = bucket.arrays["claims"]
    # The key with the person: whether another person's claim is in this bucket depends on how many there are.
    of_person = bucket.arrays["keys"] ^ bucket.arrays["persons"]
    numbers, count = dense(of_person, claims["pack"])
    if count == bucket.size:
        return
    _, firsts = np.unique(numbers, return_index=True)
    doubles = np.setdiff1d(np.flatnonzero(claims["error"] == 0), firsts)
    claims["error"][doubles] = int(E.KEY_REUSED)
    for place in doubles.tolist():
        row = int(bucket.arrays["rows"][place])
        found[row] = [Problem(int(E.KEY_REUSED), "settlement_sequence", "settlement_sequence")]


def _price_plain(engine: Engine, bucket: Bucket, plain: np.ndarray, opening: Opening, out: np.ndarray) -> None:
    """Price the claims at some places in one call; ``out`` BENEFIT[n] takes the results."""
    whole = len(plain) == bucket.size
    chosen: np.ndarray | slice = slice(None) if whole else plain
    claims, splits = bucket.arrays["claims"][chosen], bucket.arrays["splits"][chosen]
    claims["state"] = bucket.years[chosen]
    quotas = _quotas(engine, claims, opening)
    in_scope = bucket.ragged["in_scope"][1] if "in_scope" in bucket.ragged else benefit.NO_LINES
    own = np.zeros(len(claims), BENEFIT)
    batch = Claims.over(claims, splits, in_scope, opening.slots, quotas)
    benefit.run(engine.bundle.benefit, batch, own, np.empty(1, WORK))
    failed = (claims["error"] == 0) & (own["error"] != 0)
    claims["error"][failed] = own["error"][failed]
    out[chosen] = own
    bucket.arrays["claims"]["error"][chosen] = claims["error"]


def _quotas(engine: Engine, claims: np.ndarray, opening: Opening) -> np.ndarray:
    """Return QUOTA[q] of the disease quotas that the claims use, and set ``claims["quota"]``."""
    claims["quota"] = -1
    rows = np.flatnonzero((claims["disease"] >= 0) & (claims["error"] == 0))
    packs, diseases, dates = (claims[name][rows].astype(np.int64) for name in ("pack", "disease", "rule_date"))
    named, which = np.unique(packs << 48 | diseases << 32 | dates, return_inverse=True)
    keys = np.array([_quota_key(engine, one) for one in named.tolist()], np.uint64)[which]
    rows, keys = rows[keys != 0], keys[keys != 0]
    pairs = np.stack((keys, claims["state"][rows].astype(np.uint64)), axis=1)
    places, count = dense(pairs, np.zeros(len(rows), np.int32))
    quotas = np.zeros(count, QUOTA)
    quotas["key"][places] = keys
    claims["quota"][rows] = places
    if opening.quotas:
        states = np.zeros(count, np.int64)
        states[places] = claims["state"][rows]
        used = zip(states.tolist(), quotas["key"].tolist(), strict=True)
        quotas["used_fen"] = [opening.quotas.get(pair, 0) for pair in used]
    return quotas


def _quota_key(engine: Engine, named: int) -> int:
    """Return the key of the quota of a disease on a date, 0 where it has none; pack, disease and date in one number."""
    pack, disease, date = named >> 48, named >> 32 & 0xFFFF, named & 0xFFFFFFFF
    row = engine.bundle.packs[pack].diseases[disease]
    return quota_key(row.code, period_of(date, row.period)) if row.period != QuotaPeriod.NONE else 0


def _pay(
    engine: Engine, bucket: Bucket, out: np.ndarray, payments: np.ndarray, found: dict[int, list[Problem]]
) -> None:
    """Fill in what the fund owes the institution; a claim that no rule pays gets a warning."""
    arrays, bundle = bucket.arrays, engine.bundle
    none = np.zeros(bucket.size + 1, np.int64), np.zeros(1, np.int32)
    codes = ClaimCodes(*bucket.ragged.get("diagnoses", none), *bucket.ragged.get("procedures", none))
    pay_claims(bundle.payment.tables, arrays["claims"], arrays["splits"], out, arrays["groups"], codes, payments)
    for place in np.flatnonzero(payments["error"]).tolist():
        number = int(payments["error"][place])
        payments[place] = 0
        if arrays["claims"]["error"][place]:
            continue
        claim, group = arrays["claims"][place], arrays["groups"][place]
        detail = problems.unpaid(bundle, number, claim, group, int(arrays["schemes"][place]))
        detail = detail or _institution(engine, claim)
        problem = Problem(number, "payment", detail, warning=True)
        found.setdefault(int(arrays["rows"][place]), []).append(problem)


def _institution(engine: Engine, claim: np.void) -> str:
    """Return the code of a registered institution."""
    pack = engine.bundle.packs[claim["pack"]]
    return str(pack.hospitals[claim["hospital"]].code) if claim["hospital"] >= 0 else ""


def _note_refused(engine: Engine, bucket: Bucket, found: dict[int, list[Problem]]) -> None:
    """Note what refused each claim, first of all, where it is not noted yet."""
    claims = bucket.arrays["claims"]
    for place in np.flatnonzero(claims["error"]).tolist():
        number, row = int(claims["error"][place]), int(bucket.arrays["rows"][place])
        known = found.setdefault(row, [])
        if any(problem.number == number and not problem.warning for problem in known):
            continue
        detail = problems.NO_DETAIL
        if number == E.RULE_UNDEFINED:
            detail = problems.undefined_rule(engine.bundle.packs[claims["pack"][place]], claims[place])
        known.insert(0, Problem(number, "", detail.en, detail_zh=detail.zh))
