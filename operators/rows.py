"""From a table's properties to a mapping and back. Imported at first use: it needs numpy."""

from ..au_mocap import mapping
from .character_properties import AUMOCAP_PG_character, AUMOCAP_PG_row


def table_of(character: AUMOCAP_PG_character) -> mapping.Mapping:
    """The character's table; solo rows alone where there are any."""
    rows = list(character.rows)
    if any(row.solo for row in rows):
        rows = [row for row in rows if row.solo]
    return mapping.Mapping(character.table_name or "Table", tuple(row_of(row) for row in rows))


def row_of(row: AUMOCAP_PG_row) -> mapping.Row:
    """One row; raises MappingError saying what is wrong with it."""
    return mapping.Row(
        channel=row.channel,
        target=_target_of(row),
        gain=row.gain,
        gamma=row.gamma,
        offset=row.offset,
        min=row.min,
        max=row.max,
        enabled=row.enabled,
    )


def _target_of(row: AUMOCAP_PG_row) -> mapping.Target:
    if row.kind == "shape_key":
        return mapping.ShapeKeyTarget(row.target, row.object or None)
    if row.kind == "bone":
        return mapping.BoneTarget(row.target, row.path, row.axis)
    return mapping.PropertyTarget(row.data_path, row.object or None, None if row.index < 0 else row.index)


def fill_row(row: AUMOCAP_PG_row, source: mapping.Row, confidence: float = -1.0) -> None:
    """Write a row of a mapping into properties, with how sure it is: 0..1, or -1 for one set by hand."""
    row.channel = source.channel
    target = source.target
    if isinstance(target, mapping.ShapeKeyTarget):
        row.kind, row.target, row.object = "shape_key", target.name, target.object or ""
    elif isinstance(target, mapping.BoneTarget):
        row.kind, row.target, row.path, row.axis = "bone", target.bone, target.path, target.axis
    else:
        row.kind, row.data_path, row.object = "property", target.data_path, target.object or ""
        row.index = -1 if target.index is None else target.index
    for name in ("gain", "gamma", "offset", "min", "max", "enabled"):
        setattr(row, name, getattr(source, name))
    row.confidence = confidence  # last: choosing another channel or target makes the row one set by hand
