"""The model card of a generator of avatars, in Markdown, from its metadata and its measured quality."""

from __future__ import annotations

import re
from typing import Any

from ..generators.protocol import Generator
from .detail.measure import noise_table

_FAMILIES = {"stylegan1": "StyleGAN", "stylegan2": "StyleGAN2", "stylegan3": "StyleGAN3"}


def card(generator: Generator, metadata: dict[str, Any], quality: dict[str, Any]) -> str:
    """The card.

    Args:
        generator: the module.
        metadata: that came with it: name, recipe, images, training_seconds, history.
        quality: of `evaluate.measure`.
    """
    return f"""# {metadata.get("name", quality["file"])}

{_what(generator, metadata)}
Licence: {metadata.get("licence", "MIT")}. Trained on nothing but renders of `stylewidgets.avatars`; no photographs and no
other model.

## How it was made

{_made(metadata)}

## Measured

`{quality["command"]}`

measured {quality["samples"]:,} samples at psi 1 against {quality["samples"]:,} renders that training has not seen; "floor" is
the same figure of other renders against those renders. Readings and features are those of the shipped factor network. All digits
are in the file with the ending `.quality.json` beside this one.

{tables(quality)}
"""


def tables(quality: dict[str, Any]) -> str:
    """The measured figures: what the command prints and what the card shows."""
    read = "\n".join(f"| {name} | {f['samples']:.2f} | {f['floor']:.2f} |" for name, f in quality["read"].items())
    distances = "\n".join(
        f"| {name} | {f['measure']} | {f['samples']:.3f} | {f['floor']:.3f} |" for name, f in quality["factors"].items()
    )
    noise = f"\n\n{noise_table(quality['noise'])}" if "noise" in quality else ""
    return f"""| | samples | floor |
|---|---|---|
{_rows(quality)}

How well the factors that z and class stand for are read off the picture (R², of categories the share of equal ones), the
floor being how well those of a render are:

| factor | samples | floor |
|---|---|---|
{read}

Distance of the distributions of what is read (1-Wasserstein in standard deviations of the renders, of categories the total
variation from 0 to 1):

| factor | measure | samples | floor |
|---|---|---|---|
{distances}{noise}"""


def overview(qualities: list[dict[str, Any]]) -> str:
    """The main figures of several generators side by side, each with that of renders against renders in brackets."""
    columns = {
        "frechet": "Fréchet distance",
        "precision": "precision",
        "recall": "recall",
        "path_length": "path length",
        "neighbour": "to the nearest training render",
    }
    lines = ["| | " + " | ".join(columns.values()) + " | EQ-T |", "|---|" + "---|" * (len(columns) + 1)]
    for quality in qualities:
        figures = " | ".join(
            f"{quality[key]['samples']:.2f} ({quality[key]['floor']:.2f})" if key in quality else "" for key in columns
        )
        moved = f"{quality['eq_t']:.1f} dB" if "eq_t" in quality else ""
        lines.append(f"| {quality['file'].removesuffix('.safetensors')} | {figures} | {moved} |")
    return "\n".join(lines)


def _rows(quality: dict[str, Any]) -> str:
    words = {
        "frechet": "Fréchet distance of features (Heusel et al. 2017)",
        "precision": "precision: samples within the renders' manifold (Kynkäänniemi et al. 2019, k = 3)",
        "recall": "recall: renders within the samples' manifold",
        "spread": "mean difference of random pairs of pictures (a collapse would be 0)",
        "path_length": "perceptual path length in w (floor: the straight way between two renders)",
        "neighbour": "distance of features to the nearest training render",
    }
    rows = [
        f"| {text} | {quality[key]['samples']:.3f} | {quality[key]['floor']:.3f} |"
        for key, text in words.items()
        if key in quality
    ]
    if "eq_t" in quality:
        rows.append(
            f"| EQ-T, dB: how exactly pictures move inside of it (Karras et al. 2021) | {quality['eq_t']:.1f} | |"
        )
    return "\n".join([*rows, *_speed(quality)])


def _speed(quality: dict[str, Any]) -> list[str]:
    speed = quality.get("throughput")
    if not speed:
        return []
    where = f"{speed['device']}, {speed['threads']} thread{'s' if speed['threads'] > 1 else ''}"
    figures = f"{speed['generator']:.0f} | {speed['renderer']:.0f}"
    return [f"| pictures a second, {speed['resolution']} px, {where} (floor: the renderer) | {figures} |"]


def _what(generator: Generator, metadata: dict[str, Any]) -> str:
    config, parameters = generator.config, sum(p.numel() for p in generator.parameters())
    channels = getattr(config, "channels", ()) or [layer.channels for layer in getattr(config, "layers", ())[:-1]]
    maps = (
        f", feature maps {' '.join(str(c) for c in channels)}"
        if isinstance(channels, (tuple, list)) and channels
        else ""
    )
    architecture = getattr(config, "architecture", "")
    family = _FAMILIES.get(generator.family, generator.family)
    text = (
        f"A {family}{architecture and f' ({architecture} architecture)'} of illustrated heads, {generator.resolution} px, "
        f"{parameters:,} parameters, z {generator.z_dim},\nw {generator.w_dim}, {generator.num_ws} rows of w+{maps}."
    )
    if generator.c_dim:
        classes = ", ".join(metadata.get("classes", [])) or f"{generator.c_dim} of them"
        text += f"\nConditional: its classes are {classes}."
    return text


