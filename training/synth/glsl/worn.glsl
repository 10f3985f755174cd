// Colour of what is worn.
uniform sampler2D wear_texture; uniform vec3 tint; uniform vec3 wear_shape; uniform vec4 wear_finish;
uniform float relative;
out vec4 color;
// wear_shape: share of the texture's own colour, contrast of its lightness, gain of its alpha.
// relative: one over the texture's mean lightness.
vec3 worn_color(vec4 t) {                               // t is multiplied by its alpha
    vec3 own = t.rgb / max(t.a, 0.004);
    own *= own;
    float light = dot(own, vec3(0.2126, 0.7152, 0.0722));
    return mix(tint * mix(1.0, min(light * relative, 2.5), wear_shape.y), own, wear_shape.x);
}
