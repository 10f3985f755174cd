"""Where a bake's keys go: the active Action, a new one, or an NLA track of their own."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, Final

import bpy

from ..au_mocap.errors import SettingsError
from . import actions
from .bake_settings import BakeSettings
from .layers import place, push_down
from .scene import title
from .tracks import GROUP_PREFIX

TAKE: Final = "au_mocap_take"
"""Custom property of Actions on NLA tracks: the name of the take that was baked into them."""


CORRECTIONS: Final = "au_mocap_corrections"
"""Custom property of Actions that hold the artist's corrections: the name of the take that they lie over."""


class Place(ABC):
    """A bake's destination. Nothing changes before `prepare`.

    Attributes:
        settings: The bake's settings.
        made: The Action that this bake has made or found for all of its data-blocks, where they can share one.
        told: What was done beside writing keys, one line each.
    """

    def __init__(self, settings: BakeSettings) -> None:
        self.settings = settings
        self.made: bpy.types.Action | None = None
        self.told: list[str] = []
        self._copies: dict[bpy.types.Action, bpy.types.Action] = {}

    def refusal(self, owner: bpy.types.ID) -> str:
        """Why a data-block cannot be keyed, empty where it can.

        Raises:
            SettingsError: It is in a state that would send keys to a wrong place.
        """
        data = owner.animation_data
        if data is not None and data.use_tweak_mode:
            message = f"'{title(owner)}' is in the NLA's tweak mode: leave it (Tab in the NLA editor), then bake again."
            raise SettingsError(message)
        if owner.library is not None:
            return "it is linked from another file, make it local or a library override first"
        override = owner.override_library
        if override is not None and override.is_system_override:
            return "its library override is not editable, make it so first"
        return self._refusal_here(owner)

    def _refusal_here(self, _owner: bpy.types.ID) -> str:
        return ""

    def notes(self, owner: bpy.types.ID) -> Iterable[str]:
        """What keeps a baked data-block from playing its keys as they are."""
        data = owner.animation_data
        if any(track.is_solo for track in data.nla_tracks):
            yield f"'{title(owner)}' plays a solo NLA track alone, so its Action does not play"
        elif data.nla_tracks and (data.action_influence < 1.0 or data.action_blend_type != "REPLACE"):
            yield f"'{title(owner)}' mixes its Action with its NLA tracks"

    def approve(self, owners: Iterable[bpy.types.ID]) -> None:
        """See that no keys go where the artist's corrections are; raises SettingsError."""
        for owner in owners:
            action = owner.animation_data.action if owner.animation_data else None
            if action is not None and CORRECTIONS in action:
                message = (
                    f"'{title(owner)}' plays the corrections '{action.name}' over the bake: choose the destination NLA "
                    "Strip, so that they stay."
                )
                raise SettingsError(message)

    def prepare(self, _owners: Iterable[bpy.types.ID]) -> None:
        """Look for what the data-blocks of this bake can share."""
        return

    @abstractmethod
    def existing(self, owner: bpy.types.ID) -> Any:  # noqa: ANN401
        """What holds the curves that would be replaced: Action or channelbag, None where there is nothing."""

    @abstractmethod
    def open(self, owner: bpy.types.ID) -> tuple[bpy.types.Action, Any]:
        """The Action, and what holds a data-block's curves in it; made where missing."""

    def finish(self, _owner: bpy.types.ID, _span: tuple[float, float]) -> None:
        """Place what was written, which spans these scene frames."""
        return

    def _alone(self, owner: bpy.types.ID, holder: Any) -> None:  # noqa: ANN401
        """Let a data-block (or one of its strips) have its Action for itself, so that no other character moves, too."""
        self._tell(actions.single_user(owner, holder, self._copies))

    def _tell(self, line: str) -> None:
        if line and line not in self.told:
            self.told.append(line)

    def _shared(self) -> bpy.types.Action:
        """The one new Action of this bake; without slots, one each."""
        if self.made is None or not actions.HAS_SLOTS:
            self.made = bpy.data.actions.new(self.settings.name)
        return self.made


