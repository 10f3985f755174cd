"""A test of how regressors carry over: heads that no training performer is made of, from another renderer.

The training performers are one family (MakeHuman's base mesh, shapes and skins, drawn by moderngl). A regressor could
learn that family instead of faces. So heads by other makers, with their own topology, textures and sculpted ARKit
shapes, are posed with exactly known weights and rendered with Cycles.

For evaluation only: never for training, and never for choosing between trainings.
"""
