"""The list of callers: who a certificate is, in which role, and what is its own (``callers.toml``, docs/callers.md)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import msgspec

from adjudicator import limits
from adjudicator.errors import TABLE, AdjudicatorError, E, Problem
from adjudicator.options import choice_name
from adjudicator.rulefile.faults import Fault, Faults
from adjudicator.rulefile.fields import Codes, Member, Where
from adjudicator.rulefile.reader import read_structs, read_toml, unknown_keys

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
CERTIFICATE_NAME = re.compile(r"\S(.{0,254}\S)?")
"""A subject alternative name, or a common name, as the certificate has it."""
CODE = re.compile(rf"[!-~]{{1,{limits.MAX_ID_BYTES}}}")
AREA = re.compile(r"[0-9]{6}")


Texts = Annotated[tuple[str, ...], Codes()]
"""One text or a list of texts."""


class Role(IntEnum):
    """What a caller is."""

    HOSPITAL = 0
    BUREAU = 1
    FUND_MANAGER = 2
    OPERATOR = 3

    @property
    def word(self) -> str:
        """The word of ``callers.toml``."""
        return choice_name(self)


OWN: dict[Role, tuple[str, ...]] = {
    Role.HOSPITAL: ("institutions",),
    Role.BUREAU: ("pools",),
    Role.FUND_MANAGER: ("counties", "pools"),
    Role.OPERATOR: (),
}
"""The keys by which a caller of each role says what is its own; one of them at least."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One ``[[caller]]`` block as written."""

    name: str
    role: Annotated[Role, Member(Role)]
    certificates: Texts
    institutions: Texts = ()
    pools: Texts = ()
    counties: Texts = ()
    where: Where


@dataclass(frozen=True, slots=True)
class Caller:
    """One who calls, and what is its own."""

    name: str
    role: Role
    institutions: frozenset[str] = frozenset()
    pools: frozenset[str] = frozenset()
    counties: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Callers:
    """All callers by the names of their certificates."""

    by_certificate: dict[str, Caller] = field(default_factory=dict)

    def find(self, names: Iterable[bytes]) -> Caller | None:
        """Return who has a certificate with these names; None for nobody, and where they belong to two callers."""
        found = None
        for name in names:
            caller = self.by_certificate.get(name.decode("utf-8", "replace"))
            if caller is not None and found is not None and caller is not found:
                return None
            found = caller or found
        return found

    @property
    def institutions(self) -> frozenset[str]:
        """Every institution that is some caller's own."""
        return frozenset().union(*(caller.institutions for caller in self.by_certificate.values()))

    def __len__(self) -> int:
        return len({caller.name for caller in self.by_certificate.values()})


def read_callers(path: Path) -> Callers:
    """Return the callers of a file. Errors: E.CORRUPT_CALLERS, one problem a fault, all faults of the file at once."""
    faults = Faults()
    raw = _table(path, faults)
    entries: Sequence[Entry] = ()
    if raw is not None:
        unknown_keys(raw, ("caller",), path.name, "", faults)
        entries = read_structs(Entry, raw.get("caller"), path.name, "caller", faults)
        if not raw.get("caller"):
            faults.append(
                Fault(
                    path.name, "caller", "is missing", "write a [[caller]] block for each caller", E.CORRUPT_CALLERS,
                    "缺失", "请为每个调用方填写一个 [[caller]]",
                )
            )  # fmt: skip
    _check(entries, faults)
    if faults:
        raise AdjudicatorError(
            *(
                Problem(int(E.CORRUPT_CALLERS), fault.key, _line(fault, "en"), detail_zh=_line(fault, "zh"))
                for fault in faults
            )
        )
    return Callers({name: caller for entry in entries for caller in [_caller(entry)] for name in entry.certificates})


def _line(fault: Fault, language: str) -> str:
    return fault.text(language).removesuffix(f" [{TABLE[E.CORRUPT_CALLERS].code}]")


