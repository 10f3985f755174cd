#include "camera.glsl"
in vec3 position; in vec4 body;
out vec3 v_camera; out vec3 v_head; out vec3 v_rest;
void main() {
    vec3 p = rotation * position + translation;
    v_camera = p; v_head = position; v_rest = body.xyz;
    gl_Position = projected(p);
}
