"""StyleCLIP (Patashnik et al., ICCV 2021): edits that a sentence asks for, by a global direction in s, an optimiser or a mapper.

`Words` is the door: it joins a session with a text encoder. The rest is what it is made of, paper by paper function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...core.lazy import attach

if TYPE_CHECKING:
    from .find import Found
    from .mapper import Mapper
    from .measuring import cost, measure
    from .relevance import Relevance
    from .table import ChannelTable
    from .words import Words

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "find": "Found",
        "mapper": "Mapper",
        "measuring": "cost measure",
        "relevance": "Relevance",
        "table": "ChannelTable",
        "words": "Words",
    },
)
