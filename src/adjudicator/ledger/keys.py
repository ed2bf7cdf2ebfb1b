"""Names of the keys of a pool, all under one hash tag: a pool is one slot of a cluster, so one write is atomic."""

from __future__ import annotations

from functools import lru_cache

MOST_POOLS = 1024
"""Pools whose names are kept ready; a province has about a dozen."""
POOLS = "adj:pools"
"""Set of the pools that have a ledger in this store; outside the hash tags, written before a pool's first commit."""

INDEX_BUCKETS = 16
"""Hashes that the settlement index of a pool is spread over, by the first four bits of the key digest.

Few, so that a batch asks and writes many keys with one command; the tables grow step by step, not at once.
"""


@lru_cache(MOST_POOLS)
def prefix(pool: str) -> str:
    """Return what every key of a pool begins with.

    >>> prefix("330100")
    'adj:{330100}:'
    """
    return f"adj:{{{pool}}}:"


@lru_cache(MOST_POOLS)
def version(pool: str) -> str:
    """Position of the last journal entry; grows by one with each."""
    return prefix(pool) + "version"


def months(pool: str) -> str:
    """Set of the months (YYYYMM) that have a journal."""
    return prefix(pool) + "months"


def counties(pool: str) -> str:
    """Set of the counties that have a liability stream."""
    return prefix(pool) + "counties"


def journal(pool: str, month: int) -> str:
    """Stream of the records of a month; entry id ``<position>-0``, one field ``r``."""
    return prefix(pool) + f"journal:{month:06d}"


def totals(pool: str, month: int) -> str:
    """Hash of a month's totals: ``county|scheme|fund`` -> amount."""
    return prefix(pool) + f"totals:{month:06d}"


def liability(pool: str, county: str) -> str:
    """Stream of a county's changes; entry id ``<position of the commit's last record>-0``."""
    return prefix(pool) + f"liability:{county}"


def statement(pool: str, month: int, institution: bytes) -> bytes:
    """Return the string that grows by what an institution settles in a month: ``ledger.statements``."""
    return f"{prefix(pool)}statement:{month:06d}:".encode() + institution


def index_bucket(pool: str, key: bytes) -> str:
    """Hash that holds a settlement key -> ``YYYYMM-position``; ``buckets.lua`` is the same for the scripts.

    >>> index_bucket("330100", bytes.fromhex("abcd" + 28 * "0"))
    'adj:{330100}:index:a'
    """
    return prefix(pool) + "index:" + key[:1].hex()[:1]


def state(pool: str, key: bytes) -> bytes:
    """Value of a person's year in a scheme."""
    return states(pool) + key


@lru_cache(MOST_POOLS)
def states(pool: str) -> bytes:
    """Return what the keys of all persons' years begin with."""
    return (prefix(pool) + "state:").encode()


def rebuilding(pool: str) -> str:
    """Token of the rebuild that is under way, its last step, and ``hold`` where commits wait for it."""
    return prefix(pool) + "rebuilding"
