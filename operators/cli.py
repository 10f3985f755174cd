"""`blender RIG.blend --command au_mocap bake VIDEO_OR_TAKE… -o OUT.blend`: the panels' own way, without a window."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import bpy

from ..au_mocap.errors import AuMocapError, SettingsError
from . import outlets_cli

if TYPE_CHECKING:
    import argparse

    from ..au_mocap.profile import Profile

DONE, FAILED, USAGE = 0, 1, 2


class _State:
    """Handle of the registered command."""

    handle: ClassVar[Any] = None


def run(arguments: list[str]) -> int:
    """Run the command line that follows `--command au_mocap`.

    Returns:
        0 done, 1 failed, 2 bad usage.
    """
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as error:  # argparse has said what is wrong, or printed the help
        return int(error.code or 0) if isinstance(error.code, int) else USAGE
    try:
        if options.command == "bake":
            return _bake(options)
        outlets_cli.run(options, _character(bpy.context.scene, options.character))
    except AuMocapError as error:
        sys.stderr.write(f"Error: {error}\n")
        return FAILED
    except RuntimeError as error:  # an operator's report
        sys.stderr.write(f"{str(error).strip()}\n")
        return FAILED
    return DONE


def _parser() -> "argparse.ArgumentParser":
    import argparse

    parser = argparse.ArgumentParser(prog="blender RIG.blend --command au_mocap")
    commands = parser.add_subparsers(dest="command", required=True, metavar="bake|export")
    bake = commands.add_parser("bake", help="a video or a take as keys on a character of the open file")
    bake.add_argument(
        "sources", nargs="+", type=Path, metavar="VIDEO_OR_TAKE", help="several become Actions or strips of their names"
    )
    bake.add_argument("-o", "--output", type=Path, metavar="OUT.blend", required=True, help="file to write")
    bake.add_argument("--character", metavar="OBJECT", help="default: the scene's, or the only one with shape keys")
    bake.add_argument("--mapping", metavar="NAME", help="preset or JSON file; default: the character's own table")
    bake.add_argument("--regressor", metavar="NAME", help="for a video; default: as in the preferences")
    bake.add_argument("--device", choices=("auto", "cpu", "cuda"), help="for a video; default: as in the preferences")
    bake.add_argument("--profile", type=Path, metavar="JSON", help="an actor's profile: neutral, ranges, intensity")
    bake.add_argument("--smooth", choices=("off", "light", "medium", "strong"))
    bake.add_argument("--gaps", choices=("hold", "fade", "leave"))
    bake.add_argument("--mirror", action="store_true", help="the video was recorded mirrored")
    bake.add_argument("--destination", choices=("new", "active", "nla"))
    bake.add_argument("--start", type=float, metavar="FRAME", help="scene frame at which the video begins")
    bake.add_argument("--reduce", type=float, metavar="ERROR", help="few keys with handles, within this error")
    bake.add_argument("--overwrite", action="store_true", help="replace OUT.blend where it exists")
    outlets_cli.add_parser(commands)
    return parser


def _bake(options: "argparse.Namespace") -> int:
    from ..au_mocap import files

    output = options.output.absolute()
    files.check_writable(output, overwrite=options.overwrite)
    stage = bpy.context.scene
    own = stage.aumocap
    own.character = _character(stage, options.character)
    if options.mapping:
        _load_table(own.character, options.mapping)
    actor = _profile(options.profile)
    chosen = {"destination": options.destination, "start_frame": options.start, "tolerance": options.reduce}
    for name, value in chosen.items():
        if value is not None:
            setattr(own.bake, name, value)
    failures = _bake_each(stage, options, actor)
    if failures == len(options.sources):
        return FAILED
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        bpy.ops.wm.save_as_mainfile(filepath=str(output), check_existing=False)
    except (RuntimeError, OSError) as error:
        message = f"{output} cannot be written: {str(error).strip()}"
        raise SettingsError(message) from error
    sys.stdout.write(f"{output}\n")
    return FAILED if failures else DONE


def _bake_each(stage: bpy.types.Scene, options: "argparse.Namespace", actor: "Profile | None") -> int:
    """Bakes one take after the other; where there are several, one that fails is told and stops no other.

    Returns:
        How many failed.
    """
    sources = [source.absolute() for source in options.sources]
    if len(sources) == 1:
        _bake_one(stage, sources[0], options, actor)
        return 0
    failures = 0
    for source in sources:
        try:
            _bake_one(stage, source, options, actor)
        except (AuMocapError, RuntimeError) as error:  # a RuntimeError is an operator's report
            sys.stderr.write(f"Error: {source.name}: {str(error).strip().removeprefix('Error: ')}\n")
            failures += 1
    if failures:
        sys.stderr.write(f"{failures} of {len(sources)} inputs failed.\n")
    return failures


def _bake_one(stage: bpy.types.Scene, source: Path, options: "argparse.Namespace", actor: "Profile | None") -> None:
    import json

    _get_take(stage, source, options)
    own = stage.aumocap
    item = own.takes[own.active_take]
    for name, value in (("smoothing", options.smooth), ("gaps", options.gaps), ("mirror", options.mirror or None)):
        if value is not None:
            setattr(item, name, value)
    if actor is not None:
        from . import actor_settings

        actor_settings.apply(actor, item)
    bpy.ops.aumocap.bake()
    for name in json.loads(item.baked_with)["actions"] if len(options.sources) > 1 else ():
        bpy.data.actions[name].use_fake_user = True  # the character plays the last one only


def _profile(path: Path | None) -> "Profile | None":
    """An actor's profile, if one was named; raises ProfileError."""
    from ..au_mocap import profile

    return profile.load(path.absolute()) if path is not None else None


