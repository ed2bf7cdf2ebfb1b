"""The Python API: public names are frozen, so that a change to them is a decision (docs/python.md)."""

from __future__ import annotations

import ast
import inspect

import adjudicator

PUBLIC = {
    "AdjudicatorError": "(*problems: 'Problem')",
    "Bundle": None,
    "Client": "(target: 'str', credentials: 'grpc.ChannelCredentials | None' = None, most_attempts: 'int' = 10)",
    "Engine": "(bundle: 'Bundle')",
    "Problem": None,
    "load_bundle": None,
    "price_columns": (
        "(bundle: 'Bundle', table: 'Columns', results: 'Sequence[str] | None' = None, specialise: 'bool' = False)"
        " -> 'pa.Table | pa.RecordBatch | dict[str, np.ndarray]'"
    ),
    "price_message": "(bundle: 'Bundle', claim: 'claim_pb2.Claim') -> 'settlement_pb2.Settlement'",
}
"""Name and signature; None where only the name is promised."""


def test_the_public_names_are_these():
    assert sorted(adjudicator.__all__) == sorted(PUBLIC) and set(PUBLIC) <= set(dir(adjudicator))


def test_their_signatures_are_these():
    for name, signature in PUBLIC.items():
        found = getattr(adjudicator, name)
        assert found.__doc__, name
        if signature is not None:
            assert str(inspect.signature(found)) == signature, name


def test_type_checkers_see_the_same_names(root):
    stub = (root / "src" / "adjudicator" / "__init__.pyi").read_text(encoding="utf-8")
    listed = ast.literal_eval(stub.split("__all__ = ")[1])
    imported = {node.names[0].asname for node in ast.walk(ast.parse(stub)) if isinstance(node, ast.ImportFrom)}
    assert sorted(listed) == sorted(imported) == sorted(PUBLIC)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(adjudicator, "nothing_of_this_name")
