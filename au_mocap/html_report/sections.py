"""The parts of a page: facts, pictures, curves, strips of intensity, tables."""

import base64
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .. import channels
from ..arrays import Floats
from ..portraits import Portrait
from . import agreement, figures, lines, markup, strip
from .performance import Performance
from .rows import Row, Series

_JPEG_QUALITY: Final = 82
_VIEW: Final = f'viewBox="0 0 {lines.WIDTH} {lines.HEIGHT}" preserveAspectRatio="none"'
_CAPTIONS: Final = {"left": "the actor's left", "right": "the actor's right", "middle": "both sides or the middle"}


def facts(terms: list[tuple[str, str]]) -> str:
    """A list of terms and what they are; all of it is escaped here."""
    pairs = "".join(f"<div><dt>{markup.text(term)}</dt><dd>{markup.text(value)}</dd></div>" for term, value in terms)
    return f'<dl class="facts">{pairs}</dl>'


def pictures(shown: Performance, found: tuple[Portrait, ...], moments: list[tuple[int, str]]) -> str:
    """Pictures of the face where channels peak; each is a button that moves the cursor there."""
    peaks = dict(moments)
    parts: list[str] = []
    for each in found:
        channel_id = peaks[each.index]
        column = channels.INDEX[channel_id]
        value = float(shown.curves.values[each.index, column])
        label = markup.text(channels.CHANNELS[column].label)
        caption = f"<b>{label}</b> {value:.2f}&nbsp;{channels.intensity_letter(value)}"
        time_s = float(shown.curves.time_s[each.index])
        parts.append(
            f'<figure><button type="button" data-time="{time_s:.4f}" title="Show this moment in the curves">'
            f'<img src="{jpeg(each.image)}" alt="{label} at {markup.clock(time_s)}" loading="lazy"></button>'
            f"<figcaption><span>{markup.clock(time_s)}</span> {caption}</figcaption></figure>"
        )
    return f'<div class="pictures">{"".join(parts)}</div>'


def curves(time_s: Floats, rows: list[Row], gaps: list[tuple[int, int]]) -> str:
    """All rows of curves over one time axis."""
    first_s, last_s = float(time_s[0]), max(float(time_s[-1]), float(time_s[0]) + 1e-3)
    span_s = last_s - first_s
    ticks = [(each, 100.0 * (each - first_s) / span_s) for each in lines.ticks(first_s, last_s)]
    digits = 1 if len(ticks) > 1 and ticks[1][0] - ticks[0][0] < 1.0 else 0
    marks = "".join(f'<span style="left:{at:.2f}%">{markup.clock(each, digits)}</span>' for each, at in ticks)
    grid = "".join(f"M{lines.WIDTH / 100 * at:.1f} 0V{lines.HEIGHT}" for _, at in ticks)
    shared = (
        '<svg class="shared" aria-hidden="true"><defs>'
        f'<path id="gaps" d="{lines.bands(time_s, gaps)}"/><path id="grid" d="{grid}"/></defs></svg>'
    )
    drawn = "".join(_row(time_s, row) for row in rows)
    axis = f'<div class="row axis"><div class="label"></div><div class="plot" id="axis">{marks}</div><div></div></div>'
    return f'{shared}<div id="timeline">{axis}{drawn}</div>'


def _row(time_s: Floats, row: Row) -> str:
    middle = f'<path class="zero" d="M0 {lines.HEIGHT // 2}H{lines.WIDTH}"/>' if row.kind == "angle" else ""
    paths = "".join(
        f'<path class="curve {each.hue}" d="{lines.path(time_s, row.heights(each), filled=row.kind != "angle")}"/>'
        for each in row.series
    )
    note = f"<small>{markup.text(row.note)}</small>" if row.note else ""
    scale = f'<i class="scale">&plusmn;{row.limit:g}&deg;</i>' if row.kind == "angle" else ""
    alternative = f"{markup.text(row.label)}: {markup.text(_range(row))}"
    drawn = f'<use href="#grid"/><use href="#gaps"/>{middle}{paths}'
    svg = f'<svg role="img" aria-label="{alternative}" {_VIEW}>{drawn}</svg>'
    return (
        f'<div class="row {row.kind}"><div class="label">{markup.text(row.label)}{note}</div>'
        f'<div class="plot">{svg}{scale}</div><output>{_peaks(row)}</output></div>'
    )


def _range(row: Row) -> str:
    return "; ".join(f"{each.name} {_extremes(each)}".strip() for each in row.series)


def _extremes(series: Series) -> str:
    if np.isnan(series.values).all():
        return "no face"
    return f"{np.nanmin(series.values):.2f} to {np.nanmax(series.values):.2f}"


def _peaks(row: Row) -> str:
    """What stands beside a row while no cursor is in it: the highest values, or the lowest confidence."""
    parts: list[str] = []
    for each in row.series:
        name = f"{each.name} " if each.name else ""
        if np.isnan(each.values).all():
            shown = "no face"
        elif row.kind == "angle":
            shown = f"{np.nanmin(each.values):.0f}&deg; to {np.nanmax(each.values):.0f}&deg;"
        elif row.kind == "confidence":
            shown = f"min {np.nanmin(each.values):.2f}"
        else:
            highest = float(np.nanmax(each.values))
            shown = f"max {highest:.2f} {channels.intensity_letter(highest)}"
        parts.append(f'<span class="{each.hue}">{name}{shown}</span>')
    return "".join(parts)


