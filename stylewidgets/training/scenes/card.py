"""The model card of a scene generator of avatars, in Markdown."""

from __future__ import annotations

from typing import Any

from ...generators.protocol import Generator
from .measure import APART, BESIDE


def card(generator: Generator, metadata: dict[str, Any], quality: dict[str, Any]) -> str:
    """The card.

    Args:
        generator: the module.
        metadata: that came with it: name, recipe, images, training_seconds.
        quality: of `evaluate.figures`.
    """
    c: Any = generator.config
    parameters = sum(p.numel() for p in generator.parameters())
    images, r = metadata.get("images", {}), metadata["recipe"]
    return f"""# {metadata.get("name", quality["file"])}

A StyleNeRF (Gu et al. 2022) of illustrated heads that a camera can go round, {generator.resolution} px, {parameters:,}
parameters, z {generator.z_dim}, w {generator.w_dim}, {generator.num_ws} rows of w+. A field of {c.field_layers} layers of
{c.hidden} is drawn with {c.rays} × {c.rays} parallel rays, {c.samples} + {c.samples} samples each, before a plain backdrop, and
enlarged by 1×1 layers. The scene is the avatar that looks ahead, with its light; the camera is the one of the avatars.
Trained were yaws to {c.yaw[1]:g} and pitches to {c.pitch[1]:g} degrees.
Licence: {metadata.get("licence", "MIT")}. Trained on nothing but renders of `stylewidgets.avatars`; no photographs and no
other model, and no depth.

## How it was made

By `stylewidgets train stylenerf` alone, {metadata.get("training_seconds", 0) / 60:.0f} minutes of one CPU core:

* field: {images.get("field", 0):,} pictures. The field alone, on grids of {r["grid"]} × {r["grid"]} rays of renders from known
  cameras: L1 of colours, and cross entropy of its opacity against the silhouette (weight {r["silhouette_weight"]:g}). A
  perceptron embeds the factors of the avatar in w, the pose goes to the camera. The density starts as a ball.
* picture: {images.get("picture", 0):,} pictures. Everything, picture against picture, from {r["adversarial_from"]:.0%} of them on
  also against a discriminator that knows the pose (weight {r["adversarial_weight"]:g}).
* mapping: {images.get("mapping", 0):,} latents, no pictures. z → w is fitted to the embedding of the factors that a fixed,
  measure-preserving, non-linear twist gives z.

## Measured

`{quality["command"]}`

{quality["compared"]} avatars that training has not seen, where pictures are compared one by one; {quality["samples"]:,} on
each side for the distances. The factor network reads poses and gives features. All digits are in the file with the ending
`.quality.json` beside this one.

{tables(quality)}
"""


def tables(quality: dict[str, Any]) -> str:
    """The measured figures: what the command prints and what the card shows."""
    sources = {"factors": "from true factors", "latents": "from z"}
    geometry, seen = quality["geometry"], quality["views"]
    head = " | ".join(sources[name] for name in geometry)
    rules = "---|" * (1 + len(geometry))
    lines = [
        f"| geometry, {quality['compared']} avatars in poses of the training's range | {head} |",
        f"|{rules}",
    ]
    words = {
        "correlation": "correlation of depth inside the head",
        "floor": "the same for the mean head of these avatars in the same poses",
        "error": "mean absolute error of depth inside the head, half heads",
        "error, shift allowed": "the same after each picture's mean difference",
        "iou": "intersection over union of silhouettes",
    }
    for key, text in words.items():
        lines.append(f"| {text} | " + " | ".join(f"{found[key]:.3f}" for found in geometry.values()) + " |")
    turned = quality["views by direction"]
    lines += [
        "",
        f"Views at −{APART:g}° and {APART:g}°, one brought into the other by the avatar's exact geometry: mean difference on",
        "the head, of 2. The floor is that of renders of each generator's own world; what counts is the excess.",
        "",
        "| | error | floor | excess |",
        "|---|---|---|---|",
    ]
    for name, found in seen.items():
        lines.append(f"| this, {sources[name]} | {found['error']:.3f} | {found['floor']:.3f} | {found['excess']:.3f} |")
    lines += [
        f"| {BESIDE} by its yaw direction | {turned['error']:.3f} | {turned['floor']:.3f} | {turned['excess']:.3f} |",
        "",
        "| pose asked against read | slope | correlation | rmse, degrees |",
        "|---|---|---|---|",
    ]
    for angle, found in quality["poses"].items():
        for name in ("generator", "renders"):
            values = (found[f"{key}, {name}"] for key in ("slope", "correlation", "rmse"))
            lines.append(f"| {angle}, {name} | " + " | ".join(f"{value:.2f}" for value in values) + " |")
    lines += ["", "| yaw (trained to 35°) | " + " | ".join(f"{name}°" for name in quality["angles"]) + " |"]
    lines.append("|---|" + "---|" * len(quality["angles"]))
    for key, text, digits in (
        ("psnr", "PSNR against the exact view, dB", 1),
        ("correlation", "correlation of depth", 2),
    ):
        lines.append(f"| {text} | " + " | ".join(f"{f[key]:.{digits}f}" for f in quality["angles"].values()) + " |")
    lines += ["", "| | samples | other renders |", "|---|---|---|"]
    for key, text in (("frechet", "Fréchet distance of features"), ("precision", "precision"), ("recall", "recall")):
        lines.append(f"| {text} | {quality[key]['samples']:.3f} | {quality[key]['floor']:.3f} |")
    return "\n".join(lines)
