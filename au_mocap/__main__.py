"""`python -m au_mocap`."""

import sys

from .cli import main

sys.exit(main())
