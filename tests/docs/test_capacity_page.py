"""The plan of nodes and memory: its formulas by hand, and the page prints what the command prints."""

from __future__ import annotations

from benchmarks.capacity import AREAS, Area, Assumptions, Figures, plan, table

FIGURES = Figures(
    memory_bytes=1_000, file_bytes=1_200, rewritten_bytes=800, single_service_us=600, single_store_us=200,
    batch_service_us=40, batch_store_us=25, load_ns=5_000,
)  # fmt: skip
GIVEN = Assumptions()


def test_a_city_fits_one_shard():
    found = plan(Area("city", 10_000_000, 1, 100), FIGURES, GIVEN)
    assert found._asdict() == {
        "settlements": 10_000_000,
        "hour": 10_000,  # 0.5 % of the year is 50,000; 20 % of that
        "second": 6,  # 2.8 a second on the mean, twice as many
        "single_cores": 1,
        "batch_cores": 1,
        "nodes": 2,
        "memory_a_year": 10**10,
        "largest_pool": 2 * 10**10,
        "full_months": 76,  # 64 GB are 6.4 years of 10 GB
        "pools_a_shard": 1,
        "shards": 1,
        "largest_shard": 2 * 10**10,
        "memory_of_all": 4 * 10**10,
        "store_percent": 1,
        "most_single_rate": 5_000,
        "most_batch_rate": 40_000,
        "file_a_year": 24 * 10**9,
        "disk_a_shard": 48 * 10**9,
        "restart_seconds": 100,
    }


def test_small_pools_share_shards_and_the_largest_has_its_own():
    # 1.1 · 10^8 settlements in two years: 10 pools of 10 GB and one of 10 GB; six of them fit 64 GB.
    found = plan(Area("eleven", 55_000_000, 11, 10), FIGURES, GIVEN)
    assert (found.pools_a_shard, found.shards) == (6, 3)
    assert found.largest_shard == 6 * 9_900_000 * 1_000
    assert found.largest_pool == 11 * 10**9


def test_a_pool_that_is_larger_than_a_shard_is_not_split():
    found = plan(Area("province", 10**9, 12, 25), FIGURES, GIVEN)
    assert (found.pools_a_shard, found.shards) == (1, 12)
    assert found.largest_shard == found.largest_pool == 500 * 10**9
    assert found.full_months == 3
    assert found.second == 556
    assert found.single_cores == 1  # 556 · 600 µs are a third of a core, of which half may be used
    assert found.store_percent == 3
    assert found.restart_seconds == 2_500


def test_more_load_takes_more_nodes():
    found = plan(Area("country", 10**11, 330, 2), FIGURES, GIVEN)
    assert found.single_cores == 67
    assert found.nodes == 9 + 1


def test_the_page_has_the_table_that_the_command_prints(root):
    page = (root / "docs" / "capacity.md").read_text(encoding="utf-8")
    assert table(AREAS, Figures(), GIVEN) in page
