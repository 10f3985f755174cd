"""The systems of the papers behind the project, rebuilt on its own data: one module each, and what they share."""
