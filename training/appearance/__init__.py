"""The `accurate` and `fast` regressors: landmarks and appearance, trained on films of synthetic performers."""
