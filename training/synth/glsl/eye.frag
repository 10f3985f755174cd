#include "noise.glsl"
#include "light.glsl"
#ifdef SHADOWS
#include "shadow.glsl"
#endif
#include "finish.glsl"
in vec3 v_camera; in vec3 v_head; in vec3 v_rest;
uniform mat3 rotation;
uniform vec3 eye_center[2]; uniform mat3 eye_turn[2]; uniform vec4 lid_upper[2]; uniform vec4 lid_lower[2];
uniform vec3 iris[2]; uniform vec3 sclera; uniform vec4 eye_shape; uniform float vein; uniform float glint;
uniform vec4 lid_shade;
out vec4 color;
// eye_shape: angles (radians) that iris, pupil, inner iris and limbal ring take up, seen from the eye's centre.
// lid_upper, lid_lower: parabolas of the lids' edges, elevation over azimuth, radians.
void main() {
    int i = v_rest.x > 0.0 ? 0 : 1;
    vec3 d = normalize(v_head - eye_center[i]);           // head axes: z into the head
    vec3 e = eye_turn[i] * d;                             // the eye's own axes: x left, y up, z along the gaze
    float angle = acos(clamp(e.z, -1.0, 1.0));
    float inner = i == 0 ? -d.x : d.x; float turned = acos(clamp(-d.z, -1.0, 1.0));
    vec3 white = mix(sclera, vec3(0.66, 0.42, 0.38), smoothstep(0.5, 1.1, turned) * 0.35);
    float threads = noise(vec3(e.y * 60.0, e.x * 14.0, float(i) * 7.0)) * noise(vec3(e.x * 90.0, e.y * 30.0, 3.0));
    white = mix(white, vec3(0.62, 0.2, 0.17), vein * threads * smoothstep(0.45, 0.9, angle));
    white = mix(white, vec3(0.72, 0.38, 0.34), smoothstep(0.72, 0.86, inner));
    float spoke = atan(e.y, e.x);
    float fibre = 0.65 + 0.7 * noise(vec3(cos(spoke) * 12.0 + 20.0, sin(spoke) * 12.0 + 20.0, angle * 8.0));
    vec3 colored = mix(iris[1], iris[0], smoothstep(eye_shape.y, eye_shape.z, angle)) * fibre;
    colored *= 1.0 - 0.75 * smoothstep(eye_shape.x - eye_shape.w, eye_shape.x, angle);
    vec3 albedo = mix(colored, white, smoothstep(eye_shape.x - 0.035, eye_shape.x + 0.035, angle));
    albedo = mix(vec3(0.008), albedo, smoothstep(eye_shape.y - 0.04, eye_shape.y + 0.04, angle));
    float cornea = 1.0 - smoothstep(eye_shape.x, eye_shape.x + 0.12, angle);
    vec3 gaze = vec3(eye_turn[i][0][2], eye_turn[i][1][2], eye_turn[i][2][2]);
    vec3 n = normalize(rotation * d);
    vec3 bulge = normalize(rotation * (d - 0.45 * cornea * gaze));
    vec3 v = normalize(-v_camera);
    float azimuth = atan(d.x, -d.z), height = asin(clamp(-d.y, -1.0, 1.0));
    float top = lid_upper[i].x + azimuth * (lid_upper[i].y + azimuth * lid_upper[i].z) - height;
    float low = height - lid_lower[i].x - azimuth * (lid_lower[i].y + azimuth * lid_lower[i].z);
    float open = 1.0 - lid_shade.x * (1.0 - smoothstep(-0.05, lid_shade.y, top));
    open *= 1.0 - 0.5 * lid_shade.x * (1.0 - smoothstep(-0.05, 0.6 * lid_shade.y, low));
    open *= (1.0 - 0.5 * smoothstep(0.35, 0.95, abs(azimuth))) * 0.9;
    float shadow = mix(open, 1.0, 0.25);
#ifdef SHADOWS
    shadow *= mix(lit_share(v_head), 1.0, 0.2);
#endif
    vec3 flat_n = normalize(mix(n, rotation * vec3(0.0, 0.0, -1.0), 0.25));
    vec3 c = surroundings(flat_n) * open + lamp(0, flat_n, vec3(0.3)) * shadow;
    c = albedo * (c + (lamp(1, flat_n, vec3(0.3)) + lamp(2, flat_n, vec3(0.3))) * open);
    vec3 r = reflect(-v, bulge);
    float rim = 0.025 + 0.6 * pow(1.0 - clamp(dot(bulge, v), 0.0, 1.0), 5.0);
    vec3 mirrored = surroundings(r) * rim * 0.8;
    for (int k = 0; k < 3; k++) {
        float near = dot(r, light_direction[k]);
        mirrored += light_color[k] * glint * smoothstep(lid_shade.z, lid_shade.w, near) * (k == 0 ? shadow : open);
    }
    mirrored += 0.10 * glint * surroundings(vec3(0.0, -1.0, 0.0)) * (1.0 - smoothstep(0.0, 0.05, abs(low - 0.03)));
    color = vec4(finish(c + mirrored * open), 1.0);
}
