#ifdef SHADOWS
#include "shadow.glsl"
#endif
#include "finish.glsl"
#include "folded_skin.glsl"
void main() { vec3 light; color = vec4(finish(lit_skin(light)), 1.0); }
