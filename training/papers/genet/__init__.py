"""GE-Net: a generator that renders faces, a network that knows their parts, and how one is fitted to a film.

`examples` brings films to what both networks learn from, `generator` and `extractor` are the networks, each written as
layers that can also be run backwards (`layers`), so that `graphs` can export the gradient of the fitting's loss as an
ordinary ONNX graph; `training` trains them, `tuning` finds the fitting's rates and priors, `product` writes a refiner.
"""
