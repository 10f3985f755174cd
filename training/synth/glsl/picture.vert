in vec2 corner; out vec2 v_at;
void main() { v_at = corner * 0.5 + 0.5; gl_Position = vec4(corner, 0.9999, 1.0); }
