"""The model card of a Pose with Style of avatars, in Markdown."""

from __future__ import annotations

from typing import Any

from ...bench.posed.report import tables as measured
from ...generators.posed import Posed

WORDS = {
    "pairs": """Avatars that training has not seen, from one pose into another. The mean of each figure and the interval of nine
in ten bootstrap draws. Perceptual and Fréchet distances are of features of the judge, which the training did not use. A copy is
a render itself, so its Fréchet distance is no praise; that of other renders says what chance does.""",
    "parts": """A part of another avatar, in another pose, against the re-render with the parts swapped: grey levels of 255 off
inside of the part. Of a hat and a beard, whose colours follow clothes and hair, the other has the same ones.""",
    "patterns": """Stripes and checks: correlation with the re-render inside the torso, of colours, and of what differs from its
surroundings.""",
    "letters": """The letter on a badge: how often the re-render with the same letter, of eight, is the nearest one.""",
}


def card(generator: Posed, metadata: dict[str, Any], quality: dict[str, Any]) -> str:
    """The card.

    Args:
        generator: the module.
        metadata: that came with it: name, recipe, images, training_seconds.
        quality: of `evaluate.figures`.
    """
    c, r = generator.config, metadata["recipe"]
    parameters = sum(p.numel() for p in generator.parameters())
    pictures = metadata["images"]["pairs"]
    return f"""# {metadata.get("name", quality["file"])}

A Pose with Style (AlBahar et al. 2021) of illustrated half figures, {generator.resolution} px, {parameters:,} parameters,
{", ".join(map(str, c.channels))} channels from {c.sizes[0]} px up. It draws an `avatars.Figure` in another pose, with or without
a part of another figure. There is no w: seeds and truncation change nothing. Until `session.put` gives it a source, it draws
the figure of seed 0.
Licence: {metadata.get("licence", "MIT")}. Trained on nothing but renders of `stylewidgets.avatars`; no photographs and no
other generator.

Other than published, because the surface of avatars is known to the pixel: each part is a channel of its own; the direction of
the light in the axes of each limb is given for source and target; the pose joins every scale; features of the backdrop are
carried, too; colours are not normalised, which would give all pictures the same mean; what the source hides comes from its
mirrored half, marked as half known.

## How it was made

By `stylewidgets train posed` alone, {metadata.get("training_seconds", 0) / 60:.0f} minutes of one CPU core: {pictures:,}
pictures, each of one avatar out of a pose into another (one in {1 / r["still"]:.0f} into its own), by the exact way or the
atlas, by turns at random. L1 of colours and slopes at several sizes, features of the factor network (weight
{r["feature_weight"]:g}), and from picture {r["adversarial_from"]:,} on a small discriminator that sees picture and surface
(weight {r["adversarial_weight"]:g}). These are the averaged weights.

## Measured

`{quality["command"]}`

{tables(quality)}

## What it cannot do

64 pixels, half figures, the poses of the avatars' own joints. Heads without a body, and persons from files, it has not seen. What
neither the source nor its mirrored half shows is made up. A mirrored letter is mirrored. What depends on the part that was taken,
such as a shadow of hair on a forehead, stays as it was.
"""


def tables(quality: dict[str, Any]) -> str:
    """The measured figures, each after what it means: what the command prints and what the card shows."""
    return "\n\n".join(f"{WORDS[name]}\n\n{text}" for name, text in measured(quality).items())
