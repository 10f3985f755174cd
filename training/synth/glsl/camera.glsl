// What projects camera axes onto the picture.
uniform mat3 rotation; uniform vec3 translation;
uniform mat3 torso_rotation; uniform vec3 torso_translation;
uniform float focal; uniform vec2 depth_range;
vec4 projected(vec3 p) {
    float n = depth_range.x, f = depth_range.y;
    return vec4(focal * p.x, focal * p.y, (p.z * (f + n) - 2.0 * f * n) / (f - n), p.z);
}
