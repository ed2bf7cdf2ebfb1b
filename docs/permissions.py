"""Prints docs/permissions.md from the matrix of calls and roles (`./dev docs`)."""

from adjudicator.service.callers import Role
from adjudicator.service.permissions import MATRIX, Scope

HEAD = """# Who may do what 权限

Printed by `./dev docs` from `src/adjudicator/service/permissions.py`; do not edit.
`tests/service/test_permissions.py` makes every call in every role over TLS, on what is the caller's own and on what
is not. Who is which caller: [callers.md](callers.md).

下表由源码生成；测试以各角色的证书逐一调用。调用方名单的写法见 [callers.md](callers.md)。

| call | {roles} |
| --- | {rules} |"""

NOTES = """
- **Own** is what `callers.toml` lists for the caller: institutions, pools, counties. A fund manager of a city has
  pools and sees all their counties; one of counties asks for one county at a time.
- In a batch or a stream each claim is looked at; those of others are refused in their answers, and the rest goes on.
- A hospital sees a person's year where the person has a settlement of its institutions in that year that stands.
  Otherwise it sees the year through a claim: `PreSettle` and `Settle` count it.
- A certificate of the authority that no caller has is refused everything (ADJ-9510). Reflection, which is off by
  default, shows the names of calls and fields to every certificate of the authority.
- A call that has no row here is not served.
- 不属于本方的：ADJ-9512；角色无此调用：ADJ-9511；批次中逐张核对，其余照常办理。"""

ROLES = {
    Role.HOSPITAL: "hospital 医院",
    Role.BUREAU: "bureau 经办机构",
    Role.FUND_MANAGER: "fund_manager 基金管理",
    Role.OPERATOR: "operator 运维",
}


def cell(scope: Scope) -> str:
    """One cell: English and Chinese."""
    english, chinese = scope.value
    return english if english == chinese else f"{english} {chinese}"


def main() -> None:
    """Prints the page."""
    print(HEAD.format(roles=" | ".join(ROLES.values()), rules=" | ".join("---" for _ in ROLES)))
    for name, row in MATRIX.items():
        print(f"| {name} | {' | '.join(cell(row.of(role)) for role in ROLES)} |")
    print(NOTES)


if __name__ == "__main__":
    main()
