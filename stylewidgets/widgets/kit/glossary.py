"""The "?" beside a title: what the words there mean, for those who see them for the first time."""

from __future__ import annotations

import html
from functools import lru_cache
from pathlib import Path

from ...core.checks import unknown_name


@lru_cache(maxsize=1)
def words() -> dict[str, str]:
    """What each word means in a sentence or two; glossary.md beside this file. docs/glossary.md has them exactly."""
    text = Path(__file__).with_name("glossary.md").read_text(encoding="utf-8")
    return dict(line.split(": ", 1) for line in text.splitlines() if line)


def help_button(*wanted: str, title: str = "What these words mean") -> str:
    """HTML of a small "?" that unfolds these words: no kernel is needed for it. ValueError for a word that is not there."""
    entries = []
    for word in wanted:
        if word not in words():
            raise unknown_name("word of the glossary", word, tuple(words()))
        entries.append(f"<dt>{html.escape(word)}</dt><dd>{html.escape(words()[word])}</dd>")
    said = html.escape(title, quote=True)
    button = f'<summary aria-label="{said}" title="{said}">?</summary>'
    return f'<details class="sw-help">{button}<dl>{"".join(entries)}</dl></details>'
