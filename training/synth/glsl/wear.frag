#include "finish.glsl"
#include "worn.glsl"
in vec3 v_light; in vec3 v_shine; in vec2 v_uv;
void main() {
    vec4 t = texture(wear_texture, v_uv);
    float alpha = t.a * wear_shape.z;
    if (alpha < wear_finish.z) discard;
    color = vec4(finish(worn_color(t) * v_light + v_shine), min(alpha, 1.0));
}
