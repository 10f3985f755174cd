"""How the extension's zips are made: which wheels they bundle, what else ships, and what is checked before one leaves.

Only the standard library is used: make.py runs this outside every environment.
"""


class ReleaseError(Exception):
    """A zip cannot be made; the message says what to put right."""
