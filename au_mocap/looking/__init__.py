"""Match by looking: what each shape of a character does to its face, whatever it is called.

`view` draws the character and finds the landmarks on its surface, `measure` reads what each shape does there, `solve`
compares that with what each channel does to a face, and `matches` makes rows of it. None of it knows Blender.
"""
