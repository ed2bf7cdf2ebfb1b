"""In which language a command speaks: as ``--lang`` says, else as the terminal does."""

from __future__ import annotations

import argparse
import os

LANGUAGES = ("zh", "en")


def spoken() -> str:
    """Return Chinese where the terminal speaks it, else English."""
    said = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "zh" if said.startswith("zh") else "en"


def add_language(parser: argparse.ArgumentParser) -> None:
    """Register ``--lang``."""
    parser.add_argument(
        "--lang", choices=LANGUAGES, default=spoken(), help="language of the text (default: of the terminal)"
    )
