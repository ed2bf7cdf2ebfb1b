"""From what a settlement costs to what a city, a province and the country need: nodes, shards, memory, disk, restart.

Without ``--measure`` the figures below are used, which a run with it printed; docs/capacity.md says where. Each row
names its formula; all of it is arithmetic on whole numbers, rounded up. Run

    .venv/bin/python -m benchmarks.capacity [--measure] [--years 2] [--shard-gb 64] [--area Suzhou 60000000 1 100]
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

GB = 10**9
MILLION, HOUR_SECONDS = 10**6, 3600
LEAST_NODES, SPARE_NODES = 2, 1
FILE_ROOM = 3
"""A rewrite needs the old file beside the new one, and the old one may have doubled (docs/operations.md)."""


class Area(NamedTuple):
    """Who uses the store: settlements a year over all pools, pools, and the largest pool's share of them in percent."""

    name: str
    settlements: int
    pools: int
    largest_percent: int


AREAS = (Area("city", 10**7, 1, 100), Area("province", 10**9, 12, 25), Area("country", 10**10, 330, 2))


@dataclass(frozen=True)
class Figures:
    """What one settlement costs: bytes in memory and in the append-only file, CPU, and time to read it at a restart.

    ``single_`` is in calls of one claim, ``batch_`` in calls of 100.
    """

    memory_bytes: int = 761
    file_bytes: int = 1_014
    rewritten_bytes: int = 720
    single_service_us: int = 839
    single_store_us: int = 183
    batch_service_us: int = 40
    batch_store_us: int = 28
    load_ns: int = 5_922


@dataclass(frozen=True)
class Assumptions:
    """What the measured figures do not say."""

    years: int = 2
    """Years that stay in the store: nothing is moved out of it."""
    day_ppm: int = 5_000
    """The busiest day's part of the year: half a percent, as with 200 equal days."""
    hour_percent: int = 20
    """The busiest hour's part of that day."""
    peak: int = 2
    """The busiest second's part of that hour, as a multiple of the mean."""
    busy_percent: int = 50
    """Of a core that the busiest second may use."""
    node_cores: int = 8
    shard_gb: int = 64
    """Memory of a store node that its data may fill; a rewrite needs room beside it."""
    copies: int = 2
    """Of each shard: a primary and its replicas."""


class Plan(NamedTuple):
    """What an area needs; the names of ``ROWS``."""

    settlements: int
    hour: int
    second: int
    single_cores: int
    batch_cores: int
    nodes: int
    memory_a_year: int
    largest_pool: int
    full_months: int
    pools_a_shard: int
    shards: int
    largest_shard: int
    memory_of_all: int
    store_percent: int
    most_single_rate: int
    most_batch_rate: int
    file_a_year: int
    disk_a_shard: int
    restart_seconds: int