class _Active(Place):
    """Into the Action that is there, or a chosen one."""

    def __init__(self, settings: BakeSettings) -> None:
        super().__init__(settings)
        self.chosen = _local_action(settings.action) if settings.action is not None else None
        self.first: bpy.types.ID | None = None

    def _refusal_here(self, owner: bpy.types.ID) -> str:
        action = owner.animation_data.action if owner.animation_data else None
        if action is None or action.library is None or self._is_for(owner):
            return ""
        return f"its Action '{action.name}' is linked from another file, make it local or bake into a new Action"

    def _is_for(self, owner: bpy.types.ID) -> bool:
        """Whether the chosen Action takes a data-block; without slots it has room for the first of its kind."""
        if self.chosen is None or not actions.fits(owner, self.chosen):
            return False
        if self.first is None:
            self.first = owner
        return actions.HAS_SLOTS or self.first == owner

    def existing(self, owner: bpy.types.ID) -> Any:  # noqa: ANN401
        if self.chosen is None or not self._is_for(owner):
            return actions.active_bag(owner)
        if owner.animation_data and owner.animation_data.action == self.chosen:
            return actions.active_bag(owner)
        slot = actions.own_slot(owner, self.chosen) if actions.HAS_SLOTS else None
        return actions.find_bag(self.chosen, slot)

    def open(self, owner: bpy.types.ID) -> tuple[bpy.types.Action, Any]:
        data = owner.animation_data or owner.animation_data_create()
        if not self._is_for(owner):
            self._alone(owner, data)
        wanted = self.chosen if self._is_for(owner) else data.action
        action = wanted if wanted is not None else self._shared()
        if data.action != action or (actions.HAS_SLOTS and data.action_slot is None):
            actions.assign(owner, action)
        return action, actions.ensure_bag(action, data.action_slot if actions.HAS_SLOTS else None)


class _New(Place):
    """Into a new Action; what was active is kept."""

    def existing(self, _owner: bpy.types.ID) -> Any:  # noqa: ANN401
        return None

    def open(self, owner: bpy.types.ID) -> tuple[bpy.types.Action, Any]:
        action = self._shared()
        self._tell(push_down(owner))
        actions.assign(owner, action)
        return action, actions.ensure_bag(action, owner.animation_data.action_slot if actions.HAS_SLOTS else None)


