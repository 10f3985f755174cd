"""How every file in `models/` is made, and the demo. Nothing here is part of the extension."""
