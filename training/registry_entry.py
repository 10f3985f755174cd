"""Writing one entry of `models/registry.toml` without touching the others."""

import re
from pathlib import Path


def put(registry: Path, kind: str, name: str, entry: str) -> None:
    """Puts an entry in the place of an earlier one of the same name, or at the end.

    Args:
        registry: The file; begun where there is none.
        kind: `tracker` or `regressor`.
        name: The entry's name, which its second line must give.
        entry: Its text, from the line `[[kind]]` on.
    """
    text = registry.read_text(encoding="utf-8") if registry.exists() else "version = 1\n"
    head = re.escape(f'[[{kind}]]\nname = "{name}"\n')
    old = re.compile(rf"^{head}.*?(?=^\[\[|\Z)", re.MULTILINE | re.DOTALL)
    text, replaced = old.subn(lambda _: f"{entry}\n", text)
    text = text if replaced else f"{text.rstrip()}\n\n{entry}"
    registry.write_text(f"{text.rstrip()}\n", encoding="utf-8", newline="\n")
