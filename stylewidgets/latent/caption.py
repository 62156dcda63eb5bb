"""A latent in a few words."""

from __future__ import annotations

from .latent import Latent


def caption(latent: Latent) -> str:
    """Return a few words for a latent: "seed 7", "seeds 7, 8", "code", "seed 7 · 2 edits"."""
    if latent.seed is not None:
        text = f"seed {latent.seed}"
    elif latent.blend:
        heaviest = sorted(latent.blend, key=lambda pair: -pair[1])[:2]
        text = "seeds " + ", ".join(str(seed) for seed, _ in heaviest) + (" …" if len(latent.blend) > 2 else "")
    else:
        text = "code"
    edits = sum(1 for edit in latent.edits if edit.strength)
    return text + (f" · {edits} edit{'s' if edits > 1 else ''}" if edits else "")
