"""The style of this repository, executed: what docs/developing.md asks for and a machine can see.

RATCHET holds what was there when a rule came: a figure may fall, never rise. When one has fallen, the test asks to
lower it here.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "adjudicator"

ROOMS = (
    (
        "codes",
        "columns",
        "dates",
        "errors",
        "limits",
        "money",
        "options",
        "payers",
        "rounding",
        "steps",
        "v1",
    ),
    ("audit", "client", "compiled", "rulefile", "wire"),
    ("benefit", "catalogue", "grouping", "payment"),
    ("rules",),
    ("claim",),
    ("amounts",),
    ("cases", "compare", "interop", "ledger", "pooling", "reprice"),
    ("probe", "service", "synth"),
    ("cli",),
)
"""Folders and modules from the ground up: each imports only from its own row and the rows above it."""

MOST_ARGUMENTS = 7
MOST_COMPLEXITY = 30
MOST_LINES_OF_A_FUNCTION = 70
MOST_LINES_OF_A_FILE = 500
MOST_PERCENT_OF_A_FOLDER = 12

RATCHET = {
    "imports that point down": 0,
    "functions with more arguments": 2,
    "functions of more complexity": 0,
    "functions of more lines": 2,
    "files of more lines": 1,
    "numbers compared in kernels": 17,
    "names that nothing uses": 5,
    "floats where money is counted": 0,
    "references to documents that are not here": 0,
}

ABSENT = re.compile(
    r"benefit-rules|national-interface(?:\.md| section)|open-readings|payment-rules|chs-drg sections|\bdesign \d"
)
"""Notes of the first authors that never were part of the repository."""


@cache
def sources() -> dict[Path, ast.Module]:
    """Every source file of the package but the generated ones."""
    files = sorted(path for path in PACKAGE.rglob("*.py") if "v1" not in path.relative_to(PACKAGE).parts)
    return {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}


def place(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def is_kernel(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {getattr(decorator, "id", "") for decorator in function.decorator_list}
    return any("kernel" in name or "inlined" in name for name in names)


def imported(tree: ast.Module) -> Iterator[str]:
    """Dotted names below the package that a file imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "adjudicator":
            inside = (node.module or "").split(".")[1:]
            yield from (".".join([*inside, alias.name]) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (
                alias.name.removeprefix("adjudicator.") for alias in node.names if alias.name.startswith("adjudicator.")
            )


def imports_that_point_down() -> list[str]:
    row = {name: number for number, names in enumerate(ROOMS) for name in names}
    found = set()
    for path, tree in sources().items():
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room.startswith("__"):
            continue
        for target in imported(tree):
            other = target.split(".")[0]
            if not other.startswith("__") and row[other] > row[room]:
                found.add(f"{place(path)} imports {target}")
    return sorted(found)


def functions_with_more_arguments() -> list[str]:
    found = []
    for path, tree in sources().items():
        for function in functions(tree):
            arguments = function.args
            names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
            count = len(names) - (bool(arguments.args) and arguments.args[0].arg in ("self", "cls"))
            if count > MOST_ARGUMENTS:
                found.append(f"{place(path)} {function.name}: {count}")
    return found


def complexity(function: ast.AST) -> int:
    branches = (ast.If, ast.For, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension, ast.Assert)
    found = 1
    for node in ast.walk(function):
        found += isinstance(node, branches)
        found += len(node.values) - 1 if isinstance(node, ast.BoolOp) else 0
    return found


def functions_of_more_complexity() -> list[str]:
    return [
        f"{place(path)} {function.name}: {complexity(function)}"
        for path, tree in sources().items()
        for function in functions(tree)
        if complexity(function) > MOST_COMPLEXITY
    ]


def functions_of_more_lines() -> list[str]:
    return [
        f"{place(path)} {function.name}: {function.end_lineno - function.lineno + 1}"
        for path, tree in sources().items()
        for function in functions(tree)
        if function.end_lineno and function.end_lineno - function.lineno + 1 > MOST_LINES_OF_A_FUNCTION
    ]


def files_of_more_lines() -> list[str]:
    counts = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in sources()}
    return [f"{place(path)}: {count}" for path, count in counts.items() if count > MOST_LINES_OF_A_FILE]


