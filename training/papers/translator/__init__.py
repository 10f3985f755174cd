"""The third paper's expression generator: one face, shown with other Action Units."""
