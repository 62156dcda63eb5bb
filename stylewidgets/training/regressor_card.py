"""The model card of the factor network, from the record in its file."""

from __future__ import annotations

from typing import Any

from ..avatars.drawing.visibility import RULES
from ..avatars.reading.factor_net import FactorRegressor, Head


def model_card(net: FactorRegressor) -> str:
    """The model card in Markdown."""
    t = net.metadata
    rows = "\n".join(_row(net, head) for head in net.heads)
    rules = "\n".join(f"* {name}: {words}" for name, words in RULES.items())
    return f"""# factor-regressor

Reads the factors of the avatar world from a picture. It labels generated pictures for boundaries, measures edits, and its
feature maps serve as a perceptual distance.

* Network: residual, {t["parameters"]:,} parameters, input {net.resolution} px (other sizes are resized by area), fp16.
{_parts(net)}* Trained on renders of `stylewidgets.avatars`, with small shifts, blur, noise and brightness changes, so that it
  also reads generated pictures:
{_stages(t)}
* Last command: `{_command(t)}`
* Measured and calibrated by: `stylewidgets train regressor --measure-only --held-out {t["held_out"]}`
* Licence: MIT, as the project; made from the project's own renders only.

## Measured

On {t["held_out"]:,} renders that it has not seen (another seed), without augmentation, in the shipped precision. R² of a
circular factor is that of its sine and cosine together; categories have their accuracy, beside that of always saying the
same. "All" counts pictures in which the factor cannot be seen, too, and is limited by them; "where seen" only the others.

Errors are calibrated on one half of these renders and checked on the other: the share of truths within one and two of
the standard errors that `avatars.estimate` gives (0.68 and 0.95 if they were normal), for categories the mean probability of
what it says and how often that is right.

| factor | measure | all | where seen | seen in | error, typical | within 1 σ | within 2 σ |
|---|---|---|---|---|---|---|---|
{rows}

A factor counts as seen, unless noted always, when:

{rules}
"""


def _parts(net: FactorRegressor) -> str:
    if net.parts is None:
        return ""
    count = sum(p.numel() for p in net.parts.parameters())
    return (
        f"* {count:,} of them are a reader of {net.parts.parts} parts, which looks for brows, eyes and mouth\n"
        "  wherever they are and corrects what the rest says. Feature maps, and with them perceptual and Fréchet distances,\n"
        "  do not depend on it.\n"
    )


def _row(net: FactorRegressor, head: Head) -> str:
    t, name = net.metadata, head.name
    share, score = t["visible"][name]
    within = net.calibration["within"][name]
    if head.kind == "categorical":
        measure = f"accuracy (always the same: {t['most_frequent'][name]:.2f})"
        error = f"says {within[0]:.3f}, is {within[1]:.3f} | |"
    else:
        measure, error = "R²", f"{_typical(net, head)} | {within[0]:.2f} | {within[1]:.2f}"
    return f"| {name} | {measure} | {net.metrics[name]:.3f} | {score:.3f} | {share:.0%} | {error} |"


def _typical(net: FactorRegressor, head: Head) -> str:
    value = net.calibration["typical"][head.name]
    return f"{value:.1f}°" if head.kind == "circular" or head.high > 2 else f"{value:.2f}"


def _stages(t: dict[str, Any]) -> str:
    lines = []
    for i, stage in enumerate([*t.get("before", []), t], 1):
        steps = f", {stage['steps']:,} steps" if stage.get("steps") else ""
        parts = ", the part reader alone" if stage.get("parts") else ""
        passes = f"at most {stage['epochs']} passes{steps}{parts}"
        lines.append(
            f"  {i}. {stage['images']:,} renders of seed {stage['seed']}, {passes}, "
            f"{stage['seconds'] / 60:.0f} minutes of training"
        )
    lines.append(f"  in batches of {t['batch']} on {t['device']}, threads: {t['threads']}.")
    return "\n".join(lines)


def _command(t: dict[str, Any]) -> str:
    keys = ["images", "resolution", "epochs", "seed", "threads", "device"]
    words = [f"--{key} {t[key]}" for key in keys]
    words += [f"--minutes {t['minutes']:g}"] if t.get("minutes") else []
    usual = t["seed"] + 1_000_000
    words += [f"--renders-seed {t['renders_seed']}"] if t.get("renders_seed", usual) != usual else []
    words += ["--parts"] if t.get("parts") else []
    words += ["--start-from FILE"] if t.get("before") else []
    return "stylewidgets train regressor " + " ".join(words)
