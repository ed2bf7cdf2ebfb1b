"""What tests reached, from the file that ``coverage json`` wrote: lines by folder, and functions that nothing entered.

Run by ``./dev coverage``, with the compiler off, so that the lines of kernels count too.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

PACKAGE = "src/adjudicator/"
KERNELS = "from adjudicator.compiled.jit import"
"""Such an import makes a module one of kernels."""


def main(path: str) -> None:
    """Print the table of folders, and of kernels the lines not reached and the functions never entered."""
    files = json.loads(Path(path).read_text(encoding="utf-8"))["files"]
    statements: Counter[str] = Counter()
    covered: Counter[str] = Counter()
    kernels, idle = [], []
    for name, file in sorted(files.items()):
        summary = file["summary"]
        for folder in (name.removeprefix(PACKAGE).rpartition("/")[0].split("/")[0] or ".", "all"):
            statements[folder] += summary["num_statements"]
            covered[folder] += summary["covered_lines"]
        if KERNELS in Path(name).read_text(encoding="utf-8"):
            statements["kernels"] += summary["num_statements"]
            covered["kernels"] += summary["covered_lines"]
            if file["missing_lines"]:
                kernels.append(f"{name.removeprefix(PACKAGE)}: {', '.join(map(str, file['missing_lines']))}")
            idle += [
                f"{name.removeprefix(PACKAGE)} {function}"
                for function, region in file["functions"].items()
                if function and region["summary"]["num_statements"] and not region["summary"]["covered_lines"]
            ]
    for folder in (*sorted(statements.keys() - {"kernels", "all"}), "kernels", "all"):
        share = 100 * covered[folder] / max(statements[folder], 1)
        print(f"{folder:12} {covered[folder]:6} of {statements[folder]:6} lines {share:6.1f} %")
    print("\nmodules of kernels, lines not reached:", *kernels, sep="\n  ")
    print("\nmodules of kernels, functions not entered:", *(idle or ["none"]), sep="\n  ")


if __name__ == "__main__":
    main(sys.argv[1])