def _made(metadata: dict[str, Any]) -> str:
    recipe, images = metadata["recipe"], metadata.get("images", {})
    stages = [f"{i}. {line}" for i, line in enumerate(_stages(metadata.get("history", [])), 1)]
    before = ""
    if stages:
        before = (
            ",\nwith these stages before the last one (minutes count from the very start):\n\n"
            + "\n".join(stages)
            + "\n"
        )
    minutes = metadata.get("training_seconds", 0) / 60
    where = f", on {metadata['hardware']}" if metadata.get("hardware") else ""
    first = f"By `stylewidgets train avatars` alone{where}: {minutes:,.0f} minutes of training in all"
    last = [*_phases(recipe, images)[1:], *_grown(recipe, images), *_pace(metadata)]
    if stages and not last:
        before = before.replace("with these stages before the last one", "in these stages")
    lines = [
        first + (before or "."),
        *(["The last stage:", ""] if stages and last else []),
        *last,
        *([""] if last else []),
        _settings(recipe),
    ]
    return "\n".join(lines) + _kind(recipe, images, bool(stages))


def _stages(history: list[str]) -> list[str]:
    """The lines of earlier stages, with the pictures a second of those whose minutes tell."""
    lines, before = [], 0
    for line in history:
        pictures, minutes = _counts(line)
        speed = f", {pictures / 60 / (minutes - before):.0f} images/s" if pictures and minutes > before else ""
        lines.append(line + speed)
        before = max(before, minutes)
    return lines


def _counts(line: str) -> tuple[int, int]:
    """Paired pictures and minutes so far of a line of history; 0 where it does not say."""
    found = [re.search(pattern, line) for pattern in (r"([\d,]+) paired", r"(\d+) minutes")]
    pictures, minutes = (int(m[1].replace(",", "")) if m else 0 for m in found)
    return pictures, minutes


def _pace(metadata: dict[str, Any]) -> list[str]:
    """Pictures a second of the last stage, where it drew any."""
    images = sum(metadata.get("images", {}).get(name, 0) for name in ("paired", "joint", "detail"))
    before = max([_counts(line)[1] for line in metadata.get("history", [])], default=0) * 60
    seconds = metadata.get("training_seconds", 0) - before
    return [f"* {images / seconds:.0f} images/s, all phases of the stage together."] if images and seconds > 60 else []


def _phases(recipe: dict[str, Any], images: dict[str, int]) -> list[str]:
    lines = [""]
    if images.get("paired"):
        lines.append(
            f"* paired: {images['paired']:,} pictures. Synthesis and a perceptron that embeds the factors of a "
            "render in w draw the\n  render; L1 over a pyramid and L1 of slopes, eyes, mouth, nose and glasses weighted "
            "up."
        )
    if images.get("mapping"):
        lines.append(
            f"* mapping: {images['mapping']:,} latents, no pictures. z -> w is fitted to the embedding of the factors "
            "that a fixed,\n  measure-preserving, non-linear twist gives z; no axis of z is a factor."
        )
    if images.get("joint"):
        how = (
            f"against a discriminator (weight {recipe['adversarial_weight']:g})"
            if recipe.get("adversarial_weight")
            else "no discriminator"
        )
        lines.append(
            f"* joint: {images['joint']:,} pictures. The whole generator from z, picture against picture, {how}."
        )
    return lines


def _grown(recipe: dict[str, Any], images: dict[str, int]) -> list[str]:
    """The stage of `train detail`."""
    if not images.get("detail"):
        return []
    text = f"""* detail, by `stylewidgets train detail`: {images["detail"]:,} windows of {images["renders"]:,} renders with
  stochastic detail, grown from {recipe["start"]}. Without noise the picture is held to the render without chance, L1 as before;
  what noise adds to it to what chance adds to the render, by pairs of the two and by the energy score; pictures of mixed codes to
  the smaller generator's.
  No discriminator. The amounts of detail are linear functions of w: weak principal components of it (`detail` in the
  metadata)."""
    return [text]


def _settings(recipe: dict[str, Any]) -> str:
    factors = (
        "The factors go together as in `avatars.CORRELATIONS` (beards with square jaws, and so on), so that what is\n"
        "found in it may be entangled"
        if recipe.get("correlated")
        else "The factors are independent of each other"
    )
    text = f"{factors}; twist {recipe['twist']:g},\nseed {recipe['seed']}."
    if recipe.get("condition"):
        text += f" The class is the factor {recipe['condition']}, every class equally often."
    if recipe.get("paired_mixing"):
        text += (
            f" Style mixing in {recipe['paired_mixing']:.0%} of the paired steps teaches which rows of w+ decide what."
        )
    if recipe.get("keep_w"):
        text += " w is that of the stage before."
    if recipe.get("family", "").startswith("stylegan3") and recipe.get("moved"):
        text += f" {recipe['moved']:.0%} of the paired steps draw the heads somewhere else, by moving the input."
    return text


def _kind(recipe: dict[str, Any], images: dict[str, int], earlier: bool) -> str:
    if not (images.get("paired") or images.get("mapping") or earlier):
        return ""
    if recipe.get("adversarial_weight") and images.get("joint"):
        return "\n\nMore pictures or an accelerator buy sharper eyes, glasses and curls."
    if images.get("detail"):
        return (
            "\n\nIt is a paired generator rather than an adversarial one. Curls and rims are softer than the renders'."
        )
    noise = "it takes no noise" if recipe.get("family", "").startswith("stylegan3") else "noise changes little"
    return (
        f"\n\nSo it is a paired generator rather than an adversarial one: it has hardly any stochastic detail ({noise}), "
        "and its\npictures are softer than the renders. More pictures or an accelerator buy sharper eyes, glasses "
        "and curls; `--recipe adversarial`\nis the published way."
    )
