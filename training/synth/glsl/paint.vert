in vec2 atlas; in vec3 rest; in vec2 uv; in vec2 mask;
out vec3 v_rest; out vec2 v_uv; out vec2 v_mask;
void main() {
    v_rest = rest; v_uv = uv; v_mask = mask;
    // What lies farther out covers what lies below it.
    gl_Position = vec4(atlas * 2.0 - 1.0, 1.0 - 4.0 * length(rest - vec3(0.0, 0.645, 0.03)), 1.0);
}
