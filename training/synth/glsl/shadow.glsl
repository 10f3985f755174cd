// Share of the first lamp's light that reaches a place in head axes.
uniform mat4 shadow_matrix; uniform float shadow_strength; uniform sampler2DShadow shadow_map;
float lit_share(vec3 p) {
    vec3 q = (shadow_matrix * vec4(p, 1.0)).xyz;
    float s = texture(shadow_map, q + vec3(-0.003, -0.003, 0.0)) + texture(shadow_map, q + vec3(0.003, -0.003, 0.0))
        + texture(shadow_map, q + vec3(-0.003, 0.003, 0.0)) + texture(shadow_map, q + vec3(0.003, 0.003, 0.0));
    return mix(1.0, s * 0.25, shadow_strength);
}
