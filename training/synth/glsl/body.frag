#ifdef SHADOWS
#include "shadow.glsl"
#endif
#include "finish.glsl"
#include "noise.glsl"
#include "folded_skin.glsl"
uniform vec3 cloth[3]; uniform vec4 neckline; uniform vec4 weave;
// Heights of the neckline in the base figure: neckline is (front, sides, back, width of the hem), weave (kind, scale,
// share of stripes, creasing).
void main() {
    vec3 light;
    vec3 c = lit_skin(light);
    vec3 p = v_rest;
    float along = p.z - 0.02, around = along * inversesqrt(p.x * p.x + along * along + 1e-6);
    float edge = around > 0.0 ? mix(neckline.y, neckline.x, smoothstep(0.0, 0.95, around))
                              : mix(neckline.y, neckline.z, smoothstep(0.0, 0.95, -around));
    float below = edge - p.y, covered = smoothstep(-0.0006, 0.0006, below);
    float grain = noise(p * weave.y), fold = noise(vec3(p.x * 34.0, p.y * 20.0, p.z * 34.0));
    float stripe = sin(weave.y * (weave.x < 1.5 ? p.y : p.x + 0.3 * p.z));
    float pattern = weave.x < 0.5 ? 0.3 * grain : weave.x < 2.5 ? smoothstep(-0.2, 0.2, stripe + weave.z)
        : weave.x < 3.5 ? smoothstep(-0.1, 0.1, stripe * sin(weave.y * p.x)) : grain * 1.4 - 0.2;
    vec3 fabric = mix(cloth[0], cloth[1], clamp(pattern, 0.0, 1.0));
    fabric = mix(cloth[2], fabric, smoothstep(neckline.w, neckline.w + 0.001, below));
    fabric *= 1.0 + weave.w * 0.9 * (fold - 0.5);
    c *= 1.0 - 0.5 * (1.0 - smoothstep(0.0, 0.008, -below)) * (1.0 - covered);  // the hem's shade on the skin
    color = vec4(finish(mix(c, fabric * light, covered)), 1.0);
}