class _Nla(Place):
    """Into an Action of the take on a track of its own."""

    def approve(self, owners: Iterable[bpy.types.ID]) -> None:
        """Corrections lie above the track and are not touched."""

    def __init__(self, settings: BakeSettings) -> None:
        super().__init__(settings)
        self.fresh: set[bpy.types.ID] = set()

    def _refusal_here(self, owner: bpy.types.ID) -> str:
        for track, strip in self._own(owner):
            if track.lock:
                return f"its NLA track '{track.name}' is locked, unlock it first"
            if strip.action.library is not None:
                return f"its strip's Action '{strip.action.name}' is linked from another file, make it local first"
        if self.settings.frame_range is not None:
            self._check_unmoved(owner)
        return ""

    def _check_unmoved(self, owner: bpy.types.ID) -> None:
        strips = [strip for _, strip in self._own(owner)]
        moved = any(
            abs(strip.frame_start - strip.action_frame_start) > 1e-3
            or strip.scale != 1.0
            or strip.repeat != 1.0
            or strip.use_reverse
            for strip in strips
        )
        if moved or len(strips) > 1:
            message = (
                f"The NLA strip of '{self.settings.name}' on '{title(owner)}' was moved, scaled or cut: put it back to "
                "replace a part of it, or bake the whole take again."
            )
            raise SettingsError(message)

    def _own(self, owner: bpy.types.ID) -> list[tuple[bpy.types.NlaTrack, bpy.types.NlaStrip]]:
        return list(actions.own_strips(owner, TAKE, self.settings.name))

    def notes(self, owner: bpy.types.ID) -> Iterable[str]:
        data = owner.animation_data
        if not data.use_nla:
            yield f"the NLA of '{title(owner)}' is switched off, so the strip does not play"
        own = [track for track, _ in self._own(owner)]
        if any(track.is_solo and track not in own for track in data.nla_tracks):
            yield f"'{title(owner)}' plays a solo track alone, so the strip does not play"
        if any(track.mute for track in own):
            yield f"the take's NLA track on '{title(owner)}' is muted"
        above, written = actions.active_bag(owner), self.existing(owner)
        is_over = data.action_blend_type == "REPLACE"
        if (
            is_over
            and above
            and any(above.fcurves.find(curve.data_path, index=curve.array_index) for curve in written.fcurves)
        ):
            yield f"the active Action '{data.action.name}' of '{title(owner)}' plays above the strip and hides it"

    def prepare(self, owners: Iterable[bpy.types.ID]) -> None:
        found = (strip.action for owner in owners for _, strip in self._own(owner))
        self.made = next(found, None)

    def existing(self, owner: bpy.types.ID) -> Any:  # noqa: ANN401
        return next(
            (actions.strip_bag(strip) for _, strip in self._own(owner)),
            None,
        )

    def open(self, owner: bpy.types.ID) -> tuple[bpy.types.Action, Any]:
        strip = self._one_strip(owner)
        if strip is not None:
            self._alone(owner, strip)
        else:
            self._tell(push_down(owner))
            action = self._shared()
            action[TAKE] = self.settings.name
            strip = self._new_strip(owner, action)
            self.fresh.add(owner)
        action: Any = strip.action
        return action, actions.ensure_bag(action, strip.action_slot if actions.HAS_SLOTS else None)

    def _one_strip(self, owner: bpy.types.ID) -> bpy.types.NlaStrip | None:
        """The take's own strip, alone on its track; copies and pieces of it are removed."""
        kept: bpy.types.NlaStrip | None = None
        for track, strip in self._own(owner):
            if kept is None and all(
                each.action and each.action.get(TAKE) == self.settings.name for each in track.strips
            ):
                kept = strip
            else:
                track.strips.remove(strip)
                if not track.strips:
                    owner.animation_data.nla_tracks.remove(track)
        return kept

    def _new_strip(self, owner: bpy.types.ID, action: bpy.types.Action) -> bpy.types.NlaStrip:
        data = owner.animation_data or owner.animation_data_create()
        track = data.nla_tracks.new()
        track.name = self.settings.name
        strip = track.strips.new(self.settings.name, 0, action)
        strip.name = self.settings.name
        if actions.HAS_SLOTS:
            slot = actions.own_slot(owner, action)
            strip.action_slot = slot or action.slots.new(id_type=owner.id_type, name=owner.name)
        return strip

    def finish(self, owner: bpy.types.ID, span: tuple[float, float]) -> None:
        _, strip = self._own(owner)[0]
        first, last = span
        if self.settings.frame_range is not None and owner not in self.fresh:
            first, last = min(first, strip.action_frame_start), max(last, strip.action_frame_end)
        for curve in self.existing(owner).fcurves:
            if curve.group is None or not curve.group.name.startswith(GROUP_PREFIX):
                # The artist's own in the same Action may reach further.
                first, last = min(first, curve.range()[0]), max(last, curve.range()[1])
        place(strip, first, max(last, first + 1.0))
        if owner in self.fresh:
            strip.extrapolation = "NOTHING" if self._others_play(owner) else "HOLD"

    def _others_play(self, owner: bpy.types.ID) -> bool:
        """Whether other tracks should have their say before and after the take, instead of its first and last pose."""
        paths = {(curve.data_path, curve.array_index) for curve in self.existing(owner).fcurves}
        own = [strip for _, strip in self._own(owner)]
        theirs = set[tuple[str, int]]()
        for strip in (strip for track in owner.animation_data.nla_tracks for strip in track.strips if strip not in own):
            bag = actions.strip_bag(strip)
            theirs |= {(curve.data_path, curve.array_index) for curve in (bag.fcurves if bag else ())}
        # What no strip plays shows its default, and from Blender 5.0 that of a shape key is fully on.
        is_face = isinstance(owner, bpy.types.Key)
        needs_all = is_face and bpy.types.ShapeKey.bl_rna.properties["value"].default != 0.0
        return paths <= theirs if needs_all else not paths.isdisjoint(theirs)


def place_of(settings: BakeSettings) -> Place:
    """The destination that settings name.

    Raises:
        SettingsError: The chosen Action does not exist or cannot be changed.
    """
    kinds = {"active": _Active, "new": _New, "nla": _Nla}
    return kinds[settings.destination](settings)


def _local_action(name: str) -> bpy.types.Action:
    named = [action for action in bpy.data.actions if action.name == name]
    if not named:
        message = f"There is no Action '{name}': choose another one to bake into, or none."
        raise SettingsError(message)
    local = next((action for action in named if action.library is None), None)
    if local is None:
        message = f"The Action '{name}' is linked from another file: make it local, or choose another one."
        raise SettingsError(message)
    return local
