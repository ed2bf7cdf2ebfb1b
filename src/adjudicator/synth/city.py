"""Makes up the claims of a city's year: deterministic for a seed, in the order of their settlement, all of them valid.

>>> from itertools import islice
>>> claims = Synthesizer(["hangzhou"], seed=7).claims(3)
>>> next(claims).settlement_sequence
1
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from adjudicator.catalogue.tables import yyyymmdd
from adjudicator.codes import CareKind, Place, Scheme
from adjudicator.dates import day_number
from adjudicator.grouping.scheme.load import scheme_folder
from adjudicator.rulefile.pack import Pack
from adjudicator.rules.bundle import Bundle, load_bundle
from adjudicator.synth.chunk import STAYS, Chunk, Rules, draw_chunk, rules_of
from adjudicator.synth.goods import Goods, read_goods
from adjudicator.synth.habits import USUAL, Habits
from adjudicator.synth.illness import FALLBACK_DIAGNOSES, NONE, Illnesses, read_illnesses
from adjudicator.synth.population import Population, draw_population, scheme_code
from adjudicator.synth.probe import allowed_cases
from adjudicator.v1 import claim_pb2

CHUNK = 512
"""Claims drawn at once. Part of what a seed means: another size would give other claims."""

LONGEST_STAY_DAYS = 90
"""Stays that end in January may begin this many days before."""

_LINE_IDS = [str(number) for number in range(1, 101)]
LASTING = (CareKind.CHRONIC, CareKind.SPECIAL, CareKind.TWO_DISEASES)
"""Outpatient care of a listed disease."""
_PREFERRED = {CareKind.OUTPATIENT: "11", CareKind.INPATIENT: "21", CareKind.CHRONIC: "14", CareKind.SPECIAL: "140101"}


_RULES: dict[tuple[str, str, int], Rules] = {}
"""What was probed in this process, by rule bundle, pack and year."""


class Synthesizer:
    """A synthetic city. The same packs, seed, year and size of population give the same claims, byte for byte."""

    def __init__(
        self, packs: Bundle | Sequence[str | Path], seed: int = 1, *, year: int = 2023, persons: int = 20_000,
        inpatient_share: float = 0.3, habits: Habits = USUAL,
    ):  # fmt: skip
        """``persons`` is the population of each pool; ``packs`` a bundle, or names or folders of packs."""
        self.bundle = packs if isinstance(packs, Bundle) else load_bundle(packs)
        self.seed, self.year, self.inpatient_share, self.persons = seed, year, inpatient_share, persons
        self.habits = habits
        self._pools = [Pool(self, number, persons) for number in range(len(self.bundle.packs))]

    def claims(self, count: int) -> Iterator[claim_pb2.Claim]:
        """``count`` claims in the order of settlement; the n-th does not depend on how they are read."""
        for chunk in self.chunks(count):
            yield from self._pools[chunk.pack].messages(chunk)

    def batches(self, count: int, size: int) -> Iterator[bytes]:
        """``count`` claims as serialised ClaimBatch messages of ``size`` claims, the last one smaller."""
        batch = claim_pb2.ClaimBatch()
        for claim in self.claims(count):
            batch.claims.append(claim)
            if len(batch.claims) == size:
                yield batch.SerializeToString()
                batch = claim_pb2.ClaimBatch()
        if batch.claims:
            yield batch.SerializeToString()

    def pool(self, number: int) -> Pool:
        """One pool of the city, by the number of its pack."""
        return self._pools[number]

    def chunks(self, count: int) -> Iterator[Chunk]:
        """Yield the same claims in columns; pools take turns."""
        first_day = day_number(self.year * 10_000 + 101)
        length = day_number((self.year + 1) * 10_000 + 101) - first_day
        busy = [np.full(len(pool.people), first_day - LONGEST_STAY_DAYS) for pool in self._pools]
        for number, first in enumerate(range(0, count, CHUNK)):
            pool = number % len(self._pools)
            rows = np.arange(first, min(first + CHUNK, count))
            days = first_day + rows * length // count
            rng = np.random.default_rng([self.seed, self.year, number])
            yield self._pools[pool].draw(rng, days, self.inpatient_share, busy[pool], first)


class Pool:
    """One pool of the city: its people, goods and illnesses, and how its claims are written."""

    def __init__(self, city: Synthesizer, number: int, persons: int):
        self.city, self.number = city, number
        self.pack: Pack = city.bundle.packs[number]
        self.people: Population = draw_population(
            np.random.default_rng([city.seed, number, persons]), self.pack, persons, city.habits
        )

    @cached_property
    def goods(self) -> Goods:
        return read_goods(self.pack, self.city.bundle.catalogue, self.city.year * 10_000 + 701)

    @cached_property
    def rules(self) -> Rules:
        year = self.city.year
        key = (self.city.bundle.hash, self.pack.id, year)
        if key not in _RULES:
            _RULES[key] = self._probed(year)
        return replace(_RULES[key], habits=self.city.habits)

    def _probed(self, year: int) -> Rules:
        rules = rules_of(self.pack, year)
        rules.allowed = allowed_cases(
            self.city.bundle, self.pack, rules.drawn_kinds(), len(rules.away), partial(self._case, rules),
            self.goods.plain, year,
        )  # fmt: skip
        return rules

    def _case(self, rules: Rules, group: int, kind: int, spot: int, day: int) -> Iterator[dict[str, Any]]:
        """Yield the fields of claims of one case, as :meth:`fields` would write them."""
        entry, hospitals = self.pack.person_groups[group], self.pack.hospitals
        scheme = int(getattr(Scheme, entry.scheme.upper()))
        scheme = rules.payer(scheme, kind) if kind == CareKind.MATERNITY_INPATIENT else scheme
        if not scheme:
            return
        away = spot >= len(hospitals)
        stay = kind in STAYS
        fields: dict[str, Any] = {
            "institution_code": "H99000000001" if away else hospitals[spot].code, "settlement_sequence": 1,
            "insured_area": f"{self.pack.areas[0].code:06d}", "scheme": scheme_code(scheme),
            "person_type": entry.person_types[0], "care_type": self.care_codes[kind], "settlement_date": day,
            "admission_date": day, "discharge_date": day if stay else 0, "sex": 2, "age_years": 30,
            "contribution_tier": (entry.contribution_tiers or [0])[0], "diagnoses": FALLBACK_DIAGNOSES[:1],
        }  # fmt: skip
        if away:
            place, filing = rules.away[spot - len(hospitals)]
            fields |= {"care_area": self.away_area(place, 0), "hospital_level": "02", "filing": filing}
        if kind == CareKind.MATERNITY_INPATIENT:
            fields |= {"maternity_type": 1, "fetus_count": 1}
        listed: dict[int, tuple[str, ...]] = dict.fromkeys(LASTING, rules.lasting)
        listed[CareKind.SINGLE_DISEASE] = rules.fixed_price
        for disease in listed.get(kind) or ("",):
            yield {**fields, "disease_code": disease}

    @cached_property
    def illnesses(self) -> Illnesses:
        name = self.pack.grouping_on(self.city.year * 10_000 + 701)
        return read_illnesses(scheme_folder(name)) if name else NONE

    @cached_property
    def care_codes(self) -> dict[int, str]:
        """A national or local code of each kind of care [med_type]."""
        codes: dict[int, str] = {}
        for code, kind in self.pack.care_types.items():
            if code == _PREFERRED.get(kind) or int(kind) not in codes:
                codes[int(kind)] = code
        return codes

    def draw(
        self, rng: np.random.Generator, days: np.ndarray, inpatient_share: float, busy_until: np.ndarray, first: int
    ) -> Chunk:
        return draw_chunk(
            rng, self.pack, self.people, self.goods, self.illnesses, self.rules, days, inpatient_share, busy_until,
            self.number, first,
        )  # fmt: skip

    def away_area(self, place: int, row: int) -> str:
        """Return a county outside the pool: of another city of the province, or of another province."""
        if place == Place.PROVINCE:
            city = self.pack.pool // 100 + (1 if self.pack.pool // 100 % 100 < 98 else -1)
            return f"{city * 100 + 2:06d}"
        return ("310101", "110105", "320102", "440103")[row % 4] if self.pack.province != 31 else "110105"

    def messages(self, chunk: Chunk) -> Iterator[claim_pb2.Claim]:
        """Yield the claims of a chunk as protobuf messages."""
        codes = self.goods.codes
        lines = list(
            zip(
                [codes[item] for item in chunk.item.tolist()], yyyymmdd(chunk.fee_day).tolist(),
                chunk.price_e4.tolist(), chunk.quantity_e4.tolist(), chunk.amount_fen.tolist(),
                chunk.approval.tolist(), chunk.original.tolist(), strict=True,
            )
        )  # fmt: skip
        starts = chunk.line_start.tolist()
        for row, fields in enumerate(self.fields(chunk)):
            claim = claim_pb2.Claim(**fields)
            add = claim.lines.add
            for serial, (item, date, price, quantity, amount, approval, original) in zip(
                _LINE_IDS, lines[starts[row] : starts[row + 1]], strict=False
            ):
                line = add(
                    line_id=serial, item_code=item, fee_date=date, unit_price_e4=price, quantity_e4=quantity,
                    amount_fen=amount,
                )  # fmt: skip
                if approval:
                    line.approval = approval
                if original >= 0:
                    line.original_line_id = _LINE_IDS[original]
            yield claim

    def fields(self, chunk: Chunk) -> Iterator[dict[str, Any]]:
        """Yield the fields of each claim without its lines; those with their default value are left out."""
        people, person = self.people, chunk.person
        pool = self.pack
        areas = [f"{area.code:06d}" for area in pool.areas]
        assistance = ["", *(category.id for category in pool.assistance)]
        diseases = self.rules.lasting
        discharge = np.where(chunk.discharge > 0, yyyymmdd(np.maximum(chunk.discharge, 1)), 0).tolist()
        settlement = yyyymmdd(_settlement_days(chunk)).tolist()
        columns = zip(
            person.tolist(), chunk.kind.tolist(), chunk.hospital.tolist(), chunk.place.tolist(), chunk.filing.tolist(),
            yyyymmdd(chunk.admission).tolist(), discharge, settlement, chunk.total_fen.tolist(),
            people.county[person].tolist(), chunk.scheme.tolist(), people.person_type[person].tolist(),
            people.sex[person].tolist(), people.age_years[person].tolist(), strict=True,
        )  # fmt: skip
        for row, (
            who,
            kind,
            hospital,
            place,
            filing,
            begin,
            end,
            settled,
            total,
            county,
            scheme,
            type_,
            sex,
            age,
        ) in enumerate(columns):
            away = hospital < 0
            fields: dict[str, Any] = {
                "institution_code": f"H{990000 + row % 7:06d}{scheme:05d}" if away else pool.hospitals[hospital].code,
                "encounter_id": f"{settled}{self.number:02d}{chunk.first + row:010d}", "settlement_sequence": 1,
                "person_id": f"S{pool.pool:06d}{who:09d}", "insured_area": areas[county],
                "scheme": scheme_code(scheme), "person_type": type_, "care_type": self.care_codes[kind],
                "settlement_date": settled, "admission_date": begin, "total_fen": total, "sex": sex, "age_years": age,
                "diagnoses": chunk.diagnoses[row], "procedures": chunk.procedures[row],
            }  # fmt: skip
            if end:
                fields["discharge_date"] = end
                fields["discharge_way"] = int(chunk.discharge_way[row])
                fields["icu_hours"] = int(chunk.icu_hours[row])
            if age == 0:
                fields["age_days"] = 30 + who % 300
            if away:
                fields |= {"care_area": self.away_area(place, row), "hospital_level": "02", "filing": filing}
            if chunk.referral[row]:
                fields |= {"referral": int(chunk.referral[row])}
                fields["referral_deductible_fen"] = int(chunk.chain_deductible_fen[row])
            if kind in LASTING and diseases:
                fields["disease_code"] = diseases[who % len(diseases)]
            if kind == CareKind.SINGLE_DISEASE:
                fields["disease_code"] = chunk.diagnoses[row][0]
            if kind == CareKind.MATERNITY_INPATIENT:
                fields |= {"maternity_type": 3 if who % 3 == 0 else 1, "fetus_count": 1}
            self._add_person(fields, who, bool(chunk.use_account[row]), assistance)
            yield fields

    def _add_person(self, fields: dict[str, Any], who: int, use_account: bool, assistance: list[str]) -> None:
        """Add what is known of the person beside the columns that every claim has."""
        people = self.people
        if people.tier[who]:
            fields["contribution_tier"] = int(people.tier[who])
        if people.assistance[who]:
            fields["assistance_category"] = assistance[people.assistance[who]]
        if people.civil_servant[who]:
            fields["civil_servant"] = True
        if people.family_doctor[who]:
            fields |= {"family_doctor_signed": True, "at_signed_institution": who % 2 == 0}
        if use_account:
            fields |= {
                "use_account": True, "account_current_fen": int(people.account_current_fen[who]),
                "account_past_fen": int(people.account_past_fen[who]),
                "account_family_fen": int(people.account_family_fen[who]),
            }  # fmt: skip


def _settlement_days(chunk: Chunk) -> np.ndarray:
    """Return the day of settlement: the last day of the stay, or the day of the visit."""
    return np.where(chunk.discharge > 0, chunk.discharge, chunk.admission)
