"""Prints docs/errors.md from the error table and the line notes (`./dev docs`)."""

from adjudicator.codes import LineNote
from adjudicator.errors import TABLE, Row

HEAD = """# Errors

Printed by `./dev docs` from `src/adjudicator/errors.py`; do not edit.

Lower numbers take precedence: of several problems of one claim, the first in this table becomes the gRPC status of a
unary call, and all of them travel in the answer's details. `{detail}` is a code, a limit or the name of a field, never
anything about a person.

错误号小者优先；`{detail}` 为代码、限值或字段名，不含个人信息。

| code | gRPC status | what is wrong | what to do | 说明 | 处理 |
| --- | --- | --- | --- | --- | --- |"""

NOTES = """
## Line notes

`LineResult.note`: why a fee line was not split in the normal way (明细切分说明).

| note | name |
| --- | --- |"""


def cells(row: Row) -> str:
    """One row of the table in Markdown."""
    return f"| {row.code} | {row.status} | {row.en} | {row.do_en} | {row.zh} | {row.do_zh} |"


def main() -> None:
    """Prints the page."""
    print(HEAD)
    for number in sorted(TABLE):
        print(cells(TABLE[number]))
    print(NOTES)
    for note in LineNote:
        print(f"| {note.value} | {note.name.lower().replace('_', ' ')} |")


if __name__ == "__main__":
    main()