def numbers_compared_in_kernels() -> list[str]:
    """A number above 1 that a kernel compares with has a meaning, so it has a name."""
    found = []
    for path, tree in sources().items():
        if path.relative_to(PACKAGE).parts[0] == "wire":
            continue  # bit patterns of the wire format are numbers
        for function in filter(is_kernel, functions(tree)):
            for node in ast.walk(function):
                if isinstance(node, ast.Compare):
                    values = [part.value for part in node.comparators if isinstance(part, ast.Constant)]
                    if any(
                        isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1 for value in values
                    ):
                        found.append(f"{place(path)}:{node.lineno} {ast.unparse(node)}")
    return found


def names_that_nothing_uses() -> list[str]:
    """A name of a module that occurs once in the whole package is dead; tests alone keep nothing alive."""
    words: dict[str, int] = defaultdict(int)
    texts = [path.read_text(encoding="utf-8") for path in [*sources(), PACKAGE / "__init__.pyi"]]
    for text in texts:
        for word in re.findall(r"\w+", text):
            words[word] += 1
    found = []
    for path, tree in sources().items():
        for node in tree.body:
            names = [node.name] if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else []
            if isinstance(node, ast.Assign):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
            found += [f"{place(path)} {name}" for name in names if words[name] == 1 and not name.startswith("__")]
    return found


def floats_where_money_is_counted() -> list[str]:
    found = []
    for path, tree in sources().items():
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "compiled" or ("adjudicator.compiled.jit" not in text and path.name != "money.py"):
            continue
        for node in ast.walk(tree):
            name = getattr(node, "id", getattr(node, "attr", ""))
            if re.fullmatch(r"float(16|32|64)?|Decimal", name) or isinstance(getattr(node, "value", None), float):
                found.append(f"{place(path)}:{node.lineno} {ast.unparse(node)}")
    return found


def references_to_documents_that_are_not_here() -> list[str]:
    """Names of pages that no reader can open, in sources and pages; tests name some to see them refused."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split()
    files = [ROOT / name for name in listed] or [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    pages = {path.name for path in files if path.suffix == ".md"}
    found = []
    for path in files:
        kind = path.suffix in (".py", ".md", ".toml", ".proto", ".lua", ".csv", ".yaml") and path.is_file()
        if not kind or "tests" in path.relative_to(ROOT).parts or path.name == "CHANGELOG.md":
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if ABSENT.search(line) or set(re.findall(r"[\w.-]+\.md\b", line)) - pages:
                found.append(f"{path.relative_to(ROOT)}:{number}")
    return found


RULES = {rule: globals()[rule.replace(" ", "_")] for rule in RATCHET}


@pytest.mark.parametrize("rule", RULES)
def test_ratchet(rule):
    found = RULES[rule]()
    assert len(found) <= RATCHET[rule], f"{rule}: {len(found)}, at most {RATCHET[rule]}\n" + "\n".join(found)
    assert len(found) == RATCHET[rule], f"{rule}: only {len(found)} are left; lower the ratchet in tests/test_tidy.py"


def test_no_module_imports_itself_by_way_of_others():
    modules = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in sources()}
    edges = {
        name: {
            target
            for found in imported(sources()[path])
            for target in (found, found.rsplit(".", 1)[0])
            if target in modules
        }
        for name, path in modules.items()
    }
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way[way.index(name) :], name])
        if name not in done:
            for target in sorted(edges[name] - {name}):
                visit(target, (*way, name))
            done.add(name)

    for name in modules:
        visit(name, ())


def test_no_folder_outgrows_its_name():
    lines: dict[Path, int] = defaultdict(int)
    for path in sources():
        lines[path.parent] += len(path.read_text(encoding="utf-8").splitlines())
    whole = sum(lines.values())
    shares = {place(folder): 100 * count / whole for folder, count in lines.items() if folder != PACKAGE}
    assert max(shares.values()) <= MOST_PERCENT_OF_A_FOLDER, {
        k: v for k, v in shares.items() if v > MOST_PERCENT_OF_A_FOLDER
    }


def test_every_folder_has_its_place():
    rooms = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in sources()}
    assert {room for room in rooms if not room.startswith("__")} | {"v1"} == {name for names in ROOMS for name in names}


def test_tests_mirror_the_package():
    """Each folder of the package has a folder of tests of the same name."""
    folders = {path.relative_to(PACKAGE).parts[0] for path in sources() if len(path.relative_to(PACKAGE).parts) > 1}
    assert {folder for folder in folders if not (ROOT / "tests" / folder).is_dir()} == set()
