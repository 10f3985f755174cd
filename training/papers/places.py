"""Where the papers' models are kept until somebody decides to ship them."""

from pathlib import Path

from training import packages


def folder() -> Path:
    """The folder of models that `make.py train papers` fills and `make.py bench papers` reads."""
    return packages.cache_folder() / "training" / "papers"


def page_of(name: str) -> str:
    """File name of the page with a system's own comparisons."""
    return f"papers-{name}.md"
