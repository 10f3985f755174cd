"""Pictures of performers: an OpenGL renderer without a window, fast enough for tens of thousands of frames.

What stays the same through a clip (the skin's paint, its folds, textures, hair that does not move) is prepared once for
a `Look` and kept; a frame then costs a few draws of some ten thousand triangles.
"""

import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from training.synth import normals, occlusion, uniforms, wrinkles
from training.synth.anatomy import HEAD_FROM_MAKEHUMAN, Anatomy
from training.synth.camera import View
from training.synth.layout import layout
from training.synth.looks import Look, sample_look
from training.synth.staging import UNITS, Dressed, Stage, Staging, program, set_uniforms

__all__ = ["Look", "Renderer", "sample_look"]

_SAMPLES: Final = 4
_SHADOW_PX: Final = 256
_SHADOW_REACH_M: Final = 0.17
_SHADOW_BIAS_M: Final = 0.006
_ALPHA_TO_COVERAGE: Final = 0x809E
_SURFACES: Final = ("skin", "body", "inside", "eye")


class Renderer:
    """Draws performers in square pictures.

    Attributes:
        size_px: Side of the pictures.
    """

    def __init__(self, parts: Anatomy, size_px: int) -> None:
        """Opens an OpenGL context of its own: use one renderer in each process.

        Mesa's software renderer is told to keep to one thread (LP_NUM_THREADS) unless the environment says otherwise:
        processes with one thread each draw more than one process with many.

        Args:
            parts: The base mesh.
            size_px: Side of the pictures.

        Raises:
            RuntimeError: OpenGL cannot be started; the message says what to install.
        """
        os.environ.setdefault("LP_NUM_THREADS", "1")
        self._context: Any = _open_context()
        self._plan = layout()
        self.size_px = size_px
        self._staging = Staging(self._context, parts, self._plan)
        self._make_surfaces()
        self._make_targets()

    def draw(
        self, vertices: NDArray[np.float32], values: NDArray[np.floating], view: View, look: Look
    ) -> NDArray[np.uint8]:
        """Draws a face.

        Args:
            vertices: (N, 3) metres in head axes.
            values: (P,) channels 0..1 that the face performs; they fold the skin.
            view: Camera; its picture must have the renderer's size.
            look: How performer and set look.

        Returns:
            (size, size, 3) uint8 BGR.

        Raises:
            ValueError: The camera's picture has another size.
        """
        if view.size_px != self.size_px:
            message = f"the camera's picture is {view.size_px} px wide, the renderer's {self.size_px}"
            raise ValueError(message)
        stage = self._staging.of(look)
        whole = self._plan.with_chest(vertices)
        outward = normals.of_quads(whole, self._plan.quads)
        creases = wrinkles.creases(values, look.crease_depths, look.crease_resting)
        self._moving.write(np.concatenate([whole, outward, creases], axis=1).astype(np.float32).tobytes())
        shadows = look.light.shadow > 0.0
        self._set_frame(vertices, view, look, shadows=shadows)
        self._many.use()
        self._many.clear()
        self._draw_background_and_skin(stage, shadows=shadows)
        self._draw_worn(stage, vertices, look)
        self._context.copy_framebuffer(self._single, self._many)
        raw = np.frombuffer(self._single.read(components=3), np.uint8).reshape(self.size_px, self.size_px, 3)
        # y already points down in camera axes, so the first row that OpenGL reads is the top of the picture.
        return np.ascontiguousarray(raw[..., ::-1])

    def _set_frame(self, vertices: NDArray[np.float32], view: View, look: Look, *, shadows: bool) -> None:
        lit = uniforms.camera(view, look) | uniforms.light(look)
        drawn = look.shade | lit | uniforms.eyes(self._plan, vertices) | uniforms.mouth(self._plan, vertices)
        if shadows:
            drawn |= self._cast_shadows(view, look)
        for kind in _SURFACES:
            set_uniforms(self._programs[kind, shadows], drawn)
        for blended in (False, True):
            set_uniforms(self._staging.wear_program(blended=blended), lit)

    def _draw_background_and_skin(self, stage: Stage, *, shadows: bool) -> None:
        context = self._context
        for name, texture in (
            ("grain_texture", self._staging.grain),
            ("paint_texture", stage.paint),
            ("crease_texture", stage.creases),
            ("picture", stage.background),
            ("shadow_map", self._shadow_map),
        ):
            texture.use(UNITS[name])
        context.disable(context.CULL_FACE)
        self._backdrop.render(context.TRIANGLE_STRIP)
        # Skin is closed: what faces away is skipped, which halves the work.
        context.enable(context.CULL_FACE)
        for kind in ("skin", "body", "eye"):
            self._arrays[kind, shadows].render()
        # A wide open mouth shows some of its lining from behind.
        context.disable(context.CULL_FACE)
        self._arrays["inside", shadows].render()

    def _draw_worn(self, stage: Stage, vertices: NDArray[np.float32], look: Look) -> None:
        """Hair and the like cover samples by their alpha, in any order; glass comes last and lets through."""
        context = self._context
        context.blend_func = (context.ONE, context.ONE_MINUS_SRC_ALPHA)
        for piece in stage.dressed:
            if piece.worn.blended:
                context.enable(context.BLEND)
                self._draw_piece(piece, vertices, look)
                context.disable(context.BLEND)
            else:
                context.enable_direct(_ALPHA_TO_COVERAGE)
                self._draw_piece(piece, vertices, look)
                context.disable_direct(_ALPHA_TO_COVERAGE)

    def _draw_piece(self, piece: Dressed, vertices: NDArray[np.float32], look: Look) -> None:
        wear = piece.worn.wear
        if wear.moves:
            places = wear.worn_by(vertices, look.scale)
            piece.moving.write(np.concatenate([places, piece.normals], axis=1).astype(np.float32).tobytes())
        set_uniforms(self._staging.wear_program(blended=piece.worn.blended), piece.worn.uniforms)
        self._staging.texture_of(piece.worn).use(UNITS["wear_texture"])
        piece.array.render()

    def _cast_shadows(self, view: View, look: Look) -> dict[str, Any]:
        """Draws what the first lamp sees of the skin."""
        to_lamp = view.rotation.T @ look.light.directions[0]
        matrix = occlusion.seen_along(to_lamp, look.neutral.mean(axis=0), _SHADOW_REACH_M)
        set_uniforms(self._depth_program, {"matrix": matrix.T.astype(np.float32).tobytes()})
        self._shadow_target.use()
        self._shadow_target.clear(depth=1.0)
        self._context.disable(self._context.CULL_FACE)
        self._casting.render()
        to_map = np.diag([0.5, 0.5, 0.5, 1.0])
        to_map[:3, 3] = [0.5, 0.5, 0.5 - 0.5 * _SHADOW_BIAS_M / _SHADOW_REACH_M]
        return {
            "shadow_matrix": (to_map @ matrix).T.astype(np.float32).tobytes(),
            "shadow_strength": look.light.shadow,
        }

    def _make_surfaces(self) -> None:
        plan, context = self._plan, self._context
        context.front_face = "cw"  # y points down: what is counter-clockwise from outside turns round
        self._programs = {
            (kind, shadows): program(
                context, kind, *(["SHADOWS"] if shadows else []), vertex="eye" if kind == "eye" else "skin"
            )
            for kind in _SURFACES
            for shadows in (False, True)
        }
        self._depth_program = program(context, "depth")
        self._moving: Any = context.buffer(reserve=len(plan.rest) * 40)
        content = [(self._moving, "3f 3f 4f", "position", "normal", "creases"), self._still()]
        triangles = dict(zip(_SURFACES, (plan.skin, plan.body, plan.inside, plan.eyes), strict=True))
        index = {kind: context.buffer(triangles[kind].tobytes()) for kind in _SURFACES}
        self._arrays = {
            (kind, shadows): context.vertex_array(drawing, content, index[kind], skip_errors=True)
            for (kind, shadows), drawing in self._programs.items()
        }
        casting = np.concatenate([plan.skin, plan.body])
        self._casting: Any = context.vertex_array(
            self._depth_program, content[:1], context.buffer(casting.tobytes()), skip_errors=True
        )
        corners = context.buffer(np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32).tobytes())
        self._backdrop: Any = context.vertex_array(program(context, "picture"), [(corners, "2f", "corner")])

    def _still(self) -> tuple[Any, ...]:
        """What never changes at a vertex: its place in atlas and base figure, how open it is, what it belongs to."""
        plan = self._plan
        base = np.ascontiguousarray(plan.rest * HEAD_FROM_MAKEHUMAN.astype(np.float32))
        solid = np.concatenate([plan.skin, plan.body, plan.eyes])
        openness = occlusion.openness(self._context, base, normals.of_quads(base, plan.quads), solid)
        inner = np.unique(plan.inside)
        openness[inner] = plan.inner_openness[inner]
        columns = (plan.atlas, openness, plan.kind, plan.rest, plan.torso_share, plan.atlas_x, plan.atlas_y)
        content = np.ascontiguousarray(np.column_stack(columns), np.float32)
        names = ("atlas", "surface", "body", "atlas_x", "atlas_y")
        return (self._context.buffer(content.tobytes()), "2f 2f 4f 3f 3f", *names)

    def _make_targets(self) -> None:
        context, side = self._context, (self.size_px, self.size_px)
        self._many: Any = context.framebuffer(
            [context.renderbuffer(side, 4, samples=_SAMPLES)], context.depth_renderbuffer(side, samples=_SAMPLES)
        )
        self._single: Any = context.framebuffer([context.renderbuffer(side, 4)])
        self._shadow_map: Any = context.depth_texture((_SHADOW_PX, _SHADOW_PX))
        self._shadow_map.compare_func = "<="
        self._shadow_map.filter = (context.LINEAR, context.LINEAR)
        self._shadow_map.repeat_x = self._shadow_map.repeat_y = False
        self._shadow_target: Any = context.framebuffer(depth_attachment=self._shadow_map)
        context.enable(context.DEPTH_TEST)


def _open_context() -> Any:  # noqa: ANN401 - moderngl has no types
    try:
        import moderngl
    except ImportError as error:
        message = "Rendering needs moderngl: install the 'train' extra."
        raise RuntimeError(message) from error
    try:
        settings: dict[str, Any] = {"standalone": True, "backend": "egl"}
        return moderngl.create_context(**settings)
    except Exception as error:
        message = "OpenGL cannot be started without a window. On Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri."
        raise RuntimeError(message) from error
