"""One person at the desk: claims settled one after the other over the person's year, amounts in yuan."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from adjudicator.benefit.settle import settle
from adjudicator.codes import PERSON_TYPES, CareKind, Filing, Place, Referral, Scheme
from adjudicator.columns import ACCUMULATOR_COUNT, BENEFIT, CLAIM, QUOTA, SLOT, SPLIT
from adjudicator.errors import E
from adjudicator.rules.bundle import Bundle
from adjudicator.rules.inline import inline_bundle
from tests.benefit.deciding import decide_dates

AMOUNTS = {"in_scope": "in_scope_fen", "first_pay": "first_pay_fen", "over_ceiling": "over_ceiling_fen",
           "self_paid": "wholly_self_paid_fen", "copay_free": "copay_free_fen",
           "special_drug": "special_drug_fen", "special_self_paid": "special_self_paid_fen",
           "borne": "hospital_borne_fen"}  # fmt: skip


def fen(yuan: Any) -> int:
    """Yuan as fen, exactly."""
    return int(Decimal(str(yuan)) * 100)


class Desk:
    """Settles claims of one person; ``year`` holds what was counted, in fen."""

    def __init__(self, rules: Bundle | Mapping[str, Any], **person: Any):
        self.bundle = rules if isinstance(rules, Bundle) else inline_bundle(dict(rules))
        self.person = person
        self.states, self.quotas = np.zeros((1, ACCUMULATOR_COUNT), np.int64), np.zeros(1, QUOTA)

    def settle(self, in_scope: Any = 0, **claim: Any) -> dict[str, Any]:
        """Settles one claim; returns the result columns in yuan, with ``error`` a member of errors.E."""
        return self.pay(*self.columns(in_scope, **claim), claim.get("lines"))

    def pay(self, row: np.ndarray, split: np.ndarray, lines: np.ndarray | None = None) -> dict[str, Any]:
        """Settles CLAIM[1] and SPLIT[1]."""
        out = np.zeros(1, BENEFIT)
        settle(self.bundle.benefit, row, split, self.states, self.quotas, out, lines)
        result: dict[str, Any] = {
            name.removesuffix("_fen"): Decimal(int(out[name][0])) / 100
            for name in BENEFIT.names
            if name.endswith("_fen")
        }
        parts = result["fund_total"] + result["personal_total"] + result["hospital_borne"]
        assert out["error"][0] or parts == Decimal(int(row["total_fen"][0])) / 100  # F2
        for name in ("unverified", "counts_as_admission", "pooled_rate_ppm", "plan"):
            result[name] = int(out[name][0])
        return result | {"error": E(int(out["error"][0]))}

    def columns(self, in_scope: Any = 0, **claim: Any) -> tuple[np.ndarray, np.ndarray]:
        """CLAIM[1] and SPLIT[1] of one claim."""
        said = {**self.person, **claim, "in_scope": in_scope}
        row, split = np.zeros(1, CLAIM), np.zeros(1, SPLIT)
        pack = self.bundle.packs[0]
        for name, column in AMOUNTS.items():
            split[column] = fen(said.get(name, 0))
        split["in_scope_fen"] = fen(in_scope)
        parts = ("in_scope", "first_pay", "over_ceiling", "self_paid")
        row["total_fen"] = sum(fen(said.get(name, 0)) for name in parts)
        row["scheme"] = Scheme[said.get("scheme", next(iter(pack.schemes)).name).upper()]
        row["person_type"] = PERSON_TYPES.index(said.get("type", pack.person_groups[0].person_types[0]))
        row["contribution_tier"], row["age_years"] = said.get("tier", 0), said.get("age", 40)
        row["assistance"] = pack.assistance_ids.index(said.get("category", ""))
        row["care_kind"] = CareKind[said.get("care", "inpatient").upper()]
        row["place"] = Place[said.get("place", "local").upper()]
        row["filing"] = Filing[said.get("filing", "unspecified").upper()]
        row["referral"] = Referral[said.get("referral", "unspecified").upper()]
        row["deductible_level"] = pack.level_ids.index(said.get("level", pack.level_ids[0]))
        codes = [disease.code for disease in pack.diseases]
        row["disease"] = codes.index(said["disease"]) if "disease" in said else -1
        row["quota"] = 0 if "disease" in said else -1
        wards = [ward.id for ward in pack.wards]
        row["ward"] = wards.index(said["ward"]) if "ward" in said else -1
        row["programme"] = [p.id for p in pack.programmes].index(said["programme"]) + 1 if "programme" in said else 0
        row["admission_date"] = row["settlement_date"] = row["discharge_date"] = said.get("date", 20240601)
        row["stay_days"], row["maternity_type"] = said.get("stay_days", 5), said.get("maternity", 0)
        row["fetus_count"] = said.get("fetuses", 1)
        row["chain_continues"], row["chain_deductible_fen"] = said.get("chain", 0), fen(said.get("chain_paid", 0))
        for flag in ("settled_at_counter", "civil_servant", "family_doctor", "at_signed_institution", "suspended"):
            row[flag] = said.get(flag, 0)
        row["use_account"] = int(any(name in said for name in ("current", "past", "family")))
        for pot in ("current", "past", "family"):
            row[f"account_{pot}_fen"] = fen(said.get(pot, 0))
        row["other_payer_fen"], row["hospital_borne_fen"] = fen(said.get("other_payer", 0)), fen(said.get("waived", 0))
        row["line_end"] = len(said.get("lines", ()))
        decide_dates(self.bundle.benefit, row)
        return row, split

    def used(self, name: str) -> Decimal:
        """A year-to-date amount in yuan."""
        return Decimal(int(self.states[0, SLOT[name]])) / 100


def yuan(text: Any) -> Decimal:
    """An expected amount."""
    return Decimal(str(text))
