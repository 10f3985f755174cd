"""The page as a whole: one file, no address in it leads anywhere, and the browser is told to follow none."""

import base64
import hashlib
from datetime import datetime
from pathlib import Path
from typing import Final

from .. import __version__, channels, portraits
from ..arrays import Floats
from . import agreement, figures, markup, payload, renderings, rows, sections
from .performance import Performance, facts, gaps_of

_PICTURES: Final = 12
_PICTURE_PX: Final = 220
_SURE: Final = 0.5
"""Confidence from which a frame is worth a picture."""

_HERE: Final = Path(__file__).parent


def page(shown: Performance, video: Path | None = None, against: Performance | None = None) -> tuple[str, list[str]]:
    """A report as HTML.

    Args:
        shown: The take with its curves.
        video: The take's video, where it has moved; None for the path that it remembers.
        against: Another take of the same clip to compare with.

    Returns:
        The page, and notes for the user.

    Raises:
        TakeError: The two takes are not of the same frames of one clip.
    """
    if against is not None:
        agreement.check_same_clip(shown.take, against.take)
    lines = rows.rows_of(shown, against)
    ids = rows.active_ids(shown.curves.values)
    strips = shown.curves.values[:, [channels.INDEX[each] for each in ids]]
    moments, notes = _moments(shown, video)
    body = [
        _header(shown, against),
        f"<section><h2>Moments</h2>{moments}</section>",
        renderings.section(shown.take, video),
        _timeline(shown, against, lines),
        _intensity(shown, ids, strips, _whose(against)),
        *([] if against is None else [_agreement(shown, against)]),
        f"<section><h2>Channels</h2>{_about(against)}{sections.channel_table(figures.figures(shown.curves.values))}"
        "</section>",
        _footer(),
    ]
    return _document(shown, "".join(body), payload.payload(shown, lines, strips)), notes


def _header(shown: Performance, against: Performance | None) -> str:
    named = markup.text(shown.name)
    title = f"<h1>{named}</h1>" if against is None else f"<h1>{named} <i>against</i> {markup.text(against.name)}</h1>"
    if against is None:
        return f"<header><p>AU Mocap report</p>{title}{sections.facts(facts(shown))}</header>"
    columns = "".join(
        f'<div><h2><i class="key {hue}"></i>{markup.text(each.name)}</h2>{sections.facts(facts(each))}</div>'
        for hue, each in (("first", shown), ("second", against))
    )
    return f'<header><p>AU Mocap report</p>{title}<div class="columns">{columns}</div></header>'


def _moments(shown: Performance, video: Path | None) -> tuple[str, list[str]]:
    take = shown.take
    usable = take.found & (take.confidence >= _SURE)
    peaks = figures.moments(shown.curves.values, shown.curves.time_s, usable if usable.any() else take.found, _PICTURES)
    if not peaks:
        return "<p>No channel is present anywhere: there is no moment to show.</p>", []
    found = portraits.portraits(take, [index for index, _ in peaks], _PICTURE_PX, video)
    if not found.pictures:
        note = f"The report has no pictures of the video. {found.problem}".strip()
        return f'<p class="note">{markup.text(note)}</p>', [note]
    return sections.pictures(shown, found.pictures, peaks), []


def _timeline(shown: Performance, against: Performance | None, lines: list[rows.Row]) -> str:
    names = None if against is None else (_label(shown, against), _label(against, shown))
    buttons = "".join(
        f'<button type="button" data-do="{name}" title="{title}">{label}</button>'
        for name, label, title in (
            ("in", "+", "Zoom in"),
            ("out", "&minus;", "Zoom out"),
            ("back", "&larr;", "Earlier"),
            ("on", "&rarr;", "Later"),
            ("all", "Whole take", "Show the whole take"),
        )
    )
    controls = (
        f'<div class="controls" hidden>{buttons}<output id="now"></output>'
        "<small>Point to read values, drag to zoom; keys: + &minus; &larr; &rarr; 0</small></div>"
    )
    drawn = sections.curves(shown.curves.time_s, lines, gaps_of(shown.take.found))
    return f"<section><h2>Curves</h2>{sections.legend(names)}{controls}{drawn}</section>"


def _label(own: Performance, other: Performance) -> str:
    return own.name if own.maker == other.maker else f"{own.name} ({own.maker})"


def _intensity(shown: Performance, ids: list[str], strips: Floats, whose: str) -> str:
    if not ids:
        return ""
    drawn = sections.strips(shown.curves.time_s, ids, strips)
    about = f"<p>{whose}</p>" if whose else ""
    return f"<section><h2>Presence and intensity</h2>{about}{drawn}</section>"


def _agreement(shown: Performance, against: Performance) -> str:
    ids = rows.active_ids(shown.curves.values, against.curves.values)
    table = sections.agreement_table(agreement.agreement(shown, against), ids)
    about = (
        "PCC is Pearson's correlation, ICC(3,1) the intraclass correlation, MAE the mean absolute difference, over the "
        "frames in which both takes have a face; a dash where a curve stands still."
    )
    return f"<section><h2>Agreement</h2><p>{about}</p>{table}</section>"


def _whose(against: Performance | None) -> str:
    return "" if against is None else "Of the first take."


def _about(against: Performance | None) -> str:
    return (
        f"<p>{_whose(against)} Over the frames with a face. An action counts as present above "
        f"{channels.PRESENT_ABOVE:g}; A to E are the fifths of 0 to 1. Left and right are the actor's own.</p>"
    )


def _footer() -> str:
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    return (
        f"<footer><p>Made by AU Mocap {__version__} on {made}. This file holds all it shows and asks no server for "
        "anything.</p></footer>"
    )


def _document(shown: Performance, body: str, data: str) -> str:
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{markup.text(shown.name)} - AU Mocap report</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>"
        f'{body}</main>\n<script type="application/json" id="data">{data}</script>\n<script>{script}</script>\n'
        "</body>\n</html>\n"
    )
