// Film: bright light is compressed, and values are coded near enough as sRGB does.
vec3 finish(vec3 c) { return sqrt(clamp(c / (1.0 + 0.18 * c * c), 0.0, 1.0)); }