def up(value: int, divisor: int) -> int:
    """Divide and round up.

    >>> up(7, 2), up(8, 2)
    (4, 4)
    """
    return -(-value // divisor)


def plan(area: Area, figures: Figures, given: Assumptions) -> Plan:
    """Compute what an area needs; ``ROWS`` says each formula."""
    hour = up(area.settlements * given.day_ppm * given.hour_percent, MILLION * 100)
    second = up(hour * given.peak, HOUR_SECONDS)

    def cores(microseconds: int) -> int:
        return up(second * microseconds * 100, MILLION * given.busy_percent)

    kept = area.settlements * given.years
    largest = up(kept * area.largest_percent, 100)
    other = up(kept - largest, area.pools - 1) if area.pools > 1 else 0
    limit = given.shard_gb * GB // figures.memory_bytes  # settlements
    if kept <= limit:
        pools_a_shard, shards, of_shard = area.pools, 1, kept
    else:
        pools_a_shard = min(max(1, limit // other), area.pools - 1) if other else 1
        shards = 1 + up(area.pools - 1, pools_a_shard)
        of_shard = max(largest, other * pools_a_shard)
    return Plan(
        settlements=area.settlements,
        hour=hour,
        second=second,
        single_cores=cores(figures.single_service_us),
        batch_cores=cores(figures.batch_service_us),
        nodes=max(LEAST_NODES, up(cores(figures.single_service_us), given.node_cores) + SPARE_NODES),
        memory_a_year=area.settlements * figures.memory_bytes,
        largest_pool=largest * figures.memory_bytes,
        full_months=12 * given.years * limit // largest,
        pools_a_shard=pools_a_shard,
        shards=shards,
        largest_shard=of_shard * figures.memory_bytes,
        memory_of_all=kept * figures.memory_bytes * given.copies,
        store_percent=up(second * area.largest_percent * figures.single_store_us, MILLION),
        most_single_rate=MILLION // figures.single_store_us,
        most_batch_rate=MILLION // figures.batch_store_us,
        file_a_year=area.settlements * figures.file_bytes * given.copies,
        disk_a_shard=of_shard * figures.rewritten_bytes * FILE_ROOM,
        restart_seconds=up(of_shard * figures.load_ns, 10**9),
    )


def count_text(value: int) -> str:
    """Write a count.

    >>> count_text(1234567)
    '1,234,567'
    """
    return f"{value:,}"


def size_text(value: int) -> str:
    """Write bytes with three digits, rounded up.

    >>> size_text(7_012_345_678), size_text(175 * 10**9), size_text(1_400 * 10**9)
    ('7.1 GB', '175 GB', '1.4 TB')
    """
    unit, name = (1000 * GB, "TB") if value >= 1000 * GB else (GB, "GB")
    tenths = up(value * 10, unit)
    return f"{tenths // 10}.{tenths % 10} {name}" if tenths < 1000 else f"{up(value, unit):,} {name}"


def time_text(seconds: int) -> str:
    """Write a time.

    >>> time_text(40), time_text(150), time_text(7_300)
    ('40 s', '3 min', '2 h 2 min')
    """
    if seconds < 120:
        return f"{seconds} s"
    minutes = up(seconds, 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"


def percent_text(value: int) -> str:
    """Write a part of a core in percent."""
    return f"{value} %"


ROWS = (
    ("settlements", "settlements a year: S", count_text),
    ("hour", "in the busiest hour: H = S × {day_ppm} ppm × {hour_percent} %", count_text),
    ("second", "in the busiest second: P = H × {peak} / 3600", count_text),
    ("single_cores", "cores of the service, calls of one: P × {single_service_us} µs / {busy_percent} %", count_text),
    ("batch_cores", "the same, calls of 100: P × {batch_service_us} µs / {busy_percent} %", count_text),
    ("nodes", "nodes of the service: cores for calls of one / {node_cores}, and 1 to spare; at least 2", count_text),
    ("memory_a_year", "memory that a year adds: S × {memory_bytes} B", size_text),
    ("largest_pool", "memory of the largest pool, {years} years", size_text),
    ("full_months", "months until the largest pool fills {shard_gb} GB", count_text),
    ("pools_a_shard", "other pools in a shard: {shard_gb} GB / memory of a pool, at least 1", count_text),
    ("shards", "shards: one for the largest pool, the others by pools a shard", count_text),
    ("largest_shard", "memory of the largest shard, {years} years; a pool is never split", size_text),
    ("memory_of_all", "memory of all shards, {years} years, {copies} copies", size_text),
    ("store_percent", "store thread, largest pool, busiest second: P × its share × {single_store_us} µs", percent_text),
    ("most_single_rate", "most settlements a second of one pool, calls of one: 1 s / {single_store_us} µs", count_text),
    ("most_batch_rate", "the same, calls of 100: 1 s / {batch_store_us} µs", count_text),
    ("file_a_year", "written to append-only files a year: S × {file_bytes} B × {copies} copies", size_text),
    ("disk_a_shard", "disk of the largest shard, {years} years: 3 × {rewritten_bytes} B a settlement", size_text),
    ("restart_seconds", "restart of the largest shard: {load_ns} ns a settlement", time_text),
)
"""Field of a plan, its formula, and how it is written."""


def table(areas: Sequence[Area], figures: Figures, given: Assumptions) -> str:
    """Return the table in Markdown, each row with its formula."""
    values = vars(figures) | vars(given)
    plans = [plan(area, figures, given) for area in areas]
    lines = ["| what, and how | " + " | ".join(area.name for area in areas) + " |", "| --- |" + " --- |" * len(areas)]
    pools = (f"{area.pools}, {area.largest_percent} %" for area in areas)
    lines.append("| pools, share of the largest | " + " | ".join(pools) + " |")
    for name, formula, text in ROWS:
        cells = " | ".join(text(getattr(one, name)) for one in plans)
        lines.append(f"| {formula.format(**values)} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, and with ``--measure`` the figures before it."""
    parser = argparse.ArgumentParser(description="Plan nodes, shards, memory, disk and restart.")
    parser.add_argument("--measure", action="store_true", help="measure the figures on this machine")
    parser.add_argument("--claims", type=int, default=20_000, help="claims to measure with")
    parser.add_argument(
        "--area", nargs=4, action="append", default=[], metavar=("NAME", "SETTLEMENTS", "POOLS", "LARGEST_PERCENT")
    )
    for kind in (Figures, Assumptions):
        for name, value in vars(kind()).items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=value, help=f"default {value}")
    options = parser.parse_args()
    figures = Figures(**{name: getattr(options, name) for name in vars(Figures())})
    given = Assumptions(**{name: getattr(options, name) for name in vars(Assumptions())})
    if options.measure:
        from benchmarks.capacity_figures import measure

        figures = measure(options.claims)
        print("measured: " + ", ".join(f"{name} {value:,}" for name, value in vars(figures).items()))
    areas = [Area(name, *map(int, numbers)) for name, *numbers in options.area]
    print(table(areas or AREAS, figures, given))


if __name__ == "__main__":
    main()
