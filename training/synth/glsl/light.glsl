// Light of the surroundings and of three lamps, in camera axes.
uniform vec3 light_direction[3]; uniform vec3 light_color[3]; uniform vec3 ambient[9];
// Light that the surroundings send to a surface that faces n: a quadratic in n, one coefficient vector a term.
vec3 surroundings(vec3 n) {
    vec3 c = ambient[0] + ambient[1] * n.x + ambient[2] * n.y + ambient[3] * n.z + ambient[4] * (n.x * n.y)
        + ambient[5] * (n.x * n.z) + ambient[6] * (n.y * n.z) + ambient[7] * (n.x * n.x) + ambient[8] * (n.y * n.y);
    return max(c, vec3(0.0));
}
float mirroring(vec3 n, vec3 v) { return 0.04 + 0.3 * pow(1.0 - clamp(dot(n, v), 0.0, 1.0), 5.0); }
// Light of one lamp on a matt surface; wrap: how far each colour of it creeps round into the shade.
vec3 lamp(int i, vec3 n, vec3 wrap) {
    vec3 soft = clamp((dot(n, light_direction[i]) + wrap) / (1.0 + wrap), 0.0, 1.0);
    return light_color[i] * soft * soft;
}
// Light of one lamp that a glossy surface mirrors.
vec3 highlight(int i, vec3 n, vec3 v, float power) {
    float shine = pow(max(dot(n, normalize(light_direction[i] + v)), 0.0), power) * (power + 8.0) * 0.16;
    return light_color[i] * shine * smoothstep(-0.1, 0.2, dot(n, light_direction[i]));
}
