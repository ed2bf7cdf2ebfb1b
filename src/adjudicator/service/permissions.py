"""Who may do what: one table of calls and roles, from which docs/permissions.md is printed (``./dev docs``).

A role may make a call on what is its own: its institutions, its pools, its counties. What a message is about is read
from the message itself, by :data:`SUBJECTS`.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from adjudicator.service.callers import Role


class Scope(Enum):
    """On what a role may make a call; the texts are those of docs/permissions.md."""

    NOTHING = ("—", "—")
    ANYTHING = ("yes", "可以")
    OWN_INSTITUTIONS = ("own institutions", "本机构")
    OWN_POOLS = ("own pools", "本统筹区")
    OWN_COUNTIES = ("own counties", "本区县")
    OWN_PATIENTS = ("persons with a settlement of its institutions in that year", "当年在本机构有结算的人员")


class About(Enum):
    """What the messages of a call are about."""

    NOBODY = "nobody"
    CLAIM = "claim"
    CLAIMS = "claims"
    """Each claim of a batch on its own."""
    SETTLEMENT = "settlement"
    REVERSAL = "reversal"
    YEAR = "year"
    TOTALS = "totals"
    STATEMENT = "statement"


class Row(NamedTuple):
    """What a call is about, and on what each role may make it."""

    about: About
    hospital: Scope = Scope.NOTHING
    bureau: Scope = Scope.NOTHING
    fund_manager: Scope = Scope.NOTHING
    operator: Scope = Scope.NOTHING

    def of(self, role: Role) -> Scope:
        """Return on what a role may make the call."""
        return self[1 + role]  # type: ignore[return-value]  # the roles stand in their order


HEALTH, METRICS = "Health", "metrics page"

MATRIX: dict[str, Row] = {
    "PreSettle": Row(About.CLAIM, Scope.OWN_INSTITUTIONS, Scope.OWN_POOLS),
    "Settle": Row(About.CLAIM, Scope.OWN_INSTITUTIONS),
    "SettleBatch": Row(About.CLAIMS, Scope.OWN_INSTITUTIONS),
    "SettleStream": Row(About.CLAIMS, Scope.OWN_INSTITUTIONS),
    "Reverse": Row(About.REVERSAL, Scope.OWN_INSTITUTIONS),
    "GetSettlement": Row(About.SETTLEMENT, Scope.OWN_INSTITUTIONS, Scope.OWN_POOLS),
    "Explain": Row(About.SETTLEMENT, Scope.OWN_INSTITUTIONS, Scope.OWN_POOLS),
    "Group": Row(About.NOBODY, Scope.ANYTHING, Scope.ANYTHING),
    "Reprice": Row(About.CLAIMS, bureau=Scope.OWN_POOLS),
    "GetAccumulators": Row(About.YEAR, Scope.OWN_PATIENTS, Scope.OWN_POOLS),
    "GetCountyTotals": Row(About.TOTALS, bureau=Scope.OWN_POOLS, fund_manager=Scope.OWN_COUNTIES),
    "WatchCountyTotals": Row(About.TOTALS, bureau=Scope.OWN_POOLS, fund_manager=Scope.OWN_COUNTIES),
    "Reconcile": Row(About.STATEMENT, Scope.OWN_INSTITUTIONS, Scope.OWN_POOLS),
    HEALTH: Row(About.NOBODY, Scope.ANYTHING, Scope.ANYTHING, Scope.ANYTHING, Scope.ANYTHING),
    METRICS: Row(About.NOBODY, operator=Scope.ANYTHING),
}
"""Every call of the service by its name in proto/, the calls of the standard health service as one, and the page of
counters. A call without a row is not served."""
