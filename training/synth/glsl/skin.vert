// Triangles are a few pixels large, so light is computed at vertices. What folds change is computed by pixel, to first
// order: v_lean is a short step over the atlas towards where a surface tilted that way would be brighter.
#include "camera.glsl"
#include "light.glsl"
in vec3 position; in vec3 normal; in vec4 creases; in vec2 atlas; in vec2 surface; in vec4 body;
in vec3 atlas_x; in vec3 atlas_y;
uniform vec3 wrap; uniform float occlusion; uniform float power; uniform float crease_depth;
out vec2 v_atlas; out vec2 v_lean; out vec4 v_creases; out vec3 v_light; out vec3 v_key; out vec3 v_shine;
out vec3 v_head;
out float v_relief; out vec3 v_rest; out float v_kind;
const vec3 LUMA = vec3(0.3, 0.55, 0.15);
void main() {
    float w = body.w;
    vec3 p = mix(rotation * position + translation, torso_rotation * position + torso_translation, w);
    gl_Position = projected(p);
    vec3 n = normalize(mix(rotation * normal, torso_rotation * normal, w)), v = normalize(-p);
    float open = mix(1.0, surface.x, occlusion), direct = mix(open, 1.0, 0.4), rim = mirroring(n, v);
    vec3 tint = mix(vec3(1.0), vec3(1.0, 0.8, 0.72), (1.0 - open) * 0.7);  // light in hollows has met skin before
    v_light = surroundings(n) * open * tint;
    v_shine = surroundings(reflect(-v, n)) * open * rim;
    v_key = lamp(0, n, wrap) * direct * tint;
    vec3 glint = highlight(0, n, v, power);
    vec3 toward = light_direction[0] * dot(v_key, LUMA) / max(dot(n, light_direction[0]) + 0.3, 0.3);
    for (int i = 1; i < 3; i++) {
        vec3 lit = lamp(i, n, wrap) * direct * tint;
        v_light += lit;
        glint += highlight(i, n, v, power);
        toward += light_direction[i] * dot(lit, LUMA) / max(dot(n, light_direction[i]) + 0.3, 0.3);
    }
    v_shine += glint * direct * rim;
    toward += vec3(dot(ambient[1], LUMA), dot(ambient[2], LUMA), dot(ambient[3], LUMA));
    toward -= n * dot(n, toward);
    float slope = length(toward);
    vec3 step_head = transpose(rotation) * (toward / max(slope, 1e-6)) * 0.0009;
    v_lean = vec2(dot(atlas_x, step_head), dot(atlas_y, step_head));
    v_relief = crease_depth / 0.0009 * slope / max(dot(v_light + v_key, LUMA), 1e-4);
    v_atlas = atlas; v_creases = creases; v_head = position; v_rest = body.xyz; v_kind = surface.y;
#ifndef SHADOWS
    v_light += v_key;
#endif
}
