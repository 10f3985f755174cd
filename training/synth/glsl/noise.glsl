// A noise that is smooth, 0..1, one cell a unit.
uniform sampler3D grain_texture;
float noise(vec3 p) { return texture(grain_texture, p / 32.0).r; }
