"""The rule bundles a process has loaded: the one that settles, and named candidates for re-pricing."""

from __future__ import annotations

from collections.abc import Sequence

from adjudicator.claim.engine import Engine
from adjudicator.errors import E, refuse
from adjudicator.rules.bundle import load_bundle


class Engines:
    """Engines by name. Immutable; another set can take its place while calls go on over the old one."""

    def __init__(self, settling: Engine, candidates: dict[str, Engine]):
        self.settling = settling
        self._by_name = {settling.bundle.hash: settling}
        for name, engine in candidates.items():
            self._by_name[name] = self._by_name[engine.bundle.hash] = engine
        self._areas: dict[frozenset[str], frozenset[str]] = {}

    @classmethod
    def load(cls, packs: Sequence[str], candidates: Sequence[tuple[str, Sequence[str]]] = ()) -> Engines:
        """Compiles the bundles; raises PackError with every fault of a pack."""
        settling = Engine(load_bundle(packs))
        return cls(settling, {name: Engine(load_bundle(names)) for name, names in candidates})

    def areas_of(self, pools: frozenset[str]) -> frozenset[str]:
        """Return the area codes of insurance of some pools, over all bundles."""
        if pools not in self._areas:
            packs = [pack for engine in self._by_name.values() for pack in engine.bundle.packs]
            own = [area for pack in packs if f"{int(pack.pool):06d}" in pools for area in pack.areas]
            self._areas[pools] = frozenset(f"{area.code:06d}" for area in own)
        return self._areas[pools]

    def find(self, name: str) -> Engine:
        """Engine of a bundle by its name or hash; empty: the one that settles. Errors: E.UNKNOWN_RULES."""
        if not name:
            return self.settling
        if name not in self._by_name:
            raise refuse(E.UNKNOWN_RULES, "x-adjudicator-rules")
        return self._by_name[name]
