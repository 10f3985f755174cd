#include "camera.glsl"
#include "light.glsl"
in vec3 position; in vec3 normal; in vec2 uv;
uniform vec4 wear_finish;
out vec3 v_light; out vec3 v_shine; out vec2 v_uv;
// wear_finish: gloss, power, least alpha that is drawn, share of the surroundings' light.
void main() {
    vec3 p = rotation * position + translation, n = rotation * normal, v = normalize(-p);
    gl_Position = projected(p);
    if (dot(n, v) < 0.0) n = -n;
    float rim = mirroring(n, v) * wear_finish.x;
    v_light = surroundings(n) * wear_finish.w; v_shine = vec3(0.0);
    for (int i = 0; i < 3; i++) {
        v_light += lamp(i, n, vec3(0.25));
        v_shine += highlight(i, n, v, wear_finish.y) * rim;
    }
    v_uv = uv;
}