def _table(path: Path, faults: Faults) -> dict[str, Any] | None:
    if not path.is_file():
        faults.append(
            Fault(
                path.name, "file", "the file is missing", "name the file with --callers; docs/callers.md shows one",
                E.CORRUPT_CALLERS, "文件缺失", "请用 --callers 指定文件，示例见 docs/callers.md",
            )
        )  # fmt: skip
        return None
    return read_toml(path, path.name, faults)


def _caller(entry: Entry) -> Caller:
    own = (frozenset(entry.institutions), frozenset(entry.pools), frozenset(entry.counties))
    return Caller(entry.name, entry.role, *own)


class Kind(NamedTuple):
    """What the texts of one key must be."""

    is_good: Callable[[str], object]
    en: str
    zh: str


KINDS = {
    "certificates": Kind(
        CERTIFICATE_NAME.fullmatch, "1 to 256 characters without blanks around", "1 至 256 个字符且首尾无空格"
    ),
    "institutions": Kind(CODE.fullmatch, "an institution code without blanks", "不含空格的机构编号"),
    "pools": Kind(AREA.fullmatch, "the six digits of a pool, such as 330100", "统筹区的六位区划代码，如 330100"),
    "counties": Kind(AREA.fullmatch, "the six digits of a county, such as 330106", "区县的六位区划代码，如 330106"),
}


class Doubts:
    """Writes down what is wrong with one block, in both languages."""

    def __init__(self, entry: Entry, faults: Faults):
        self._where = entry.where
        self._faults = faults

    def add(self, key: str, message: tuple[str, str], remedy: tuple[str, str]) -> None:
        """Note a fault of one key: what is wrong and what to write, each in English and Chinese."""
        file, block = self._where
        fault = Fault(file, f"{block}.{key}", message[0], remedy[0], E.CORRUPT_CALLERS, message[1], remedy[1])
        self._faults.append(fault)


def _check(entries: Sequence[Entry], faults: Faults) -> None:
    """Note what is wrong with the blocks beyond the form of their values."""
    names = Counter(entry.name for entry in entries)
    certificates = Counter(name for entry in entries for name in set(entry.certificates))
    for entry in entries:
        doubts = Doubts(entry, faults)
        for key, kind in KINDS.items():
            for text in getattr(entry, key):
                if not kind.is_good(text):
                    doubts.add(key, (f"{text!r} is not {kind.en}", f"{text!r} 不是{kind.zh}"), ("correct it", "请更正"))
        if not NAME.fullmatch(entry.name):
            doubts.add(
                "name", (f"{entry.name!r} is not a name", f"{entry.name!r} 不是合规的名称"),
                ("write lower-case letters, digits, dots and hyphens, such as first-hospital",
                 "请用小写字母、数字、点和连字符，如 first-hospital"),
            )  # fmt: skip
        if names[entry.name] > 1:
            doubts.add(
                "name", (f"{entry.name!r} is given twice", f"{entry.name!r} 重复给出"),
                ("give each caller a name of its own", "每个调用方应有各自的名称"),
            )  # fmt: skip
        for name in entry.certificates:
            if certificates[name] > 1:
                doubts.add(
                    "certificates", (f"{name!r} is given twice", f"{name!r} 重复给出"),
                    ("write each name of a certificate for one caller", "每个证书名称只能属于一个调用方"),
                )  # fmt: skip
        _check_own(entry, doubts)


def _check_own(entry: Entry, doubts: Doubts) -> None:
    """Note where a caller has nothing of its own, or something that its role does not have."""
    keys, word = OWN[entry.role], entry.role.word
    if keys and not any(getattr(entry, name) for name in keys):
        listed = " or ".join(keys)
        doubts.add(
            keys[0], ("is missing", "缺失"),
            (f"write {listed}, which the role {word} needs", f"请填写 {'、'.join(keys)}：角色 {word} 需要此项"),
        )  # fmt: skip
    for name in ("institutions", "pools", "counties"):
        if getattr(entry, name) and name not in keys:
            doubts.add(
                name, (f"is not for the role {word}", f"不适用于角色 {word}"),
                ("remove the key, or correct the role", "请删除此项，或更正角色"),
            )  # fmt: skip
