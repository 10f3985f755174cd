"""`python -m au_mocap`."""

import signal
import sys
from collections.abc import Callable


def _run() -> int:
    # Half-loaded libraries turn Ctrl-C into errors of their own: until they are loaded it simply ends the process.
    interruptible = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if interruptible:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        from .cli import main
    except ModuleNotFoundError as error:
        sys.stderr.write(
            f"Error: this Python has no {error.name}. Run AU Mocap with the one that `python make.py env` prints.\n"
        )
        return 1
    reconfigure: Callable[..., None] | None = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")  # a pipe on Windows may lack letters that names have
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return main()


sys.exit(_run())
