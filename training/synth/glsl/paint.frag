// The skin of a person laid out over the atlas: square roots of linear colours, and gloss in alpha. Places and sizes are
// the base figure's, in metres.
// grading: contrast, share and saturation of the painted skin. offset: moves the noises, which makes them a person's own.
// zones: redness of cheeks, nose, ears, chin. rings: darkness of lids, of bags under the eyes, of the forehead.
// blotch: broad and fine unevenness, pimples. freckle: strength, share, how far beyond cheeks and nose. spots: moles as
// x, y, radius, darkness. lip_make: strength, smoothness. make_up: eye shadow, line round the eyes, blush, the line's
// share below the eye. brow_shape: height, bend, half length, half thickness. brow_hair: contrast of the hairs, their
// fineness, strength. beard_shape: cheeks and jaw, chin, moustache. hairline: height (0 none), softness. oil: gloss of
// skin, lips, lids.
#include "noise.glsl"
in vec3 v_rest; in vec2 v_uv; in vec2 v_mask;
uniform sampler2D skin_texture; uniform vec3 skin; uniform vec3 skin_own; uniform vec3 grading;
uniform vec4 zones; uniform vec3 rings; uniform vec3 blotch; uniform vec4 spots[10]; uniform vec3 freckle;
uniform vec3 lip; uniform vec2 lip_make; uniform vec3 shadow_color; uniform vec4 make_up; uniform vec3 blush_color;
uniform vec3 beard_shape; uniform vec3 brow; uniform vec4 brow_shape; uniform vec3 brow_hair; uniform float stubble;
uniform vec3 beard_color;
uniform vec3 hair; uniform vec2 hairline; uniform vec3 oil; uniform vec3 offset;
out vec4 color;
float blob(vec2 at, vec2 center, vec2 size) { vec2 d = (at - center) / size; return exp(-dot(d, d)); }
void main() {
    vec3 p = v_rest, q = v_rest + offset; vec2 a = vec2(abs(p.x), p.y);
    float front = smoothstep(0.05, 0.09, p.z);
    float broad = noise(q * 45.0) + noise(q * 110.0) - 1.0;
    float fine = noise(q * 400.0) + noise(q * 1000.0) - 1.0;
    vec3 own = texture(skin_texture, v_uv).rgb;
    own = pow(own, vec3(2.2)) / skin_own;                 // 1 on the cheek
    own = pow(mix(vec3(dot(own, vec3(0.33))), own, grading.z), vec3(grading.x)) * skin;
    vec3 c = mix(skin, own, grading.y);
    c *= 1.0 + blotch.x * broad + blotch.y * fine;
    // Where blood shows: cheeks, nose, ears, around the eyes.
    float cheek = blob(a, vec2(0.040, 0.693), vec2(0.019, 0.016)) * front;
    float nose = blob(a, vec2(0.0, 0.693), vec2(0.015, 0.011)) * smoothstep(0.12, 0.14, p.z);
    float ear = smoothstep(0.068, 0.078, a.x) * smoothstep(0.67, 0.69, p.y) * (1.0 - smoothstep(0.735, 0.75, p.y));
    float red = zones.x * cheek + zones.y * max(nose, blob(a, vec2(0.019, 0.690), vec2(0.005, 0.007)) * front)
        + zones.z * ear;
    red += zones.w * blob(a, vec2(0.0, 0.632), vec2(0.014, 0.012)) * front;
    c *= mix(vec3(1.0), vec3(1.06, 0.84, 0.82), clamp(red * (1.0 + 0.8 * broad), -0.6, 1.6));
    float lids = blob(a, vec2(0.032, 0.7345), vec2(0.018, 0.009)) * front;
    float bags = blob(a, vec2(0.028, 0.7155), vec2(0.013, 0.0055)) * front;
    c *= 1.0 - rings.x * lids * vec3(0.8, 1.1, 1.0) - rings.y * bags * vec3(0.9, 1.1, 0.85);
    c *= 1.0 - rings.z * smoothstep(0.755, 0.8, p.y) * vec3(0.6, 0.8, 1.0);
    c = mix(c, c * vec3(1.25, 0.62, 0.55), blotch.z * smoothstep(0.55, 0.8, noise(q * 260.0)) * front);   // pimples
    float specks = smoothstep(1.0 - freckle.y, 1.02 - freckle.y * 0.8, noise(q * 480.0) * 0.75 + noise(q * 150.0)
        * 0.25);
    c *= 1.0 - freckle.x * specks * vec3(0.55, 0.8, 0.95) * (freckle.z + (1.0 - freckle.z) * max(cheek, nose));
    for (int i = 0; i < 10; i++) {
        float d = length(p.xy - spots[i].xy) / max(spots[i].z, 1e-5) + 0.3 * (noise(q * 900.0) - 0.5);
        c *= mix(vec3(1.0), vec3(0.9, 0.8, 0.75) * (1.0 - spots[i].w), (1.0 - smoothstep(0.7, 1.1, d)) * front);
    }
    // Make-up.
    float lid_area = blob(a, vec2(0.033, 0.7365), vec2(0.016, 0.0075)) * smoothstep(0.727, 0.731, p.y) * front;
    c = mix(c, shadow_color, make_up.x * lid_area);
    float liner = v_mask.y * (p.y > 0.7284 ? 1.0 : make_up.w);
    c = mix(c, vec3(0.02, 0.015, 0.015), clamp(make_up.y * liner, 0.0, 1.0));
    c = mix(c, blush_color * (0.4 + 0.6 * c.r), make_up.z * blob(a, vec2(0.046, 0.697), vec2(0.016, 0.012)) * front);
    // Lips.
    float edge = clamp(v_mask.x * lip_make.x, 0.0, 1.0);
    float lines = 0.85 + 0.3 * noise(vec3(q.x * 900.0, q.y * 120.0, 2.0));
    vec3 lips = lip * mix(lines, 1.0, lip_make.y) * (1.0 + 0.25 * broad);
    c = mix(c, lips, edge);
    // Brows: short strokes that lean outward.
    float along = (a.x - 0.0315) / brow_shape.z;
    float arch = brow_shape.x - brow_shape.y * along * along - 0.0012 * along + 0.0008 * (noise(q * 200.0) - 0.5);
    float ends = mix(0.75, 1.0, smoothstep(-1.0, -0.4, along)) * (1.0 - 0.65 * smoothstep(0.0, 1.0, along));
    ends *= 1.0 - smoothstep(0.8, 1.08, abs(along));
    float thick = max(brow_shape.w * ends, 1e-5);
    vec2 lean = mat2(0.5, 0.85, -0.85, 0.5) * vec2(a.x, p.y);
    if (p.y > arch) lean = mat2(0.94, -0.34, 0.34, 0.94) * vec2(a.x, p.y);
    float strokes = noise(vec3(lean.x * 420.0 * brow_hair.y, lean.y * 1900.0 * brow_hair.y, 3.0 + sign(p.x)));
    float dense = 1.0 - smoothstep(0.35, 1.05, abs(p.y - arch) / thick);
    float hairs = clamp(dense * (1.0 + brow_hair.x * 2.0 * (strokes - 0.5)), 0.0, 1.0);
    c = mix(c, brow, clamp(hairs * brow_hair.z, 0.0, 0.97) * smoothstep(0.08, 0.11, p.z));
    // Beard shadow and shaved or short hair on the scalp.
    float rough = 0.006 * broad;
    float cheeks = smoothstep(0.030, 0.042, a.x + rough) * (1.0 - smoothstep(0.660, 0.684, p.y - 0.35
        * (a.x - 0.04) + rough));
    float under = 1.0 - smoothstep(0.630, 0.642, p.y - 0.2 * a.x + rough);
    float goatee = blob(a, vec2(0.0, 0.632), vec2(0.021, 0.013)) + blob(a, vec2(0.027, 0.652), vec2(0.006, 0.014));
    float moustache = blob(a, vec2(0.012, 0.6745), vec2(0.017, 0.0055)) * 1.3;
    float beard = max(max(beard_shape.x * max(cheeks, under), beard_shape.y * goatee), beard_shape.z * moustache);
    beard = clamp(beard, 0.0, 1.0) * smoothstep(0.02, 0.05, p.z) * smoothstep(0.588, 0.606, p.y + rough) * (1.0 - edge);
    float bristle = 0.5 + 0.8 * noise(q * vec3(1900.0, 1300.0, 1900.0));
    c = mix(c, beard_color, clamp(stubble * beard * bristle, 0.0, 0.92));
    float scalp = smoothstep(0.0, hairline.y, p.y - hairline.x - 0.56 * max(0.0, 0.075 - p.z) + 0.006 * (noise(q
        * 300.0) - 0.5));
    scalp = max(scalp, (1.0 - smoothstep(0.045, 0.052, p.z)) * smoothstep(0.655, 0.675, p.y) * step(a.x, 0.0765));
    c = mix(c, hair * (0.6 + 0.8 * noise(q * vec3(700.0, 120.0, 700.0))), hairline.x > 0.0 ? scalp : 0.0);
    float shine = oil.x * (0.6 + 0.5 * blob(a, vec2(0.0, 0.71), vec2(0.03, 0.05)) + 0.4 * smoothstep(0.755, 0.78, p.y)
        + 0.3 * fine) + oil.z * lids;
    shine = mix(shine, oil.y, edge) * (1.0 - 0.8 * scalp * step(0.001, hairline.x));
    color = vec4(sqrt(clamp(c, 0.002, 0.98)), clamp(shine, 0.0, 1.0));
}
