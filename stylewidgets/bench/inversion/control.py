"""What there is outside: how much of each picture has never been seen, and what the domain's reader makes of perfect edits there,
which is why it is not asked."""

from __future__ import annotations

import numpy as np

from ...avatars.world.groups import HEAD, columns
from ...inversion import Target, known_edits
from ...inversion.evaluation.editability import readings
from ...inversion.evaluation.known import reader_of
from ...session.session import GeneratorSession
from .pictures import plain


def control(session: GeneratorSession, outside: Target) -> dict[str, float]:
    """Transfer and side effects, means over pictures, that are read of the true edits of pictures outside.

    The truth is what is read of the same edits of the same faces without what is unseen; a reader that can be believed would
    find a transfer of 1, and no side effects.

    Args:
        session: the generator.
        outside: renders with factors of the group "unseen".
    """
    assert outside.factors is not None
    bare = plain(outside.factors[:, : len(columns(HEAD))], session)
    strange, usual, reader = known_edits(outside, session), known_edits(bare, session), reader_of(session)
    assert strange is not None and usual is not None and reader is not None
    assert strange.change is not None and usual.change is not None
    rows = [
        readings(usual.wanted, good, strange.change[i], usual.change[i], reader)
        for i, good in enumerate(strange.valid & usual.valid)
    ]
    return {name: float(np.nanmean([row[name] for row in rows])) for name in ("edit_transfer", "edit_side")}


def amounts(session: GeneratorSession, outside: Target) -> dict[str, float]:
    """How much of each picture is unseen, by its name: mean square of its difference from the same face without, on [-1, 1]."""
    assert outside.factors is not None
    bare = plain(outside.factors[:, : len(columns(HEAD))], session)
    far = (outside.images - bare.images).square().mean(dim=(1, 2, 3))
    return dict(zip(outside.names, far.tolist(), strict=True))


def text_of(found: dict[str, float] | None) -> str:
    """In a sentence, for the page."""
    if not found:
        return "Not measured yet."
    return (
        f"Perfect edits of the pictures outside read as a transfer of {found['edit_transfer']:.2f} with side effects of "
        f"{found['edit_side']:.2f} σ, where the same edits of the same faces without what is unseen are 1 and 0."
    )
