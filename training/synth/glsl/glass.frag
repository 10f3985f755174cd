#include "light.glsl"
#include "finish.glsl"
#include "worn.glsl"
in vec3 v_normal; in vec3 v_camera; in vec2 v_uv;
uniform float glass;
// Drawn over what is there already, so the colour is multiplied by alpha. glass: how strongly what is thin mirrors.
void main() {
    vec4 t = texture(wear_texture, v_uv);
    vec3 n = normalize(v_normal), v = normalize(-v_camera);
    if (dot(n, v) < 0.0) n = -n;
    vec3 r = reflect(-v, n);
    vec3 c = surroundings(n), shine = surroundings(r) * mirroring(n, v), bright = vec3(0.0);
    for (int i = 0; i < 3; i++) {
        c += lamp(i, n, vec3(0.2));
        bright += light_color[i] * smoothstep(0.95, 0.985, dot(r, light_direction[i])) * 0.5;
    }
    c = worn_color(t) * c + wear_finish.x * (shine + bright * 0.3);
    color = vec4(finish(c) * t.a + (1.0 - t.a) * glass * min(shine + bright, 1.0), t.a);
}
