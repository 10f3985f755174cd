#include "camera.glsl"
in vec3 position; in vec3 normal; in vec2 uv;
out vec3 v_normal; out vec3 v_camera; out vec2 v_uv;
void main() {
    vec3 p = rotation * position + translation;
    v_normal = rotation * normal; v_camera = p; v_uv = uv;
    gl_Position = projected(p);
}
