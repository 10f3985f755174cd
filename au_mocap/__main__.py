"""`python -m au_mocap`."""

import signal
import sys


def _run() -> int:
    # Half-loaded libraries turn Ctrl-C into errors of their own: until they are loaded it simply ends the process.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .cli import main

    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return main()


sys.exit(_run())
