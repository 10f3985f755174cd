in vec2 v_at; uniform sampler2D picture; out vec4 color;
void main() { color = vec4(texture(picture, v_at).rgb, 1.0); }
