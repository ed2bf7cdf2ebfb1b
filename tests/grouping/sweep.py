"""Records that touch every code of every list once, with what else its rule asks for."""

from __future__ import annotations

from collections.abc import Iterator

from tests.grouping.naive import NaiveGrouper, Record


def sweep_records(naive: NaiveGrouper) -> Iterator[Record]:
    """One record for every code of every list of the scheme."""
    sexes = {mdc["mdc"]: int(mdc.get("sex") or 1) for mdc in naive.mdcs}
    newborns = {mdc["mdc"] for mdc in naive.mdcs if mdc.get("age_years_max") == "0"}
    for mdc, codes in naive.principal.items():
        others = list(codes)
        for number, code in enumerate(sorted(codes)):
            yield _record(sexes[mdc], mdc in newborns, [code, others[number % len(others)]], [])
    for rules in naive.adrgs.values():
        for rule in rules:
            mdc = rule["mdc"]
            lists = naive.adrg_codes.get((rule["adrg"], rule.get("rule") or ""), {})
            yield from _rule_records(naive, rule, lists, sexes[mdc], mdc in newborns)
    for lists in naive.drg_codes.values():
        for name, codes in lists.items():
            for code in sorted(codes):
                yield _record(1, False, ["Z99.000", code] if name[0] == "D" else ["Z99.000"], [code])
    principal = sorted({code for codes in naive.principal.values() for code in codes})[0]
    for code in sorted(naive.valid):
        yield _record(2, False, [principal], [code])
    yield from _severity_records(naive, principal)


def _rule_records(
    naive: NaiveGrouper, rule: dict[str, str], lists: dict[str, set[str]], sex: int, newborn: bool
) -> Iterator[Record]:
    home = sorted(naive.principal.get(rule["mdc"], {"Z99.000": ""}))
    weight = int(rule.get("weight_below_g") or int(rule.get("weight_min_g") or 2999) + 1) - 1
    first = {name: min(codes) for name, codes in lists.items()}
    for name, codes in lists.items():
        for number, code in enumerate(sorted(codes)):
            chosen = {**first, name: code}
            diagnoses = [chosen["D1"]] if "D1" in chosen else [home[number % len(home)]]
            if rule["diagnosis_match"] == "secondary":
                diagnoses.insert(0, home[number % len(home)])
            procedures = [chosen[other] for other in sorted(chosen) if other[0] == "P"]
            if name[0] == "P":
                procedures.sort(key=lambda entry, code=code: entry != code)
            yield _record(sex, newborn, diagnoses, procedures, weight)


def _severity_records(naive: NaiveGrouper, principal: str) -> Iterator[Record]:
    by_table: dict[str, str] = {}
    for graded in (naive.mcc, naive.cc):
        for code, table in sorted(graded.items()):
            by_table.setdefault(table, code)
            yield _record(1, False, [principal, code], [])
    some = next(iter(sorted(naive.mcc)))
    for code, table in sorted(naive.exclusion.items()):
        for sex in (1, 2):
            yield _record(sex, False, [code, by_table.get(table, some)], [])
        yield _record(1, False, [code, some], [])


def _record(sex: int, newborn: bool, diagnoses: list[str], procedures: list[str], weight: int = 2999) -> Record:
    years, days = (0, 12) if newborn else (40, 14_600)
    return Record(
        sex=sex, age_years=years, age_days=days, birth_weight_g=weight, stay_days=8, discharge_way=1, icu_hours=0,
        diagnoses=diagnoses, procedures=procedures,
    )  # fmt: skip
