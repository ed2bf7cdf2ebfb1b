"""The kernel that reads record files and a plain reader agree on every line, good or broken."""

from __future__ import annotations

import random
from dataclasses import asdict

import pytest

from adjudicator import limits
from adjudicator.grouping.records import text_kernel as kernel
from adjudicator.grouping.records.files import KINDS, department_table, parse_block, read_header
from adjudicator.grouping.scheme.load import Scheme
from tests.grouping.conftest import Pair
from tests.grouping.naive_text import TextRecord, read_block

REASONS = {
    kernel.GOOD: "", kernel.TOO_FEW_COLUMNS: "too few columns", kernel.TOO_MANY_COLUMNS: "too many columns",
    kernel.NOT_A_NUMBER: "not a number", kernel.OUT_OF_RANGE: "out of range", kernel.TOO_MANY_CODES: "too many codes",
    kernel.CODE_TOO_LONG: "code too long", kernel.NOT_UTF8: "not UTF-8", kernel.ID_TOO_LONG: "id too long",
    kernel.QUOTES: "quotes",
}  # fmt: skip
WITHOUT_COLUMN = ("", "too few columns", "too many columns", "not UTF-8")
COLUMNS = ["other", *KINDS]


def read_by_kernel(scheme: Scheme, block: bytes, columns: list[str], separator: str) -> list[TextRecord]:
    """What the kernel reads, with the texts of the codes from where it found them."""
    kinds = read_header(separator.join(columns).encode(), separator.encode())
    parsed = parse_block(scheme, block, kinds, separator.encode(), keep_codes=True)
    texts, departments = parsed.codes(), ["", *scheme.departments]
    records = []
    for row in range(len(parsed.ids)):
        fault, column = parsed.faults[row]
        record = TextRecord(int(parsed.lines[row]), fault=REASONS[int(fault)])
        record.column = "" if record.fault in WITHOUT_COLUMN else columns[column]
        start, end = parsed.ids[row]
        record.id = block[start:end].decode("utf-8", "replace")
        record.department = departments[parsed.columns.department[row]]
        record.numbers = {name: int(getattr(parsed.columns, name)[row]) for name in kernel.NUMBERS}
        for system, name in enumerate(("diagnoses", "procedures")):
            offsets = (parsed.columns.diagnosis_offsets, parsed.columns.procedure_offsets)[system]
            codes = [texts.code(system, place) for place in range(offsets[row], offsets[row + 1])]
            known = (scheme.texts.diagnosis_codes, scheme.texts.procedure_codes)[system]
            ids = getattr(parsed.columns, name)[offsets[row] : offsets[row + 1]]
            assert [known[id] if id >= 0 else code for id, code in zip(ids, codes, strict=True)] == codes
            setattr(record, name, codes)
        records.append(record)
    return records


def random_field(draw: random.Random, column: str, scheme: Scheme) -> str:
    """A field as files have it, and now and then as they should not."""
    many = limits.MAX_DIAGNOSES_PER_CLAIM
    if column in ("diagnoses", "procedures"):
        known = scheme.texts.diagnosis_codes if column == "diagnoses" else scheme.texts.procedure_codes
        codes = draw.choices(known, k=draw.choice([0, 1, 2, 5, many if draw.random() < 0.1 else 3]))
        codes += draw.choice([[], [], [], [""], ["Z99.9中"], ["x" * limits.MAX_CODE_BYTES]])
        codes += draw.choice([[]] * 30 + [["x" * (limits.MAX_CODE_BYTES + 1)], ["A"] * many])
        return "|".join(codes) + draw.choice(["", "", "", "|"])
    if column == "id":
        return draw.choice([f"病例{draw.randrange(10**6)}", "", "i" * limits.MAX_ID_BYTES] + ["r1"] * 20
                           + ["i" * (limits.MAX_ID_BYTES + 1)])  # fmt: skip
    if column == "department":
        return draw.choice(["", "elsewhere", *scheme.departments])
    if column == "other":
        return draw.choice(["", "anything", "有逗号吗"])
    numbers = ["", "0", "1", "2", "007", str(draw.randrange(10)), str(draw.randrange(120))]
    return draw.choice(numbers * 6 + ["-1", "-", "1.5", " 1", "1e3", "9" * 12, "1" * 13, "九", "-0"])


def random_line(draw: random.Random, columns: list[str], separator: str, scheme: Scheme) -> bytes:
    fields = [random_field(draw, column, scheme) for column in columns]
    fields = [f'"{text}"' if draw.random() < 0.1 else text for text in fields]
    if draw.random() < 0.1:
        place = draw.randrange(len(fields))
        fields[place] = draw.choice(['"open', '"two""quotes"', '"x"y', 'in"side', '""', '"'])
    if draw.random() < 0.1:
        fields = draw.choice([fields[:-1], [*fields, "more"], [*fields, ""], []])
    line = separator.join(fields).encode()
    if draw.random() < 0.05:
        place = draw.randrange(len(line) + 1)
        line = line[:place] + draw.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xe4\xb8"]) + line[place:]
    return line + draw.choice([b"\n", b"\n", b"\r\n"])


@pytest.mark.parametrize("separator", ["\t", ","])
def test_every_line_is_read_as_the_plain_reader_reads_it(demo: Pair, separator: str) -> None:
    draw = random.Random(17)
    seen: set[str] = set()
    for _ in range(40):
        columns = draw.sample(COLUMNS, len(COLUMNS))
        block = b"".join(random_line(draw, columns, separator, demo.scheme) for _ in range(100))
        expected = read_block(block, columns, separator)
        got = read_by_kernel(demo.scheme, block, columns, separator)
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            seen.add(other.fault)
            if other.department not in demo.scheme.departments:
                other.department = ""
            if other.fault:
                # Of a line that cannot be read only its number, the fault and the missing codes are told.
                assert (one.line, one.fault, one.column) == (other.line, other.fault, other.column), block.split(b"\n")[
                    other.line
                ]
                assert (one.diagnoses, one.procedures) == ([], [])
            else:
                assert asdict(one) == asdict(other)
    assert seen == set(REASONS.values())


def test_the_look_up_of_departments(demo: Pair) -> None:
    for number, department in enumerate(demo.scheme.departments):
        assert department_table(demo.scheme).find(department) == number
