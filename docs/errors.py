"""Prints docs/errors.md from the error table and the line notes (`./dev docs`)."""

from adjudicator.codes import LineNote
from adjudicator.errors import REMEDIES, TABLE, Row

HEAD = """# Errors

Printed by `./dev docs` from `src/adjudicator/errors.py`; do not edit.

Lower numbers take precedence: of several problems of one claim, the first in this table becomes the gRPC status of a
unary call, and all of them travel in the answer's details. `{detail}` is a code, a limit or the name of a field, never
anything about a person. The first sentence of a message ends with the value received, where the field says nothing
about the person: `Unknown scheme (received: 999). Send 310 …`. Warnings (`Problem.warning`), with which a claim is
settled all the same, have the same numbers.

错误号小者优先；`{detail}` 为代码、限值或字段名，不含个人信息。字段不涉及个人信息时，提示第一句末尾附所收到的值。警示
（`Problem.warning`）使用相同编号，不影响结算。

| code | gRPC status | what is wrong | what to do | 说明 | 处理 |
| --- | --- | --- | --- | --- | --- |"""

BY_FIELD = """
## What to do, by field

For these fields the second sentence of the message is another one.

| code | field | what to do | 处理 |
| --- | --- | --- | --- |"""

NOTES = """
## Line notes

`LineResult.note`: why a fee line was not split in the normal way (明细切分说明).

| note | name | 说明 |
| --- | --- | --- |"""

NOTES_ZH = {
    LineNote.NONE: "正常切分",
    LineNote.CLASS_C: "丙类，全自费",
    LineNote.RESTRICTED_USE_REFUSED: "限制使用未获审批，全自费",
    LineNote.NOT_IN_CATALOGUE: "不在目录内",
    LineNote.NOT_VALID_ON_FEE_DATE: "费用发生日不在有效期",
    LineNote.OVER_CEILING_WHOLE_SELF_PAID: "超限价，整项全自费",
    LineNote.OVER_CEILING_SELF_PAID: "超限价部分自费",
    LineNote.OVER_CEILING_BORNE_BY_HOSPITAL: "超限价部分由医院负担",
    LineNote.REFUND: "退费明细",
    LineNote.PRICE_TIMES_QUANTITY_DIFFERS: "单价乘数量与金额不符，按金额计",
    LineNote.ENROLMENT_SUSPENDED: "参保暂停，全自费",
    LineNote.PROGRAMME_COVERS: "由专项政策支付",
    LineNote.CO_PAY_FREE: "免自付项目",
    LineNote.OVER_CEILING_IN_CATALOGUE: "超限价部分计入目录内个人自付",
}


def cells(row: Row) -> str:
    """One row of the table in Markdown."""
    return f"| {row.code} | {row.status} | {row.en} | {row.do_en} | {row.zh} | {row.do_zh} |"


def main() -> None:
    """Prints the page."""
    print(HEAD)
    for number in sorted(TABLE):
        print(cells(TABLE[number]))
    print(BY_FIELD)
    for (number, field), (do_en, do_zh) in sorted(REMEDIES.items()):
        print(f"| {TABLE[number].code} | `{field}` | {do_en} | {do_zh} |")
    print(NOTES)
    for note in LineNote:
        print(f"| {note.value} | {note.name.lower().replace('_', ' ')} | {NOTES_ZH[note]} |")


if __name__ == "__main__":
    main()
