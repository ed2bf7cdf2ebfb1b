"""The backup of docs/operations.md: the append-only folder copied while the store runs, started again elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import redis

from adjudicator.ledger.embedded import EmbeddedStore


def content(client: redis.Redis) -> dict[bytes, bytes | None]:
    """Every key of a store with its value in the store's own form."""
    return {key: client.dump(key) for key in client.scan_iter(count=1000)}


def fill(client: redis.Redis, first: int) -> None:
    for number in range(first, first + 500):
        client.hincrby("adj:{330100}:totals:202401", f"330102|310|{number % 7}", number)
        client.xadd("adj:{330100}:journal:202401", {"r": str(number)}, id=f"{number + 1}-0")


def back_up(client: redis.Redis, folder: Path, to: Path) -> None:
    """The steps of docs/operations.md."""
    percentage = client.config_get("auto-aof-rewrite-percentage")["auto-aof-rewrite-percentage"]
    client.config_set("auto-aof-rewrite-percentage", 0)
    try:
        assert client.info("persistence")["aof_rewrite_in_progress"] == 0
        shutil.copytree(folder / "appendonlydir", to / "appendonlydir")
    finally:
        client.config_set("auto-aof-rewrite-percentage", percentage)


@pytest.mark.parametrize("rewritten", [False, True])
def test_a_copy_of_the_append_only_folder_is_the_ledger(tmp_path, rewritten):
    with EmbeddedStore.start(tmp_path / "store") as store, redis.Redis.from_url(store.url) as client:
        fill(client, 0)
        if rewritten:
            client.bgrewriteaof()
            while client.info("persistence")["aof_rewrite_in_progress"]:
                pass
        fill(client, 500)
        back_up(client, store.folder, tmp_path / "copy")
        saved = content(client)
        fill(client, 1000)
        assert content(client) != saved, "the store went on meanwhile"
    with EmbeddedStore.start(tmp_path / "copy") as restored, redis.Redis.from_url(restored.url) as client:
        assert content(client) == saved
