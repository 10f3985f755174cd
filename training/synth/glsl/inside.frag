#include "noise.glsl"
#include "finish.glsl"
in vec3 v_light; in vec3 v_key; in vec3 v_shine; in vec3 v_head; in vec3 v_rest; in float v_kind;
uniform vec3 gum; uniform vec3 tooth; uniform vec3 tongue; uniform vec4 mouth; uniform float opening;
uniform float gaps;
out vec4 color;
// v_kind: 0 lining of the mouth, 1 teeth, 2 tongue, 3 eye socket. mouth: middle of the lips' line, head axes; opening:
// the area between the lips.
void main() {
    float kind = floor(v_kind + 0.5);
    vec3 albedo = gum; float gloss = 0.12;
    if (kind == 1.0) {
        bool upper = v_rest.y > 0.6655;
        float column = atan(v_rest.x, v_rest.z - 0.105) * 7.6;  // teeth stand on an arch
        float between = abs(fract(column + (upper ? 0.5 : 0.0)) - 0.5) * 2.0;
        albedo = tooth * (0.9 + 0.15 * noise(vec3(floor(column) * 3.1, 2.0, upper ? 5.0 : 9.0)));
        albedo *= mix(1.0, 0.4 + 0.4 * smoothstep(0.0, 0.25, 1.0 - between), gaps * smoothstep(0.75, 1.0, between));
        float root = (upper ? v_rest.y - 0.6765 : 0.6505 - v_rest.y) + 0.0018 * (between - 0.5);
        albedo = mix(albedo, gum * 1.15, smoothstep(0.0, 0.0016, root));
        gloss = 0.9;
    } else if (kind == 2.0) {
        albedo = tongue * (0.8 + 0.4 * noise(v_rest * 700.0)) * (1.0 - 0.3 * exp(-pow(v_rest.x / 0.0025, 2.0)));
        gloss = 0.6;
    }
    vec3 d = v_head - mouth.xyz;
    float depth = max(d.z, 0.0), side = abs(d.x);
    float seen = opening / (opening + 5.0 * depth * depth + 0.1 * side * side);
    float open = clamp(seen * 1.15, 0.02, 1.0) * mix(1.0, 0.4, smoothstep(0.014, 0.03, side)
        * smoothstep(0.0, 0.01, depth));
    if (kind > 2.5) open = 0.55;
    vec3 light = v_light;
#ifdef SHADOWS
    light += v_key;
#endif
    color = vec4(finish((albedo * light + gloss * v_shine) * open), 1.0);
}
