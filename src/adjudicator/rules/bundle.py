"""A bundle: some packs, compiled to arrays, immutable and hashed; the hash is in every settlement."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from adjudicator.benefit.compile import Benefit, compile_benefit
from adjudicator.benefit.plan.compile import Plans, version_text
from adjudicator.limits import FIRST_DATE, LAST_DATE
from adjudicator.rulefile.faults import Faults, PackError
from adjudicator.rulefile.pack import Hospital, Pack
from adjudicator.rules.load import canonical, load_pack
from adjudicator.rules.lookup import Lookup, compile_lookup

SECTIONS: tuple[tuple[str, str], ...] = (
    ("catalogue", "adjudicator.catalogue.section"),
    ("payment", "adjudicator.payment.section"),
    ("coding", "adjudicator.grouping.coding_checks"),
)
"""Parts of a pack that other modules read and compile: ``load_section`` and ``compile_sections``."""


@dataclass(frozen=True)
class Bundle:
    """Compiled rules of some pools. A pack's number is its position in ``packs``."""

    packs: tuple[Pack, ...]
    benefit: Benefit
    lookup: Lookup
    catalogue: Any
    """catalogue.section.Catalogue, all packs."""
    payment: Any
    """payment.compile.PaymentRules, all packs."""
    schemes: tuple[Any, ...]
    """grouping.scheme.load.Scheme, each grouping scheme once."""
    coding: Any
    """grouping.coding_checks.PackChecks: coding checks of each pack; None for an inline plan."""
    hash: str
    """16 hexadecimal characters over the canonical sources of every section."""

    @property
    def plans(self) -> Plans:
        """Return the compiled benefit plans of all packs."""
        return self.benefit.plans

    def pack_of_area(self, code: int | str) -> Pack | None:
        """Return the pack of a county's area code."""
        return next((pack for pack in self.packs if any(area.code == int(code) for area in pack.areas)), None)

    def pack_number(self, name: str) -> int:
        """Position of a pack by its id, or by its pool code."""
        for number, pack in enumerate(self.packs):
            if name in (pack.id, str(pack.pool)):
                return number
        raise KeyError(name)

    @cached_property
    def rule_versions(self) -> tuple[str, ...]:
        """Version of rules in words for each plan row, e.g. ``hangzhou@2021-01-01``."""
        return tuple(version_text(self.packs, version) for version in self.plans.versions)


def load_bundle(names_or_paths: Sequence[str | Path]) -> Bundle:
    """Read, check and compile packs by name or folder.

    Raises :class:`adjudicator.rulefile.faults.PackError` with every fault of every section of every pack.
    """
    faults = Faults()
    packs: list[Pack] = []
    for name in names_or_paths:
        own = Faults()
        pack = load_pack(name, own)
        _collect(own, str(name), len(names_or_paths), faults)
        if pack is not None:
            packs.append(pack)
    _check_packs(packs, faults)
    sources: dict[str, list[Any]] = {}
    for section, module in SECTIONS:
        loader = importlib.import_module(module)
        sources[section] = []
        for pack in packs:
            own = Faults()
            sources[section].append(loader.load_section(pack.folder, pack, own))
            _collect(own, pack.id, len(names_or_paths), faults)
    schemes = _load_schemes(packs, faults)
    faults.raise_if_any("rule pack " + ", ".join(str(name) for name in names_or_paths))
    return compile_bundle(packs, sources, schemes)


def compile_bundle(packs: Sequence[Pack], sources: dict[str, list[Any]], schemes: Sequence[Any]) -> Bundle:
    """Return a bundle of packs that are read and checked."""
    sections = {
        section: importlib.import_module(module).compile_sections(sources[section]) if sources.get(section) else None
        for section, module in SECTIONS
    }
    digest = hashlib.blake2b(digest_size=8)
    for pack in packs:
        digest.update(canonical([pack.sources, [_hospital_data(hospital) for hospital in pack.hospitals]]))
    for section in (*sections.values(), *schemes):
        if section is not None:
            for part in section.hash_parts():
                digest.update(part if isinstance(part, bytes) else str(part).encode())
    return Bundle(
        tuple(packs), compile_benefit(packs), compile_lookup(packs), sections["catalogue"], sections["payment"],
        tuple(schemes), sections["coding"], digest.hexdigest(),
    )  # fmt: skip


def _hospital_data(hospital: Hospital) -> list[Any]:
    """Return what the hash covers; the days of a row without dates are no part of it."""
    dates = ("from_date", "to_date")
    undated = (hospital.from_date, hospital.to_date) == (FIRST_DATE, LAST_DATE)
    return [getattr(hospital, name) for name in hospital.__slots__ if not (undated and name in dates)]


def _check_packs(packs: Sequence[Pack], faults: Faults) -> None:
    """Note areas and hospitals that belong to more than one pack."""
    owner: dict[str, str] = {}
    for pack in packs:
        codes = [*(str(area.code) for area in pack.areas), *(hospital.code for hospital in pack.hospitals)]
        for code in codes:
            if owner.setdefault(code, pack.id) != pack.id:
                faults.add(f"pack {pack.id}", code, f"is also in pack {owner[code]}", "load only one of the two packs")
    for number, pack in enumerate(packs):
        if pack.id in [other.id for other in packs[:number]]:
            faults.add(f"pack {pack.id}", "id", "is loaded twice", "name each pack once")


def _collect(own: Faults, name: str, packs: int, faults: Faults) -> None:
    """Faults of one pack; where several are loaded, each file is named with its pack."""
    for fault in own:
        faults.append(fault if packs == 1 else replace(fault, file=f"{name}/{fault.file}"))


def _load_schemes(packs: Sequence[Pack], faults: Faults) -> list[Any]:
    names = dict.fromkeys(grouping.scheme for pack in packs for grouping in pack.groupings)
    if not names:
        return []
    from adjudicator.grouping.scheme.load import load_scheme

    schemes = []
    for name in names:
        try:
            schemes.append(load_scheme(name))
        except PackError as error:
            faults.extend(error.faults)
    return schemes
