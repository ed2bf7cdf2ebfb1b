"""Who gains and who loses: what each person pays in the year under both rules, by tenths, by category, the largest.

Only claims that both rules price count: who is refused does not gain. A person is the row of the first claim that the
person has in the input; nothing here or in the files is a person's number.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from adjudicator.compare.answers import BURDEN, is_priced, text_of
from adjudicator.compare.differences import Batch, names_of
from adjudicator.errors import E, refuse

TENTHS = 10
MOST_LARGEST = 100
_AT_ONCE = 1 << 20
ALL, ORDINARY, ASSISTED = "all", "ordinary", "assisted"
"""Everybody; who has no category of assistance in any claim; who has one."""


class People:
    """Adds up what each person pays."""

    def __init__(self, claims: int) -> None:
        self.old = np.zeros(claims, np.int64)
        self.new = np.zeros(claims, np.int64)
        self.count = np.zeros(claims, np.int32)
        """Claims of the person that both rules priced."""
        self._alone = [0, 0]
        self._category = np.zeros(claims, np.int16)
        self._categories: list[str] = [""]

    def add(self, batch: Batch) -> None:
        """Add the claims of a batch."""
        answers = batch.answers
        persons = batch.facts.column("person").fill_null(-1).to_numpy().astype(np.int64)
        priced = is_priced(answers.old), is_priced(answers.new)
        known = (persons >= 0) & priced[0] & priced[1]
        for place, side in enumerate((answers.old, answers.new)):
            self._alone[place] += int(side[BURDEN][~known].sum())
        own = persons[known]
        np.add.at(self.old, own, answers.old[BURDEN][known])
        np.add.at(self.new, own, answers.new[BURDEN][known])
        np.add.at(self.count, own, 1)
        texts = text_of(batch.facts, "assistance")
        for text in texts.dictionary.to_pylist():
            if text not in self._categories:
                self._categories.append(text)
        numbers = np.array([self._categories.index(text) for text in texts.dictionary.to_pylist()] or [0], np.int16)
        category = numbers[texts.indices.fill_null(0).to_numpy(zero_copy_only=False)]
        assisted = known & (category > 0)
        self._category[persons[assisted]] = category[assisted]

    def reconcile(self, old_fen: int, new_fen: int) -> None:
        """Prove that the persons' amounts are those of the claims. Errors: E.INTERNAL."""
        whole = int(self.old.sum()) + self._alone[0], int(self.new.sum()) + self._alone[1]
        if whole != (old_fen, new_fen):
            raise refuse(E.INTERNAL, detail="what the persons pay does not add up to what their claims do")

    def tenths(self) -> pa.Table:
        """Return one row a group: everybody, each tenth of those without a category by old burden, each category.

        Persons of equal burden stand in the order of their first claims, so the tenths are as equal in size as can be.
        """
        persons = np.flatnonzero(self.count)
        order = persons[np.argsort(self.old[persons], kind="stable")]
        ordinary = order[self._category[order] == 0]
        rows = [self._row(ALL, "", 0, order), self._row(ORDINARY, "", 0, ordinary)]
        rows += [
            self._row(ORDINARY, "", place, part) for place, part in enumerate(np.array_split(ordinary, TENTHS), start=1)
        ]
        rows.append(self._row(ASSISTED, "", 0, order[self._category[order] > 0]))
        for place in sorted(range(1, len(self._categories)), key=lambda place: self._categories[place]):
            own = order[self._category[order] == place]
            if len(own):
                rows.append(self._row(ASSISTED, self._categories[place], 0, own))
        return pa.Table.from_pylist(rows)

    def _row(self, who: str, category: str, tenth: int, persons: np.ndarray) -> dict[str, Any]:
        old, new = self.old[persons], self.new[persons]
        change = new - old
        return {
            "who": who, "category": category, "tenth": tenth, "persons": len(persons),
            "persons_pay_less": int((change < 0).sum()), "persons_pay_more": int((change > 0).sum()),
            "least_old_fen": int(old.min(initial=np.iinfo(np.int64).max)) if len(old) else 0,
            "most_old_fen": int(old.max(initial=0)),
            "burden_old_fen": int(old.sum()), "burden_new_fen": int(new.sum()),
            "burden_difference_fen": int(change.sum()),
            "less_fen": int(-change[change < 0].sum()), "more_fen": int(change[change > 0].sum()),
        }  # fmt: skip

    def _most_changed(self) -> np.ndarray:
        """Return the persons with the largest change, the largest first, looking at some at a time."""
        best = np.zeros(0, np.int64)
        for first in range(0, len(self.old), _AT_ONCE):
            own = slice(first, first + _AT_ONCE)
            persons = np.concatenate((best, first + np.flatnonzero(self.new[own] != self.old[own])))
            sizes = np.abs(self.new[persons] - self.old[persons])
            best = persons[np.lexsort((persons, -sizes))[:MOST_LARGEST]]
        return best

    def largest(self, differences: Any) -> pa.Table:
        """Return the persons with the largest change, each named by the claim that changes most for the person.

        ``differences``: the file of differing claims.
        """
        chosen = self._most_changed()
        wanted = pa.array(chosen, pa.int64())
        _, _, difference = names_of(BURDEN)
        columns = ["row", "institution_code", "encounter_id", "settlement_sequence", "person", "county", "scheme",
                   "assistance", "stage", "keys", difference]  # fmt: skip
        parts = []
        with pq.ParquetFile(differences) as file:
            for number in range(file.num_row_groups):
                part = file.read_row_group(number, columns=columns, use_threads=False)
                parts.append(part.filter(pc.is_in(part.column("person"), wanted)))
        found = [row for part in parts for row in part.to_pylist()]
        by_person: dict[int, dict[str, Any]] = {}
        for row in found:
            known = by_person.get(row["person"])
            if known is None or abs(row[difference]) > abs(known[difference]):
                by_person[row["person"]] = row
        rows = []
        for person in chosen.tolist():
            row, change = by_person[person], int(self.new[person] - self.old[person])
            rows.append(
                {name: row[name] for name in columns if name not in ("person", difference)}
                | {"claim_difference_fen": row[difference], "claims": int(self.count[person])}
                | {"burden_old_fen": int(self.old[person]), "burden_new_fen": int(self.new[person]),
                   "burden_difference_fen": change}
            )  # fmt: skip
        return pa.Table.from_pylist(rows, _LARGEST)


_LARGEST = pa.schema(
    [
        ("row", pa.int64()), ("institution_code", pa.string()), ("encounter_id", pa.string()),
        ("settlement_sequence", pa.int32()), ("county", pa.string()), ("scheme", pa.string()),
        ("assistance", pa.string()), ("stage", pa.string()), ("keys", pa.string()),
        ("claim_difference_fen", pa.int64()), ("claims", pa.int64()), ("burden_old_fen", pa.int64()),
        ("burden_new_fen", pa.int64()), ("burden_difference_fen", pa.int64()),
    ]
)  # fmt: skip
