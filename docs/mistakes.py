"""Prints docs/mistakes.md from the table of mistakes that the tests send to a running service (`./dev docs`)."""

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.service.mistakes import KINDS_ZH, LEDGER_MISTAKES, MISTAKES, NOT_SEEN, REFUSED, WARNED, Mistake

from adjudicator.errors import TABLE

HEAD = """# What may be wrong in a claim 报错一览

Printed by `./dev docs` from `tests/service/mistakes.py`; do not edit. `tests/service/test_mistakes.py` sends every row
to a running service: {count} mistakes, {refused} refused, {warned} settled with a warning, none in silence.
Each changes one claim in order, a stay of three days. What only the ledger can see (a second settlement, overlapping
stays, the referral chain) is in the second table. Codes and remedies: [errors.md](errors.md).

下表各行均由测试发送至运行中的服务：拒绝，或结算并给出警示，无一静默通过。

| field | mistake | sent | answer | code | what is wrong 说明 |
| --- | --- | --- | --- | --- | --- |"""

LEDGER_HEAD = """
## What only the ledger sees 台账核对

{count} mistakes, {refused} refused, {warned} warned. Where the answer is a warning, the pack may refuse instead
(`same_stay`, `overlapping_stays`, `visit_in_stay`).

| settled before 此前已结算 | field | mistake | sent | answer | code | what is wrong 说明 |
| --- | --- | --- | --- | --- | --- | --- |"""

NOT_SEEN_HEAD = """
## What no field contradicts

| mistake | why it is not seen |
| --- | --- |"""

ANSWERS = {REFUSED: "refused 拒绝", WARNED: "warned 警示"}


def cells(mistake: Mistake) -> str:
    """One row of the table in Markdown."""
    row = TABLE[mistake.code]
    english, chinese = (text.replace("{detail}", "…") for text in (row.en, row.zh))
    sent = mistake.sent if mistake.sent == "—" else f"`{mistake.sent}`"
    kind = f"{mistake.kind} {KINDS_ZH[mistake.kind]}"
    return f"| `{mistake.field}` | {kind} | {sent} | {ANSWERS[mistake.outcome]} | {row.code} | {english} {chinese} |"


def main() -> None:
    """Prints the page."""
    outcomes = Counter(mistake.outcome for mistake in MISTAKES)
    print(HEAD.format(count=len(MISTAKES), refused=outcomes[REFUSED], warned=outcomes[WARNED]))
    for mistake in MISTAKES:
        print(cells(mistake))
    outcomes = Counter(mistake.outcome for *_, mistake in LEDGER_MISTAKES)
    print(LEDGER_HEAD.format(count=len(LEDGER_MISTAKES), refused=outcomes[REFUSED], warned=outcomes[WARNED]))
    for _, settled, settled_zh, mistake in LEDGER_MISTAKES:
        print(f"| {settled} {settled_zh} {cells(mistake)}")
    print(NOT_SEEN_HEAD)
    for mistake, why in NOT_SEEN.items():
        print(f"| {mistake} | {why} |")


if __name__ == "__main__":
    main()
