"""`python -m au_mocap`."""

import sys


def _run() -> int:
    try:
        from .cli import main

        return main()
    except KeyboardInterrupt:  # while the libraries were still loading
        sys.stderr.write("Interrupted: nothing was written.\n")
        return 1


sys.exit(_run())
