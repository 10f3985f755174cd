"""Refiners: networks that render a face from parameters, and from where a take's values can be corrected.

A regressor says in one go what a picture shows. A refiner renders what the regressor said, compares the rendering with
the picture by the features of a network that knows the parts of a face, and changes pose and values until both agree.
That takes tens of renderings for each frame: it is a second pass over a take (`refining`), never part of the first.
"""
