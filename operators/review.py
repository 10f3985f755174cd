"""Going from problem to problem, and the layout in which a take is reviewed."""

# pyright: reportInvalidTypeForm=false
# Blender declares properties as annotations that call functions.

from typing import Any

import bpy

from ..au_mocap.errors import AuMocapError
from . import classes, polls, review_layout, review_properties, review_state, review_step

DIRECTIONS = (
    ("next", "Next", "The next problem on the timeline; after the last one the first again"),
    ("previous", "Previous", "The problem before; before the first one the last again"),
)


def chosen_lines(stage: bpy.types.Scene) -> list[int]:
    """Lines of the list that are of the chosen kinds, in the timeline's order."""
    kinds: set[str] = stage.aumocap_review.kinds  # pyright: ignore[reportAttributeAccessIssue]
    return [index for index, line in enumerate(review_state.listed().problems) if line.kind in kinds]


def next_line(stage: bpy.types.Scene, *, backward: bool) -> int | None:
    """The line that comes after the playhead, or before it, wrapping around; None where there is none."""
    lines, found, frame = chosen_lines(stage), review_state.listed(), stage.frame_current
    if not lines:
        return None
    if found.active in lines and found.problems[found.active].frame == frame:  # several may begin at one frame
        return lines[(lines.index(found.active) + (-1 if backward else 1)) % len(lines)]
    if backward:
        return next((line for line in reversed(lines) if found.problems[line].frame < frame), lines[-1])
    return next((line for line in lines if found.problems[line].frame > frame), lines[0])


class AUMOCAP_OT_find_problems(bpy.types.Operator):
    """Looks for the take's problems."""

    bl_idname = "aumocap.find_problems"
    bl_label = "Find Problems"
    bl_description = "Look for gaps, doubtful frames, spikes, cut values and broken contact in the take as it is now"

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Look, and say how many there are."""
        review_state.forget()
        try:
            count = len(review_state.update(context.scene).spots)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        review_state.look_changed()
        self.report({"INFO"}, f"{count} problems" if count != 1 else "1 problem")
        return {"FINISHED"}


class AUMOCAP_OT_go_to_problem(bpy.types.Operator):
    """Goes to another problem."""

    bl_idname = "aumocap.go_to_problem"
    bl_label = "Go to Problem"

    direction: bpy.props.EnumProperty(name="Direction", items=DIRECTIONS, options={"SKIP_SAVE"})

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take."""
        return polls.take(cls, context)

    @classmethod
    def description(cls, _context: bpy.types.Context, properties: "AUMOCAP_OT_go_to_problem") -> str:
        """What the button does."""
        where = "before the playhead" if properties.direction == "previous" else "after the playhead"
        return f"Go to the problem {where}, of the kinds chosen below, and say what it is"

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Move the playhead, choose the line, say what it is."""
        stage = context.scene
        try:
            review_state.update(stage)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        line = next_line(stage, backward=self.direction == "previous")
        if line is None:
            kinds: set[str] = stage.aumocap_review.kinds  # pyright: ignore[reportAttributeAccessIssue]
            none = "The take has no problems" if kinds == review_properties.KIND_IDS else "None of the chosen kinds"
            self.report({"INFO"}, f"{none}.")
            return {"CANCELLED"}
        review_state.choose(stage, line)
        review_state.look_changed()
        problem, lines = review_state.listed().problems[line], chosen_lines(stage)
        self.report({"INFO"}, f"{lines.index(line) + 1} of {len(lines)}, frame {problem.frame}: {problem.message}")
        return {"FINISHED"}


class AUMOCAP_OT_review_layout(bpy.types.Operator):
    """Puts the video beside the viewport, or takes it away again."""

    bl_idname = "aumocap.review_layout"
    bl_label = "Review Layout"
    bl_description = (
        "Show the video beside the 3D viewport, in step with the take, and the strip along the timeline. "
        "Pressed again, the window is as it was"
    )

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        """Needs a take to begin with."""
        return review_layout.is_on(context.window) or polls.take(cls, context)

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Switch over."""
        try:
            if review_layout.is_on(context.window):
                review_layout.leave(context)
            elif hint := review_layout.enter(context):
                self.report({"WARNING"}, hint)
        except AuMocapError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES: tuple[type[Any], ...] = (AUMOCAP_OT_find_problems, AUMOCAP_OT_go_to_problem, AUMOCAP_OT_review_layout)
_register, _unregister = classes.factory(CLASSES)


def register() -> None:
    """Register properties, operators and what listens."""
    review_properties.register()
    _register()
    review_state.register()
    review_step.register()
    review_layout.register()


def unregister() -> None:
    """Undo `register`."""
    review_layout.unregister()
    review_step.unregister()
    review_state.unregister()
    _unregister()
    review_properties.unregister()
