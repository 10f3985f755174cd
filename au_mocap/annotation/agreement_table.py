"""An agreement as people and spreadsheets read it."""

import csv
from pathlib import Path
from typing import Final

from ..files import replacing
from .agreement import Agreement
from .names import harmless

COLUMNS: Final = ("what", "name", "coders", "frames", "icc", "mae", "outliers")
_SHOWN_OUTLIERS: Final = 20
_NONE: Final = "-"


def text(agreement: Agreement) -> str:
    """A line for every channel, one for every two coders, and the values that are obviously wrong."""
    width = max(12, *(len(each.channel) for each in agreement.by_channel), 0)
    lines = [f"{'channel':{width}}  {'coders':>6}  {'frames':>7}  {'ICC':>6}  {'MAE':>6}  {'outliers':>8}"]
    lines += [
        f"{each.channel:{width}}  {each.coders:>6}  {each.frames:>7}  {_cell(each.icc):>6}  {_cell(each.mae):>6}"
        f"  {each.outliers:>8}"
        for each in agreement.by_channel
    ]
    total = len(agreement.outliers)
    lines.append(
        f"{'mean':{width}}  {'':>6}  {'':>7}  {_cell(agreement.icc):>6}  {_cell(agreement.mae):>6}  {total:>8}"
    )
    if agreement.by_pair:
        lines.append("")
    lines += [
        f"{each.coders[0]} and {each.coders[1]}: {each.frames} frames, ICC {_cell(each.icc)}, MAE {_cell(each.mae)}"
        for each in agreement.by_pair
    ]
    if total:
        lines += ["", "Obviously wrong:"]
    for each in agreement.outliers[:_SHOWN_OUTLIERS]:
        what = "nobody can tell who is right, not in the agreed labels" if each.is_contested else "left out"
        lines.append(
            f"  frame {each.frame}, {each.channel}: {each.coder} {each.value:.2f}, median {each.median:.2f} ({what})"
        )
    if total > _SHOWN_OUTLIERS:
        lines.append(f"  and {total - _SHOWN_OUTLIERS} more: -o FILE.csv lists them all")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def write(agreement: Agreement, path: Path) -> None:
    """Writes channels, pairs and outliers as CSV, told apart by the first column.

    Raises:
        OutputError: It cannot be written.
    """
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for each in agreement.by_channel:
            figures = (_number(each.icc), _number(each.mae), each.outliers)
            writer.writerow(("channel", each.channel, each.coders, each.frames, *figures))
        for pair in agreement.by_pair:
            names = harmless(" and ".join(pair.coders))
            writer.writerow(("pair", names, 2, pair.frames, _number(pair.icc), _number(pair.mae), ""))
        writer.writerow(())
        writer.writerow(("outlier", "channel", "coder", "frame", "value", "median", "contested"))
        for each in agreement.outliers:
            numbers = (each.frame, f"{each.value:.2f}", f"{each.median:.2f}", int(each.is_contested))
            writer.writerow(("outlier", each.channel, harmless(each.coder), *numbers))


def _cell(figure: float) -> str:
    return _NONE if figure != figure else f"{figure:.3f}"


def _number(figure: float) -> str:
    return "" if figure != figure else f"{figure:.5f}"
