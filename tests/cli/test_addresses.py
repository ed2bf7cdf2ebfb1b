"""Addresses of the store on the command line."""

from __future__ import annotations

import argparse

import pytest

from adjudicator.cli.addresses import store_url


@pytest.mark.parametrize(
    "address",
    [
        "redis://one:6379/0",
        "unix:///run/store.sock",
        "redis+cluster://one:6379",
        "rediss+cluster://u:p@one:6379,two:6380",
    ],
)
def test_a_store_or_some_nodes_of_a_cluster(address):
    assert store_url(address) == address


@pytest.mark.parametrize(
    "address", ["redis://one:6379,two:6379", "redis+cluster://one:6379,two:0", "redis+cluster://one:no", "http://one"]
)
def test_what_names_no_store_is_refused_and_not_repeated(address):
    with pytest.raises(argparse.ArgumentTypeError) as refused:
        store_url(address)
    assert address not in str(refused.value)
