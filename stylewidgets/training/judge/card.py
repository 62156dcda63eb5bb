"""The model card of the judge, from the record in its file."""

from __future__ import annotations

from ...avatars.reading.factor_net import Head
from ...avatars.reading.judge import POINTS, Judge

TRUSTED = 0.7
"""R² (accuracy) on renders below which a factor is marked: what the judge says of it counts little."""


def model_card(net: Judge) -> str:
    """The model card in Markdown."""
    t = net.metadata
    factors = net.heads[: -2 * len(POINTS)]
    rows = "\n".join(_row(net, head) for head in factors)
    weak = [head.name for head in factors if t["visible"][head.name][1] < TRUSTED]
    minutes = f" --minutes {t['minutes']:g}" if t.get("minutes") else ""
    options = f"--images {t['images']} --epochs {t['epochs']} --seed {t['seed']} --threads {t['threads']}{minutes}"
    places = sum(net.metrics[f"at {point} {axis}"] for point in POINTS for axis in "xy") / (2 * len(POINTS))
    return f"""# judge

Reads the factors of the avatar world from a picture, to score edits (`stylewidgets bench editing`, docs/editing.md). It is
there because directions, flows and the text encoder were made by the factor network or stand on its features: what was made
by a network must not be judged by it.

* Independent of it: other renders (seed {t["seed"]}, factors drawn directly), another seed, another architecture. It finds eyes,
  nose and mouth first (mean R² of their places {places:.3f}), then reads pieces of {24} px cut out around them, beside a net that
  sees the whole picture at half the resolution. What both share: the world, the 64 px, the augmentation, the optimiser.
* {t["parameters"]:,} parameters, input {net.resolution} px (other sizes are resized by area), matrices fp16.
* {t["images"]:,} renders, {t["steps"]:,} steps of {t["batch"]}, {t["seconds"] / 60:.0f} minutes on {t["device"]}.
* Command: `stylewidgets train judge {options}`
* Licence: MIT, as the project; made from the project's own renders only.

## Measured

On {t["held_out"]:,} renders that it has not seen, without augmentation, in the shipped precision. R² of a circular factor is that
of its sine and cosine together; categories have their accuracy, beside that of always saying the same. "Where seen" counts only
pictures that show the factor, by the rules in the card of the factor network. Errors were calibrated on one half of the renders
and checked on the other: the share of truths within one and two standard errors (normal: 0.68 and 0.95).

Marked "weak" are factors read below {TRUSTED} where seen: {", ".join(weak) or "none"}.

| factor | measure | all | where seen | error, typical | within 1 σ | within 2 σ | |
|---|---|---|---|---|---|---|---|
{rows}
"""


def _row(net: Judge, head: Head) -> str:
    name, t = head.name, net.metadata
    within, score = net.calibration["within"][name], t["visible"][name][1]
    if head.kind == "categorical":
        measure = f"accuracy (always the same: {t['most_frequent'][name]:.2f})"
        error = f"says {within[0]:.3f}, is {within[1]:.3f} | |"
    else:
        typical = net.calibration["typical"][name]
        unit = f"{typical:.1f}°" if head.kind == "circular" or head.high > 2 else f"{typical:.2f}"
        measure, error = "R²", f"{unit} | {within[0]:.2f} | {within[1]:.2f}"
    return f"| {name} | {measure} | {net.metrics[name]:.3f} | {score:.3f} | {error} | {'weak' if score < TRUSTED else ''} |"
