"""What a file without a generator is, told by the names in it: people take one file of a project for another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor

DISCRIMINATOR = (
    "it holds a discriminator and no generator. Give the file, or the entry, of the generator (G_ema, g_ema, Gs)"
)
ENCODER = (
    "it holds an encoder without its decoder. Give the whole file of pSp, e4e or ReStyle, which has both, or the generator "
    "that the encoder was trained for"
)
DIFFUSION = "it holds a diffusion model, which has no latent space to explore"
LPIPS = (
    "it holds weights of a perceptual distance (LPIPS) and no generator. As a measure it is given to the inversion: "
    "inversion.set_lpips_weights"
)
CLIP = "it holds a CLIP, which reads pictures and sentences and draws none"
READER = "it holds a network that reads pictures (such as ResNet, VGG or a face recogniser) and no generator"
COMPLETION = (
    "it holds the coordinate completion of Pose with Style and no generator: read_atlas(table, completion=path) takes it, "
    "and the generator is another file of the release"
)
CODE = "it holds a latent code and no generator: stylewidgets.read_latent(path, session) reads it"
DIRECTION = "it holds directions and no generator: stylewidgets.read_directions(path, session) reads them"
OTHERS: tuple[tuple[str, str], ...] = (  # a name that tells, and what it tells; the first that is met counts
    (r"(generator\.)?model\.\d+\.mask_conv2d\.", COMPLETION),
    (r"(model\.diffusion_model|first_stage_model|cond_stage_model|control_model)\.", DIFFUSION),
    (r"(down_blocks\.\d+|mid_block|time_embed|time_embedding|input_blocks\.\d+|double_blocks\.\d+)\.", DIFFUSION),
    (r".*lora_(up|down|A|B)\b", "it holds a LoRA of a diffusion model, which has no latent space to explore"),
    (r"lin\d\.model\.1\.weight|net\.slice\d\.", LPIPS),
    (r"(module\.)?(visual\.|text_projection|token_embedding|text_model\.)", CLIP),
    (r"(encoder\.)?(input_layer\.\d|styles\.\d+\.(convs|linear)|latlayer\d)", ENCODER),
    (r"(final_conv|final_linear)\.|convs\.0\.0\.weight|fromrgb|.*\bb\d+\.fromrgb\.|b4\.(fc|out|conv)\.", DISCRIMINATOR),
    (r"(?=.*FromRGB)", DISCRIMINATOR),
    (r"Mixed_\w+|Conv2d_1a_3x3", "it holds an Inception network, which judges pictures and draws none"),
    (r"layer1\.0\.conv1\.weight|features\.0\.weight|body\.\d+\.res_layer", READER),
)  # fmt: skip
CODES = ("latent", "latents", "latent_code", "latent_codes", "projected_w", "w_plus", "wplus")
DIRECTIONS = ("direction", "boundary", "boundaries", "lat_comp", "act_comp", "lat_mean", "eigvec", "directions")


def reason(tree: object) -> str | None:
    """What the content of a file without a generator is, as a sentence; None where nothing tells it."""
    names = list(_names(tree, "", 0))
    for pattern, found in OTHERS:
        if any(re.match(pattern, name) or re.match(pattern, name.partition(".")[2]) for name, _ in names):
            return found
    words = {word.lower() for name, _ in names for word in re.split(r"\W+", name)}
    if words & {"d", "discriminator", "d_ema"} and not words & {"g", "g_ema", "generator"}:
        return DISCRIMINATOR
    if words & set(DIRECTIONS):
        return DIRECTION
    shapes = [shape for _, shape in names]
    if words & set(CODES) and any(shape for shape in shapes):
        return CODE
    if 0 < len(shapes) <= 4 and all(0 < len(shape) <= 3 and shape[-1] >= 16 for shape in shapes):
        return CODE if any(len(shape) >= 2 and shape[-2] > 1 for shape in shapes) else DIRECTION
    return None


def _names(tree: object, where: str, depth: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Dotted names of all tensors, with their shapes."""
    if isinstance(tree, Tensor):
        yield where, tuple(tree.shape)
    elif depth < 6 and isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from _names(value, f"{where}.{key}" if where else str(key), depth + 1)
    elif depth < 6 and isinstance(tree, list | tuple):
        for i, value in enumerate(tree[:64]):
            yield from _names(value, f"{where}.{i}" if where else str(i), depth + 1)
