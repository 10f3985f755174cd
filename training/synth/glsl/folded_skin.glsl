// Painted skin in the light that `skin.vert` computed, with the folds of the expression.
in vec2 v_atlas; in vec2 v_lean; in vec4 v_creases; in vec3 v_light; in vec3 v_key; in vec3 v_shine; in vec3 v_head;
in float v_relief; in vec3 v_rest;
uniform sampler2D paint_texture; uniform sampler2D crease_texture; uniform float crease_shade;
out vec4 color;
vec3 lit_skin(out vec3 light) {
    vec4 paint = texture(paint_texture, v_atlas);
    float here = dot(texture(crease_texture, v_atlas) - 0.5, v_creases);
    float there = dot(texture(crease_texture, v_atlas + v_lean) - 0.5, v_creases);
    float groove = crease_shade * clamp(-2.0 * here, 0.0, 1.0);
    light = v_light; vec3 shine = v_shine;
#ifdef SHADOWS
    float share = lit_share(v_head);
    light += v_key * share; shine *= mix(0.3, 1.0, share);
#endif
    float relief = clamp(1.0 - v_relief * (there - here), 0.25, 1.9);
    return paint.rgb * paint.rgb * light * (relief - groove * vec3(0.8, 1.0, 1.0)) + paint.a * 1.6 * shine
        * relief * relief;
}
