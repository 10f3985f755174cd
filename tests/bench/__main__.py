"""Runs benches and prints their table: `python -m tests.bench [NAME...] [--json FILE]`."""

import argparse
import ast
import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from au_mocap.errors import AuMocapError
from training.packages import PackageError

from . import Row

_FOLDER: Final = Path(__file__).parent
_COLUMNS: Final[tuple[str, ...]] = ("bench", "key", "value", "unit", "target", "ok")


def find_benches(folder: Path = _FOLDER) -> dict[str, str]:
    """Return the names of all benches and the first lines of their docstrings, without importing them."""
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        if not path.stem.startswith("_") and any(
            isinstance(node, ast.FunctionDef) and node.name == "rows" for node in module.body
        ):
            found[path.stem] = (ast.get_docstring(module) or "").partition("\n")[0]
    return found


def as_json(bench: str, row: Row) -> dict[str, object]:
    """Return a row as it stands in the JSON file."""
    return {"bench": bench, **{column: getattr(row, column) for column in _COLUMNS[1:]}}


def table(measured: Sequence[tuple[str, Row]]) -> str:
    """Return rows as lines of aligned columns, a note behind those that have one."""
    cells: list[tuple[str, ...]] = [_COLUMNS]
    for bench, row in measured:
        value = "-" if row.value is None else f"{row.value:.4g}" if abs(row.value) < 1e4 else f"{row.value:.0f}"
        ok = {None: "", True: "yes", False: "NO"}[row.ok]
        cells.append((bench, row.key, value, row.unit, row.target or "", ok))
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    notes = ["", *(row.note for _, row in measured)]
    lines = []
    for line, note in zip(cells, notes, strict=True):
        padded = [
            text.rjust(width) if column == "value" else text.ljust(width)
            for text, width, column in zip(line, widths, _COLUMNS, strict=True)
        ]
        lines.append("  ".join([*padded, note]).rstrip())
    return "\n".join(lines)


def run(names: Sequence[str], benches: dict[str, str]) -> list[tuple[str, Row]]:
    """Run benches one after the other; one that cannot run gives a row that says so."""
    measured: list[tuple[str, Row]] = []
    for name in names:
        print(f"{name}: {benches[name]}", file=sys.stderr, flush=True)
        module = importlib.import_module(f"{__package__}.{name}")
        try:
            measured.extend((name, row) for row in module.rows())
        except (AuMocapError, PackageError) as error:
            measured.append((name, Row("run", None, target="runs", ok=False, note=str(error))))
    return measured


def main(arguments: Sequence[str]) -> int:
    """Return 0 when every target was met, 1 when one was missed or a bench could not run, 2 for a wrong name."""
    benches = find_benches()
    parser = argparse.ArgumentParser(prog="make.py bench", description="Measures speed and memory.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which benches; all without a name: {', '.join(benches)}"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    options = parser.parse_args(arguments)
    if unknown := [name for name in options.names if name not in benches]:
        parser.error(f"there is no bench {unknown[0]}: choose from {', '.join(benches)}")
    measured = run(options.names or list(benches), benches)
    print(table(measured))
    if options.json:
        try:
            options.json.write_text(json.dumps([as_json(*one) for one in measured], indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            print(f"cannot write {options.json} ({error.strerror}): choose another place", file=sys.stderr)
            return 1
    return int(any(row.ok is False for _, row in measured))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