def _get_take(stage: bpy.types.Scene, source: Path, options: "argparse.Namespace") -> None:
    from . import preferences, take_list

    if source.name.endswith(".take.npz"):
        take_list.add(stage, source, preferences.get(bpy.context).smoothing)
        return
    capture = stage.aumocap.capture
    capture.filepath = str(source)
    if options.regressor:
        from . import choices

        names = [item[0] for item in choices.regressors()]
        if options.regressor not in names:
            message = f"There is no regressor '{options.regressor}': use {', '.join(names)}."
            raise SettingsError(message)
        capture.regressor = options.regressor
    if options.device:
        capture.device = options.device
    bpy.ops.aumocap.analyse()


def _character(stage: bpy.types.Scene, name: str | None) -> bpy.types.Object:
    """The object to drive.

    Raises:
        SettingsError: The name is no object's, or it cannot be told which object is meant.
    """
    if name is not None:
        if name not in stage.objects:
            message = f"The scene has no object '{name}': name one of its armatures or meshes (--character)."
            raise SettingsError(message)
        return stage.objects[name]
    if stage.aumocap.character is not None:
        return stage.aumocap.character
    meshes = [each for each in stage.objects if each.type == "MESH" and each.data.shape_keys is not None]
    armatures = dict.fromkeys(each.find_armature() or each for each in meshes)
    if len(armatures) != 1:
        what = "no mesh with shape keys" if not meshes else f"{len(armatures)} characters"
        message = f"The scene has {what}: name the armature or mesh to drive (--character OBJECT)."
        raise SettingsError(message)
    return next(iter(armatures))


def _load_table(chosen: bpy.types.Object, name: str) -> None:
    from . import presets, table

    loaded = presets.load(name, chosen)
    table.fill(chosen.aumocap, loaded.mapping, loaded.confidences)


def register() -> None:
    """Register the command `au_mocap`."""
    _State.handle = bpy.utils.register_cli_command("au_mocap", run)


def unregister() -> None:
    """Undo `register`."""
    bpy.utils.unregister_cli_command(_State.handle)
    _State.handle = None
