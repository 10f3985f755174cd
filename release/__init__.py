"""How the extension's zips are made: which wheels they bundle, what else ships, and what is checked before one leaves.

Only the standard library is used: make.py runs this outside every environment, and this file on older Pythons too.
"""

import sys


class MakeError(Exception):
    """Something that the user can put right; the message says how."""


class ReleaseError(MakeError):
    """A zip cannot be made; the message says what to put right."""


def say(text: str) -> None:
    """Print a line for the user, on stderr: stdout is for what a script may want to read."""
    print(text, file=sys.stderr, flush=True)