def legend(compared: tuple[str, str] | None) -> str:
    """What the colours mean: sides, or two takes by name."""
    if compared is None:
        entries = list(_CAPTIONS.items())
    else:
        entries = [("first", f"1: {compared[0]}"), ("second", f"2: {compared[1]}")]
    keys = "".join(f'<span><i class="key {hue}"></i>{markup.text(caption)}</span>' for hue, caption in entries)
    return f'<p class="legend">{keys}<span><i class="key gap"></i>no face</span></p>'


def strips(time_s: Floats, ids: list[str], values: Floats) -> str:
    """Presence and intensity of channels over time."""
    labels = "".join(f"<span>{markup.text(channels.CHANNELS[channels.INDEX[each]].label)}</span>" for each in ids)
    swatches = "".join(
        f'<span><i class="key" style="background:rgba({_css(opacity)})"></i>{letter}</span>'
        for letter, opacity in zip(channels.INTENSITY_LETTERS, strip.OPACITY[1:], strict=True)
    )
    image = f'<img src="{strip.picture(time_s, values)}" alt="Presence and intensity of {len(ids)} channels over time">'
    gaps = f'<svg aria-hidden="true" {_VIEW}><use href="#gaps"/></svg>'
    blank = f"blank: at or below {channels.PRESENT_ABOVE:g}, not present"
    return (
        f'<p class="legend">{swatches}<span>{blank}</span><span><i class="key gap"></i>no face</span></p>'
        f'<div id="strips" style="--rows:{len(ids)}"><div class="labels">{labels}</div>'
        f'<div class="plot">{gaps}{image}<canvas hidden></canvas></div></div>'
    )


def _css(opacity: int) -> str:
    return ",".join([*map(str, strip.COLOUR_RGB), f"{opacity / 255:.2f}"])


def channel_table(found: dict[str, figures.Figures]) -> str:
    """Figures of all channels: those that are present somewhere, and the others folded away."""
    active = [each for each in found.values() if each.highest > channels.PRESENT_ABOVE]
    silent = [each for each in found.values() if each.highest <= channels.PRESENT_ABOVE]
    table = _figures_table(active) if active else "<p>No channel is present anywhere.</p>"
    if silent:
        table += (
            f"<details><summary>{len(silent)} channels are never present</summary>{_figures_table(silent)}</details>"
        )
    return table


def _figures_table(found: list[figures.Figures]) -> str:
    letters = "".join(f'<th scope="col">{letter}</th>' for letter in channels.INTENSITY_LETTERS)
    head = (
        '<tr><th scope="col">Channel</th><th scope="col">FACS</th><th scope="col">Highest</th><th scope="col">Mean</th>'
        f'<th scope="col">Present</th>{letters}<th scope="col" class="wide">Intensities</th></tr>'
    )
    return _table(head, "".join(map(_figures_row, found)))


def _table(head: str, body: str) -> str:
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{body}</tbody></table></div>'


def _figures_row(each: figures.Figures) -> str:
    channel = each.channel
    letters = "".join(f"<td>{markup.share(part) if part else ''}</td>" for part in each.letters)
    bar = "".join(
        f'<i style="width:{100 * part:.2f}%;background:rgba({_css(opacity)})"></i>'
        for part, opacity in zip(each.letters, strip.OPACITY[1:], strict=True)
    )
    return (
        f'<tr><th scope="row">{markup.text(channel.label)}</th><td>{markup.text(channel.facs)}</td>'
        f"<td>{each.highest:.2f} {channels.intensity_letter(each.highest)}</td><td>{each.mean:.2f}</td>"
        f'<td>{markup.share(each.present)}</td>{letters}<td class="wide"><div class="bar">{bar}</div></td></tr>'
    )


def agreement_table(found: dict[str, agreement.Agreement], ids: list[str]) -> str:
    """How well two takes agree, channel by channel, and in the mean."""
    if not found:
        return "<p>No frame has a face in both takes: there is nothing to compare.</p>"
    rows = "".join(_agreement_row(channels.CHANNELS[channels.INDEX[each]].label, found[each]) for each in ids)
    chosen = [found[each] for each in ids]
    if chosen:
        pcc, icc = _mean([each.pcc for each in chosen]), _mean([each.icc for each in chosen])
        mean = agreement.Agreement(pcc, icc, _mean([each.mae for each in chosen]) or 0.0)
        rows += _agreement_row("Mean of these channels", mean, "mean")
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Channel", "PCC", "ICC(3,1)", "MAE"))
    return f'<div class="agreement">{_table(f"<tr>{head}</tr>", rows)}</div>'


def _agreement_row(label: str, each: agreement.Agreement, kind: str = "") -> str:
    cells = "".join(f"<td>{'–' if value is None else f'{value:.2f}'}</td>" for value in (each.pcc, each.icc))  # noqa: RUF001 - a dash for no value
    return f'<tr class="{kind}"><th scope="row">{markup.text(label)}</th>{cells}<td>{each.mae:.3f}</td></tr>'


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def jpeg(image: NDArray[np.uint8]) -> str:
    """A BGR picture as the address of an image that lies in the page itself."""
    done, coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert done
    return f"data:image/jpeg;base64,{base64.b64encode(coded.tobytes()).decode()}"
