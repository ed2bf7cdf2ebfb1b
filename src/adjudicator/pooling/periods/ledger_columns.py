"""Records of the journal as columns of cases: thousands at a time, without taking one apart.

The answers and what the records keep of their claims are read with the decoder of the wire, where they are stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from adjudicator.codes import SCHEME_NATIONAL, Scheme
from adjudicator.errors import E, refuse
from adjudicator.ledger.journal import Chunk
from adjudicator.ledger.layout import Kind
from adjudicator.payment.funds import CLEARING_FUNDS
from adjudicator.pooling.cases import CASE, Cases
from adjudicator.v1 import record_pb2, settlement_pb2
from adjudicator.wire.decode import decode
from adjudicator.wire.schema import Tables, compile_schema, with_parts_as_bytes

ANSWER_SCHEMA = compile_schema(with_parts_as_bytes(settlement_pb2.Settlement.DESCRIPTOR, "funds"))
BASIS_SCHEMA = compile_schema(with_parts_as_bytes(record_pb2.RecordBasis.DESCRIPTOR, "rows", "sums"))
"""Parts that no case needs stay bytes."""
PAYMENT = b"payment"
"""Field of the problem that says why a claim has no price."""
Texts = tuple[np.ndarray, np.ndarray]
"""int64[n], int64[n]: where texts begin and how long they are."""


@dataclass(frozen=True, slots=True)
class Lines:
    """Some records as cases: n lines in the order of the journal."""

    cases: Cases
    kinds: np.ndarray
    """int64[n], ``ledger.layout.Kind``."""
    positions: np.ndarray
    """int64[n]"""
    originals: np.ndarray
    """uint8[n, 16]: key of the settlement that a reversal takes back."""


def lines_of(chunk: Chunk, kinds: Sequence[Kind], clearing_funds: Sequence[str]) -> Lines | None:
    """Return the records of some kinds as cases, ``None`` where the chunk has none.

    ``clearing_funds``: what they pay of a case that has no price is its ``fund_fen``. Dates of the stay are those of
    the claim, ``exempt`` is 0. Errors: E.LEDGER_CORRUPT for a record without answer, or that cannot be read.
    """
    chosen = np.flatnonzero(np.isin(chunk.kinds, list(kinds)))
    if not len(chosen):
        return None
    root, octets = chunk.root.take(chosen), chunk.octets
    record_kinds = chunk.kinds[chosen]
    sign = np.where(record_kinds == Kind.REVERSE, -1, 1)
    rows = np.zeros(len(root), CASE)
    ids, hospitals = _names(octets, root)
    rows["hospital"], hospital_names = numbered(octets, hospitals)
    rows["county"], counties = _coded(root["county"], lambda code: f"{code:06d}")
    rows["scheme"], schemes = _coded(
        root["scheme"], lambda code: SCHEME_NATIONAL.get(Scheme(code), str(code))
    )  # fmt: skip
    rows["month"], rows["sign"] = chunk.month, sign
    rows["person"] = chunk.digests("person", chosen).view("<u8")[:, 0]
    answers = _answers(chunk, root, ids)
    groups = _amounts(answers, rows, sign, clearing_funds)
    rows["group"], group_names = numbered(octets, groups)
    diagnoses = _claims(octets, root, rows)
    found, codes = numbered(octets, diagnoses)
    cases = Cases(
        rows, ids, hospital_names, counties, schemes, group_names, np.array(codes, object)[found],
        _reasons(octets, answers, rows["method"]),
    )  # fmt: skip
    return Lines(cases, record_kinds, chunk.positions[chosen], chunk.digests("original", chosen))


def numbered(octets: np.ndarray, texts: Texts) -> tuple[np.ndarray, list[str]]:
    """Return texts as numbers, int64[n], of a sorted list of them."""
    starts, sizes = texts
    width = max(1, int(sizes.max(initial=0)))
    matrix = octets[np.minimum(starts[:, None] + np.arange(width), len(octets) - 1)]
    matrix[np.arange(width) >= sizes[:, None]] = 0
    words = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), len(matrix), [None, pa.py_buffer(matrix)])
    coded = words.dictionary_encode()
    names = [word.rstrip(b"\0").decode() for word in coded.dictionary.to_pylist()]
    listed = sorted(names)
    place = np.array([listed.index(name) for name in names], np.int64)
    return place[coded.indices.to_numpy()], listed


def _coded(values: np.ndarray, name: Any) -> tuple[np.ndarray, list[str]]:
    """Return numbers of a sorted list of names, which ``name`` gives for each value."""
    known, numbers = np.unique(values, return_inverse=True)
    names = [name(value) for value in known.tolist()]
    listed = sorted(set(names))
    return np.array([listed.index(text) for text in names], np.int64)[numbers], listed


def _names(octets: np.ndarray, root: np.ndarray) -> tuple[np.ndarray, Texts]:
    """Return the settlements as a hospital names them, texts; and where the institutions stand."""
    institutions = root["institution_start"], root["institution_size"].astype(np.int64)
    numbers, names = numbered(octets, institutions)
    data = octets.tobytes()
    starts = root["encounter_start"]
    ends = (starts + root["encounter_size"]).tolist()
    parts = zip(numbers.tolist(), starts.tolist(), ends, root["sequence"].tolist(), strict=True)
    ids = np.empty(len(root), object)
    ids[:] = [f"{names[number]}/{data[start:end].decode()}/{sequence}" for number, start, end, sequence in parts]
    return ids, institutions


def _answers(chunk: Chunk, root: np.ndarray, ids: np.ndarray) -> Tables:
    """Return the tables of the answers; lines and what follows from the record are not in them."""
    whole = root["answer_size"] == 0
    starts = np.where(whole, root["whole_answer_start"], root["answer_start"])
    sizes = np.where(whole, root["whole_answer_size"], root["answer_size"]).astype(np.int64)
    _refuse(ids[sizes == 0], "has no answer")
    decoded = decode(ANSWER_SCHEMA, chunk.octets, starts, starts + sizes)
    _refuse(ids[decoded.status != 0], "has an answer that cannot be read")
    return decoded.tables


def _refuse(wrong: np.ndarray, what: str) -> None:
    if len(wrong):
        raise refuse(E.LEDGER_CORRUPT, detail=f"settlement {wrong[0]} {what}")


def _amounts(answers: Tables, rows: np.ndarray, sign: np.ndarray, clearing_funds: Sequence[str]) -> Texts:
    """Fill in what the answers say of money and points; return where their groups stand."""
    top = answers[""]
    method, points, due, difference = (
        _of(answers["payment"], top["payment"], name) for name in ("method", "points_e8", "due_fen", "difference_fen")
    )
    funds = [top[CLEARING_FUNDS[word].field] for word in clearing_funds]
    unpriced = np.sum(funds, axis=0, dtype=np.int64) if funds else np.zeros(len(rows), np.int64)
    by_item = np.where(method != 0, due - difference, unpriced)
    rows["method"], rows["points_e8"] = method, np.abs(points)
    rows["total_fen"], rows["patient_fen"] = sign * top["total_fen"], sign * top["personal_total_fen"]
    rows["others_fen"], rows["fund_fen"] = sign * (top["fund_total_fen"] - by_item), sign * by_item
    rows["due_fen"] = sign * due
    groups = (_of(answers["grouping"], top["grouping"], name) for name in ("drg_start", "drg_size"))
    starts, sizes = groups
    return starts, sizes


def _of(table: np.ndarray, places: np.ndarray, name: str) -> np.ndarray:
    """Return a column of a part of messages, int64[n]; 0 for messages without the part."""
    if not len(table):
        return np.zeros(len(places), np.int64)
    values: np.ndarray = table[name].take(np.maximum(places, 0)).astype(np.int64)
    values[places < 0] = 0
    return values


def _claims(octets: np.ndarray, root: np.ndarray, rows: np.ndarray) -> Texts:
    """Fill in the dates of the stays; return where the principal diagnoses stand."""
    starts, sizes = np.zeros(len(root), np.int64), np.zeros(len(root), np.int64)
    kept = np.flatnonzero(root["basis_size"] > 0)
    if not len(kept):
        return starts, sizes
    first = root["basis_start"][kept]
    decoded = decode(BASIS_SCHEMA, octets, first, first + root["basis_size"][kept])
    if decoded.status.any():
        raise refuse(E.LEDGER_CORRUPT, detail="what a record keeps of its claim cannot be read")
    top, facts = decoded.tables[""], decoded.tables["facts"]
    for name in ("admission_date", "discharge_date"):
        rows[name][kept] = _of(facts, top["facts"], name)
    starts[kept], sizes[kept] = top["principal_diagnosis_start"], top["principal_diagnosis_size"]
    return starts, sizes


def _reasons(octets: np.ndarray, answers: Tables, methods: np.ndarray) -> np.ndarray:
    """Return the codes of the problems for which cases have no price, texts; "" for those that have one."""
    reasons, top, problems = np.full(len(methods), "", object), answers[""], answers["problems"]
    for row in np.flatnonzero(methods == 0).tolist():
        for place in range(int(top["problems_start"][row]), int(top["problems_end"][row])):
            if _text(octets, problems[place], "field") == PAYMENT:
                reasons[row] = _text(octets, problems[place], "code").decode()
                break
    return reasons


def _text(octets: np.ndarray, row: Any, name: str) -> bytes:
    start, size = int(row[f"{name}_start"]), int(row[f"{name}_size"])
    return octets[start : start + size].tobytes()


def with_stays(cases: Cases, stays: Mapping[str, Any]) -> None:
    """Replace dates and exemptions of the cases that ``stays`` lists, by id."""
    for place, case in enumerate(cases.ids.tolist() if stays else ()):
        stay = stays.get(case)
        if stay is not None:
            for name in ("admission_date", "discharge_date", "exempt"):
                cases.rows[name][place] = getattr(stay, name)
