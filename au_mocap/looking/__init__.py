"""Match by looking: what each shape of a character does to its face, whatever it is called.

`view` draws the character, `finding` shows the drawing to the tracker, `places` fixes the landmarks to the surface (or
`marks`, which an artist puts there), `measure` reads what each shape does to them, `solve` compares that with what each
channel does to a face (`motion`), and `matches` makes rows of it. None of it knows Blender.
"""
